"""The one path from messages to token ids and their mask, for preview, training, evaluation and chat."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Literal

from workbench.data.example import Example, Message, Rejected
from workbench.errors import WorkbenchError, fault
from workbench.project.base_model import locate
from workbench.project.store import OpenProject
from workbench.prompts.answers import Answer, Unmaskable, end_of_turn, find_answers
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
        tokenizer, template: what it was made of.
        stop_ids: ids that end an answer: the tokenizer's eos and the template's end-of-turn mark.
        stop_texts: the end-of-turn mark as text when no single token ends a turn.
        end_mark: what the template writes after an answer; empty when it writes nothing.
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
    ) -> None:
        self.tokenizer = tokenizer
        self.template = template
        self.max_tokens = max_tokens
        self.overlong = overlong
        self.train_on = train_on
        self.system = system
        self.end_mark = end_of_turn(template, tokenizer.special)
        self.stop_ids, self.stop_texts = self._stops()

    def encode(self, example: Example) -> Encoded | Rejected:
        """The example as it trains, or why it does not.

        Reasons: ``too long`` (unless `overlong` is ``truncate``), ``template refuses`` (its own `raise_exception`),
        ``template fails``, ``template rewrites earlier turns``, ``answer not found in the rendered text``,
        ``nothing to train``, ``not valid text``.
        """

        def rejected(reason: str, detail: str = "") -> Rejected:
            return Rejected(example.origin, reason, detail)

        messages = self._with_system(example.messages)
        try:
            rendered = self.template.render(messages, self.tokenizer.special)
            answers = self._answers(messages, rendered)
        except TemplateFault as error:
            return rejected(REFUSED if error.refused else FAILED, self._explained(messages, error))
        except Unmaskable as error:
            return rejected(error.reason, error.detail)
        try:
            ids, spans = self.tokenizer.encode(rendered.text)
        except WorkbenchError as error:
            return rejected(NO_TEXT, str(error))
        if len(ids) > self.max_tokens and self.overlong != "truncate":
            return rejected(TOO_LONG, f"{len(ids)} tokens, data.max_tokens is {self.max_tokens}")
        kept = min(len(ids), self.max_tokens)
        starts = [start for start, _ in spans]
        mask = _mask(starts, answers, all_tokens=self.train_on == "all")[:kept]
        if not any(mask[1:]):  # nothing stands before the first token that could predict it
            detail = f"the answer begins after data.max_tokens = {self.max_tokens}" if kept < len(ids) else ""
            return rejected(NOTHING, detail)
        stops = [_stop_trained(answer, starts, spans, mask) for answer in answers if any_trained(answer, starts, mask)]
        stop_trained = bool(stops) and all(stops)
        warnings = [
            *self._text_warnings(messages, rendered, answers),
            *self._token_warnings(rendered.text, ids, spans, starts, answers),
            *([] if stop_trained else [self._no_stop(kept < len(ids))]),
        ]
        return Encoded(
            rendered.text, ids[:kept], mask, spans[:kept], stop_trained, len(ids) - kept, tuple(warnings)
        )

    def prompt(self, messages: Sequence[Message]) -> tuple[list[int], str]:
        """Ids and text of a conversation up to where the model answers: what stood before the answer in training.

        Raises WorkbenchError when the template refuses the conversation or the text is not valid.
        """
        messages = self._with_system(messages)
        try:
            text = self.template.render(messages, self.tokenizer.special, add_generation_prompt=True).text
        except TemplateFault as error:
            hint = NO_SYSTEM if self._refuses_system(messages) else ""
            raise fault(error.message, error.problems[0].where, hint) from None
        ids, _ = self.tokenizer.encode(text)
        return ids, text

    def refused_system(self) -> str:
        """What the template says against `prompt.system`; empty when it takes it, or when there is none."""
        if not self.system:
            return ""
        messages = self._with_system([Message("user", "Hello")])
        try:
            self.template.render(messages, self.tokenizer.special, add_generation_prompt=True)
        except TemplateFault as error:
            return str(error) if self._refuses_system(messages) else ""
        return ""

    def _with_system(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        if self.system and not any(message.role == "system" for message in messages):
            return (Message("system", self.system), *messages)
        return tuple(messages)

    def _answers(self, messages: Sequence[Message], rendered: Rendered) -> list[Answer]:
        last_only = self.train_on == "last"
        try:
            return find_answers(
                self.template, self.tokenizer.special, messages, rendered, self.end_mark, last_only=last_only
            )
        except Unmaskable:
            if self.train_on != "all":
                raise
            # All of the text is trained: where the answers stand only matters for the mark at the very end
            end = len(rendered.text.rstrip())
            ended = self.end_mark and rendered.text[:end].endswith(self.end_mark)
            return [Answer(0, len(rendered.text), (end - len(self.end_mark), end) if ended else None)]

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
        if len(rest) == len(messages):
            return False
        try:
            self.template.render(rest, self.tokenizer.special, add_generation_prompt=rest[-1:] == [] or rest[-1].role == "user")
        except TemplateFault:
            return False
        return True

    def _explained(self, messages: Sequence[Message], error: TemplateFault) -> str:
        return f"{error}; {NO_SYSTEM}" if self._refuses_system(messages) else str(error)

    def _no_stop(self, truncated: bool) -> str:
        if not self.end_mark:
            return "the template writes no end-of-turn mark after an answer: the model never learns to stop"
        if truncated:
            return f"the last answer is cut off before its end-of-turn mark {self.end_mark!r}"
        return f"the end-of-turn mark {self.end_mark!r} is not trained: the model never learns to stop"

    def _text_warnings(
        self, messages: Sequence[Message], rendered: Rendered, answers: Sequence[Answer]
    ) -> Iterator[str]:
        """What the template did to the conversation."""
        for message in messages:
            if message.content.strip() not in rendered.text:
                yield f"the {message.role} message is not in the rendered text as it stands"
            elif message.role == "assistant" and message.content not in rendered.text:
                yield "the template trims the blanks around an answer"
            if found := self.tokenizer.specials_pattern.search(message.content):
                yield f"the {message.role} message holds the special token {found[0]!r} as text"
        if lead := next((answer.lead for answer in answers if answer.lead), ""):
            yield f"the template writes {lead!r} before an answer; in chat the model has to write it itself"
        if rendered.spans is not None and answers and self.train_on != "all":
            turn = max(i for i, message in enumerate(messages) if message.role == "assistant")
            prompt = self.template.render(messages[:turn], self.tokenizer.special, add_generation_prompt=True).text
            if prompt != rendered.text[: answers[-1].start]:
                yield "chat's prompt is not what stands before the answer here"
        if rendered.read_clock:
            yield "the template writes today's date: tomorrow's prompt will be another one"

    def _token_warnings(
        self,
        text: str,
        ids: Sequence[int],
        spans: Sequence[tuple[int, int]],
        starts: Sequence[int],
        answers: Sequence[Answer],
    ) -> Iterator[str]:
        """What the tokenizer did to the text."""
        tokenizer = self.tokenizer
        bos = tokenizer.id("bos_token")
        if bos is not None and list(ids[:2]) == [bos, bos]:
            yield f"the text begins with {tokenizer.special['bos_token']} twice"
        if tokenizer.adds_bos and ids[0] != bos:
            yield f"the base model knows texts that begin with {tokenizer.special['bos_token']}; this template writes none"
        for answer in answers:
            first = bisect_left(starts, answer.start)
            if first and spans[first - 1][1] > answer.start:
                shown = tokenizer.token(ids[first - 1])
                yield f"an answer begins inside the token {shown!r}, which is therefore not trained"
                break
        unknown = tokenizer.id("unk_token")
        if unknown is not None and (lost := ids.count(unknown) - text.count(tokenizer.special["unk_token"])) > 0:
            yield f"{lost} parts of the text are unknown to the tokenizer"


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
    )
    if said := encoder.refused_system():
        raise fault(f"the template refuses prompt.system: {said}", project.file, NO_SYSTEM)
    return encoder


def any_trained(answer: Answer, starts: Sequence[int], mask: Sequence[int]) -> bool:
    """Some token of the answer is trained."""
    return any(mask[bisect_left(starts, answer.start) : bisect_left(starts, answer.end)])


def _mask(starts: Sequence[int], answers: Sequence[Answer], *, all_tokens: bool) -> list[int]:
    """1 for every token that starts inside an answer; starts never fall, so an answer is one run of tokens."""
    if all_tokens:
        return [1] * len(starts)
    mask = [0] * len(starts)
    for answer in answers:
        first, last = bisect_left(starts, answer.start), bisect_left(starts, answer.end)
        mask[first:last] = [1] * (last - first)
    return mask


def _stop_trained(
    answer: Answer, starts: Sequence[int], spans: Sequence[tuple[int, int]], mask: Sequence[int]
) -> bool:
    """Every token that holds a part of the end-of-turn mark is trained (a token cut off has no place in `mask`)."""
    if answer.mark is None:
        return False
    first, last = bisect_left(starts, answer.mark[0]), bisect_left(starts, answer.mark[1])
    while first and spans[first - 1][1] > answer.mark[0]:
        first -= 1
    return first < last <= len(mask) and all(mask[first:last])
