"""The one path from messages to token ids and their mask, for preview, training, evaluation and chat."""

from collections.abc import Sequence
from typing import Literal

from workbench.data.example import Example, Message, Pairs, Rejected
from workbench.errors import WorkbenchError, fault
from workbench.project.base_model import locate
from workbench.project.store import OpenProject
from workbench.prompts.blocks import NO_BLOCKS, Blocks, compose, read_blocks
from workbench.prompts.encoding import remarks
from workbench.prompts.encoding.answers import Answer, Unmaskable
from workbench.prompts.encoding.encoded import Encoded
from workbench.prompts.encoding.limits import Limits
from workbench.prompts.encoding.masks import Spans, mask_of, stops_trained
from workbench.prompts.encoding.writer import Writer, Written
from workbench.prompts.template import Template, TemplateFault, load_template
from workbench.prompts.tokenizer import Tokenizer, load_tokenizer

REFUSED = "template refuses"
FAILED = "template fails"
NO_TEXT = "not valid text"
NOTHING = "nothing to train"
_DEFAULT = Limits()
NO_SYSTEM = "this template takes no system message: leave prompt.system empty, or choose another template"


class Encoder:
    """Renders, tokenises and masks; the same object answers for training and for chat.

    Attributes:
        tokenizer: the base model's, with the project's special tokens.
        template: the chat template.
        end_mark: the text that the template writes after an answer; empty when it writes none.
        stop_ids: ids that end an answer: the tokenizer's eos and the end-of-turn mark.
        stop_texts: the end-of-turn mark as text when no single token stands for it.
        pairing: what is to be said of this template with this tokenizer, whatever the example.
        shapes: what is known in advance of conversations that are written alike.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        template: Template,
        *,
        limits: Limits = _DEFAULT,
        train_on: Literal["assistant", "last", "all"] = "assistant",
        system: str = "",
        blocks: Blocks = NO_BLOCKS,
    ) -> None:
        self.tokenizer = tokenizer
        self.template = template
        self.limits = limits
        self.train_on = train_on
        self.system = system
        self.blocks = blocks
        self._writer = Writer(template, tokenizer, train_on)
        self.end_mark = self._writer.end_mark
        self.shapes = self._writer.shapes
        self.stop_ids, self.stop_texts = self._stops()
        self.pairing = tuple(remarks.on_pairing(template, tokenizer, self.end_mark))

    def encode(self, example: Example) -> Encoded | Rejected:
        """The example as it trains, or why it does not.

        A plain example is its text between bos, where the tokenizer puts one, and eos, all of it trained. A
        conversation without a last answer is its prompt, none of it trained.

        Reasons: those of `Limits.over` (unless it cuts), ``template refuses`` (its own
        `raise_exception`), ``template fails``, ``template rewrites earlier turns``, ``answer not found in
        the rendered text``, ``nothing to train``, ``not valid text``.
        """
        if example.plain:
            return self._plain(example)
        messages = self.composed(example.messages, example.blocks)
        try:
            written = self._writer.write(messages)
            ids, spans = self.tokenizer.encode(written.text)
        except (WorkbenchError, Unmaskable) as error:
            return self._rejected(example, messages, error)
        said = [
            *self.pairing,
            *remarks.on_text(messages, written, self.tokenizer),
            *remarks.on_tokens(written, ids, spans, self.tokenizer),
        ]
        return self._finished(example, written, ids, spans, said, everything=self.train_on == "all")

    def prompt(self, messages: Sequence[Message], own: Pairs = ()) -> tuple[list[int], str]:
        """Ids and text of a conversation up to where the model answers, as they stood there in training.

        Args:
            messages: ends with the user, or with an assistant message whose content is empty: what is given
                of that turn then stands in the prompt.
            own: the conversation's own blocks.

        Raises WorkbenchError when the template refuses the conversation or the text is not valid.
        """
        messages = self.composed(messages, own)
        try:
            text = self._writer.prompt(messages)
        except TemplateFault as error:
            hint = NO_SYSTEM if self._refuses_system(messages) else ""
            raise fault(error.message, error.problems[0].where, hint) from None
        ids, _ = self.tokenizer.encode(text)
        return ids, text

    def composed(self, messages: Sequence[Message], own: Pairs = ()) -> tuple[Message, ...]:
        """The conversation as the template gets it: with the system message, and with blocks."""
        whole = self._with_system(messages)
        return compose(whole, own, self.blocks) if own or self.blocks.shared else whole

    def refused_system(self) -> str:
        """What the template says against `prompt.system`; empty when it takes it, or when there is none."""
        messages = self._with_system([Message("user", "Hello")])
        try:
            self._writer.prompt(messages)
        except TemplateFault as error:
            return str(error) if self._refuses_system(messages) else ""
        return ""

    def _plain(self, example: Example) -> Encoded | Rejected:
        """A text without a template."""
        tokenizer, content = self.tokenizer, example.messages[-1].content
        try:
            ids, spans = tokenizer.encode(content)
        except WorkbenchError as error:
            return self._rejected(example, example.messages, error)
        text, mark, bos = content, None, tokenizer.id("bos_token")
        if tokenizer.adds_bos and bos is not None:
            text = tokenizer.special["bos_token"] + content
            shift = len(text) - len(content)
            ids = [bos, *ids]
            spans = [(0, shift), *((start + shift, end + shift) for start, end in spans)]
        if tokenizer.eos_id is not None:
            mark = (len(text), len(text) + len(tokenizer.special["eos_token"]))
            text += tokenizer.special["eos_token"]
            ids, spans = [*ids, tokenizer.eos_id], [*spans, mark]
        written = Written(text, (Answer(0, len(text), mark),))
        said = remarks.on_tokens(written, ids, spans, tokenizer)
        return self._finished(example, written, ids, spans, list(said), everything=True)

    def _finished(
        self,
        example: Example,
        written: Written,
        ids: list[int],
        spans: Spans,
        said: list[str],
        *,
        everything: bool,
    ) -> Encoded | Rejected:
        """Length limit and mask. `everything`: all tokens of an example with an answer are trained."""
        answers, limits = written.answers, self.limits
        whole = [1] * len(spans) if everything and answers else mask_of(spans, answers)
        first = whole.index(1) if 1 in whole else -1
        if not limits.cuts and (over := limits.over(len(ids), first)):
            return Rejected(example.origin, *limits.said(over))
        kept = limits.kept(len(ids), first)
        mask = kept.of(whole)
        if answers and not any(mask[1:]):  # nothing stands before the first token that could predict it
            cut = f"the answer begins after data.max_tokens = {limits.max_tokens}"
            no_token = "the answer has no token of its own"
            return Rejected(example.origin, NOTHING, cut if kept.tokens < len(ids) else no_token)
        stop_trained = stops_trained(answers, spans, whole[: kept.end])
        if not answers:
            said.append(remarks.NO_ANSWER)
        elif not stop_trained:
            said.append(remarks.on_stop(self.end_mark, kept.end < len(ids)))
        return Encoded(
            text=written.text,
            ids=kept.of(ids),
            mask=mask,
            spans=kept.of(spans),
            stop_trained=stop_trained,
            truncated=len(ids) - kept.tokens,
            prompt_cut=kept.answer - kept.prompt,
            warnings=tuple(said),
        )

    def _rejected(
        self, example: Example, messages: Sequence[Message], error: WorkbenchError | Unmaskable
    ) -> Rejected:
        if isinstance(error, Unmaskable):
            return Rejected(example.origin, error.reason, error.detail)
        if isinstance(error, TemplateFault):
            detail = f"{error}; {NO_SYSTEM}" if self._refuses_system(messages) else str(error)
            return Rejected(example.origin, REFUSED if error.refused else FAILED, detail)
        return Rejected(example.origin, NO_TEXT, str(error))

    def _with_system(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        if self.system and not any(message.role == "system" for message in messages):
            return (Message("system", self.system), *messages)
        return tuple(messages)

    def _stops(self) -> tuple[list[int], tuple[str, ...]]:
        ids = [] if self.tokenizer.eos_id is None else [self.tokenizer.eos_id]
        if not self.end_mark:
            return ids, ()
        written = self.tokenizer.encode(self.end_mark)[0]
        if len(written) == 1 or written[0] in self.tokenizer.special_ids:
            return list(dict.fromkeys([*ids, written[0]])), ()
        return ids, (self.end_mark,)

    def _refuses_system(self, messages: Sequence[Message]) -> bool:
        """The template takes this conversation once its system message is gone."""
        rest = [message for message in messages if message.role != "system"]
        if not rest or len(rest) == len(messages):
            return False
        try:
            self.template.render(rest, self.tokenizer.special)
        except TemplateFault:
            return False
        return True


def make_encoder(project: OpenProject, template: str | None = None, system: str | None = None) -> Encoder:
    """The encoder of a project's settings.

    Args:
        project: with profile and overrides laid in.
        template: in place of `prompt.template`.
        system: in place of `prompt.system`.

    Raises WorkbenchError: base model or tokenizer missing, no or a broken template, a template that refuses
    `prompt.system`.
    """
    settings = project.settings
    base = locate(settings.model.base, project.folder, weights=False)
    tokenizer = load_tokenizer(base.folder, settings.prompt.special_tokens)
    encoder = Encoder(
        tokenizer,
        load_template(template or settings.prompt.template, project.folder, tokenizer, settings.prompt),
        limits=Limits.of(settings.data),
        train_on=settings.data.train_on,
        system=settings.prompt.system if system is None else system,
        blocks=read_blocks(settings.prompt, project.folder),
    )
    if said := encoder.refused_system():
        raise fault(f"prompt.system is refused: {said}", project.file, NO_SYSTEM)
    return encoder
