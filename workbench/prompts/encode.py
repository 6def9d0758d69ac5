"""The one path from messages to token ids and their mask, for preview, training, evaluation and chat."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Literal

from workbench.data.example import Example, Message, Pairs, Rejected
from workbench.errors import WorkbenchError, fault
from workbench.project.base_model import locate
from workbench.project.store import OpenProject
from workbench.prompts import remarks
from workbench.prompts.answers import Answer, Unmaskable, end_of_turn, find_answers
from workbench.prompts.blocks import NO_BLOCKS, Blocks, compose, read_blocks
from workbench.prompts.encoded import Encoded
from workbench.prompts.template import Rendered, Template, TemplateFault, load_template
from workbench.prompts.tokenizer import Tokenizer, load_tokenizer

TOO_LONG = "too long"
REFUSED = "template refuses"
FAILED = "template fails"
NO_TEXT = "not valid text"
NOTHING = "nothing to train"
NO_SYSTEM = "this template takes no system message: leave prompt.system empty, or choose another template"


class Encoder:
    """Renders, tokenises and masks; the same object answers for training and for chat.

    Attributes:
        tokenizer: the base model's.
        template: the chat template.
        end_mark: the text that the template writes after an answer; empty when it writes none.
        stop_ids: ids that end an answer: the tokenizer's eos and the end-of-turn mark.
        stop_texts: the end-of-turn mark as text when no single token stands for it.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        template: Template,
        *,
        max_tokens: int = 1024,
        overlong: Literal["drop", "truncate", "error"] = "drop",
        train_on: Literal["assistant", "last", "all"] = "assistant",
        system: str = "",
        blocks: Blocks = NO_BLOCKS,
    ) -> None:
        self.tokenizer = tokenizer
        self.template = template
        self.max_tokens = max_tokens
        self.overlong = overlong
        self.train_on = train_on
        self.system = system
        self.blocks = blocks
        self.end_mark = end_of_turn(template, tokenizer.special)
        self.stop_ids, self.stop_texts = self._stops()
        self._pairing = tuple(remarks.on_pairing(template, tokenizer, self.end_mark))

    def encode(self, example: Example) -> Encoded | Rejected:
        """The example as it trains, or why it does not.

        Reasons: ``too long`` (unless `overlong` is ``truncate``), ``template refuses`` (its own
        `raise_exception`), ``template fails``, ``template rewrites earlier turns``, ``answer not found in
        the rendered text``, ``nothing to train``, ``not valid text``.
        """

        def rejected(reason: str, detail: str) -> Rejected:
            return Rejected(example.origin, reason, detail)

        messages = self.composed(example.messages, example.blocks)
        try:
            rendered = self.template.render(messages, self.tokenizer.special)
            answers = self._answers(messages, rendered)
            ids, spans = self.tokenizer.encode(rendered.text)
        except TemplateFault as error:
            return rejected(REFUSED if error.refused else FAILED, self._explained(messages, error))
        except Unmaskable as error:
            return rejected(error.reason, error.detail)
        except WorkbenchError as error:
            return rejected(NO_TEXT, str(error))
        if len(ids) > self.max_tokens and self.overlong != "truncate":
            return rejected(TOO_LONG, f"{len(ids)} tokens, data.max_tokens is {self.max_tokens}")
        kept = min(len(ids), self.max_tokens)
        mask = self._mask(spans, answers)[:kept]
        if not any(mask[1:]):  # nothing stands before the first token that could predict it
            cut = f"the answer begins after data.max_tokens = {self.max_tokens}"
            return rejected(NOTHING, cut if kept < len(ids) else "the answer has no token of its own")
        stop_trained = _stops_trained(answers, spans, mask)
        warnings = [
            *self._pairing,
            *remarks.on_text(messages, rendered, answers, self.tokenizer),
            *self._prompt_remark(messages, rendered, answers),
            *remarks.on_tokens(rendered.text, ids, spans, answers, self.tokenizer),
            *([] if stop_trained else [remarks.on_stop(self.end_mark, kept < len(ids))]),
        ]
        return Encoded(
            text=rendered.text,
            ids=ids[:kept],
            mask=mask,
            spans=spans[:kept],
            stop_trained=stop_trained,
            truncated=len(ids) - kept,
            warnings=tuple(warnings),
        )

    def prompt(self, messages: Sequence[Message], own: Pairs = ()) -> tuple[list[int], str]:
        """Ids and text of a conversation up to where the model answers, as they stood there in training.

        `own` are the conversation's own blocks. Raises WorkbenchError when the template refuses the
        conversation or the text is not valid.
        """
        messages = self.composed(messages, own)
        try:
            text = self._prompt_text(messages)
        except TemplateFault as error:
            hint = NO_SYSTEM if self._refuses_system(messages) else ""
            raise fault(error.message, error.problems[0].where, hint) from None
        ids, _ = self.tokenizer.encode(text)
        return ids, text

    def composed(self, messages: Sequence[Message], own: Pairs = ()) -> tuple[Message, ...]:
        """The conversation as the template gets it: with the system message, and with blocks."""
        return compose(self._with_system(messages), own, self.blocks)

    def refused_system(self) -> str:
        """What the template says against `prompt.system`; empty when it takes it, or when there is none."""
        messages = self._with_system([Message("user", "Hello")])
        try:
            self._prompt_text(messages)
        except TemplateFault as error:
            return str(error) if self._refuses_system(messages) else ""
        return ""

    def _prompt_text(self, messages: Sequence[Message]) -> str:
        return self.template.render(messages, self.tokenizer.special, add_generation_prompt=True).text

    def _with_system(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        if self.system and not any(message.role == "system" for message in messages):
            return (Message("system", self.system), *messages)
        return tuple(messages)

    def _answers(self, messages: Sequence[Message], rendered: Rendered) -> list[Answer]:
        last = self.train_on == "last"
        special = self.tokenizer.special
        try:
            return find_answers(self.template, special, messages, rendered, self.end_mark, last_only=last)
        except Unmaskable:
            if self.train_on != "all":
                raise
            # All of the text is trained: only the mark at its very end still matters
            end = len(rendered.text.rstrip())
            ended = self.end_mark and rendered.text[:end].endswith(self.end_mark)
            return [Answer(0, end, (end - len(self.end_mark), end) if ended else None)]

    def _mask(self, spans: Sequence[tuple[int, int]], answers: Sequence[Answer]) -> list[int]:
        """1 for every token that starts inside an answer (all of them when all of the text is trained)."""
        if self.train_on == "all":
            return [1] * len(spans)
        mask = [0] * len(spans)
        starts = [start for start, _ in spans]
        for answer in answers:
            tokens = _tokens(starts, answer.start, answer.end)
            mask[tokens] = [1] * (tokens.stop - tokens.start)
        return mask

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

    def _explained(self, messages: Sequence[Message], error: TemplateFault) -> str:
        return f"{error}; {NO_SYSTEM}" if self._refuses_system(messages) else str(error)

    def _prompt_remark(
        self, messages: Sequence[Message], rendered: Rendered, answers: Sequence[Answer]
    ) -> Iterator[str]:
        """`{% generation %}` may open elsewhere than where the generation prompt ends; prefixes cannot."""
        if rendered.spans is None or self.train_on == "all":
            return
        turn = max(i for i, message in enumerate(messages) if message.role == "assistant")
        try:
            prompt = self._prompt_text(messages[:turn])
        except TemplateFault as error:
            yield f"chat cannot ask for the last answer: {error}"
            return
        if prompt != rendered.text[: answers[-1].start]:
            yield "the text before the last answer is not the prompt that chat would write"


def make_encoder(project: OpenProject) -> Encoder:
    """The encoder of a project's settings.

    Raises WorkbenchError: base model or tokenizer missing, no or a broken template, a template that refuses
    `prompt.system`.
    """
    settings = project.settings
    base = locate(settings.model.base, project.folder, weights=False)
    tokenizer = load_tokenizer(base.folder)
    encoder = Encoder(
        tokenizer,
        load_template(settings.prompt.template, project.folder, tokenizer),
        max_tokens=settings.data.max_tokens,
        overlong=settings.data.overlong,
        train_on=settings.data.train_on,
        system=settings.prompt.system,
        blocks=read_blocks(settings.prompt, project.folder),
    )
    if said := encoder.refused_system():
        raise fault(f"prompt.system is refused: {said}", project.file, NO_SYSTEM)
    return encoder


def _tokens(starts: Sequence[int], start: int, end: int) -> slice:
    """The tokens that start in a character range; `starts` never falls, so they are one run."""
    return slice(bisect_left(starts, start), bisect_left(starts, end))


def _stops_trained(answers: Sequence[Answer], spans: Sequence[tuple[int, int]], mask: Sequence[int]) -> bool:
    """Every answer with a trained token ends in a mark whose tokens are all trained; one at least is trained.

    `mask` may be shorter than `spans`: what was cut off is not trained.
    """
    starts = [start for start, _ in spans]
    trained = [answer for answer in answers if any(mask[_tokens(starts, answer.start, answer.end)])]
    for answer in trained:
        if answer.mark is None:
            return False
        tokens = _tokens(starts, *answer.mark)
        first = tokens.start
        while first and spans[first - 1][1] > answer.mark[0]:  # it may also hold what precedes
            first -= 1
        if not (first < tokens.stop <= len(mask) and all(mask[first : tokens.stop])):
            return False
    return bool(trained)
