"""Where the answers stand in a rendered conversation, and where each one's end-of-turn mark stands.

Either the template says it with `{% generation %}`, or it is found by rendering prefixes: what stands before
an answer is the conversation up to it with the generation prompt, exactly as chat renders it; where a part
of the answer's turn is given, such as an emotion, that part stands before it with an empty text. Each
answer's own text must be found in its range; a template that rewrites the conversation is refused instead of
masked wrongly.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.data.example import Message
from workbench.prompts.template import Rendered, Template, TemplateFault

REWRITTEN = "template rewrites earlier turns"
NOT_FOUND = "answer not found in the rendered text"
QUESTION = Message("user", "Which word is it?")
PROBE = Message("assistant", "Probe7answer")
_SECOND = Message("assistant", "Second8answer")


class _AnyKey(dict[str, str]):
    """A structured content that has the same text under every key."""

    def __missing__(self, key: str) -> str:
        return self["text"]


@dataclass(frozen=True, slots=True)
class _Structured(Message):
    """A message of unknown structure, for templates that take no plain text."""

    @property
    def for_template(self) -> dict[str, str]:
        return _AnyKey(text=self.content)


def probes(messages: Sequence[Message]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """A made-up conversation in the two forms that templates may ask for: plain text, structured content."""
    return tuple(messages), tuple(_Structured(message.role, message.content) for message in messages)


@dataclass(frozen=True, slots=True)
class Answer:
    """The half-open character range of an answer with its end-of-turn mark.

    Attributes:
        start: first character that the model has to write.
        end: one past the last one.
        mark: range of the end-of-turn mark, None when the template writes none. It lies outside of
            start..end when a `{% generation %}` block ends before it.
        lead: what the template writes inside the range before the answer's own text, blanks aside.
    """

    start: int
    end: int
    mark: tuple[int, int] | None
    lead: str = ""


class Unmaskable(Exception):
    """The answers cannot be told from the rest. `reason` is counted, `detail` explains this conversation."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def end_of_turn(template: Template, special: Mapping[str, str]) -> str:
    """The text that a template writes after an answer, without blanks around it; empty when there is none.

    What it writes after the last answer alone is left away where it also marks the end of the earlier ones.
    """
    turn = (QUESTION, PROBE)
    for first_turn in (*probes(turn), *probes((Message("system", "Be brief."), *turn))):
        try:
            rendered = template.render(first_turn, special)
        except TemplateFault:
            continue
        before, found, last = rendered.text.rpartition(PROBE.content)
        if not found:
            continue
        if not last.strip():
            return _blank_mark(rendered, len(before) + len(found))
        again = probes((QUESTION, _SECOND))[isinstance(first_turn[0], _Structured)]
        try:
            text = template.render((*first_turn, *again), special).text
        except TemplateFault:
            return last.strip()
        return _shared(last.strip(), text.rpartition(PROBE.content)[2].lstrip())
    return ""


def asked(messages: Sequence[Message], i: int) -> tuple[Message, ...]:
    """The conversation in which message `i`, an answer, is asked for; what is given of it stands last."""
    if messages[i].given:
        return (*messages[:i], replace(messages[i], content=""))
    return tuple(messages[:i])


def find_answers(
    template: Template,
    special: Mapping[str, str],
    messages: Sequence[Message],
    rendered: Rendered,
    mark: str,
    *,
    last_only: bool = False,
) -> list[Answer]:
    """The range of every answer, in order; of the last one alone with `last_only`.

    Args:
        template: what rendered the conversation.
        special: the tokenizer's special tokens by name.
        messages: the conversation, with its system message.
        rendered: all of `messages`, rendered.
        mark: the template's end-of-turn mark.

    Raises Unmaskable when an answer is not where it must be, TemplateFault when a part of the conversation
    cannot be rendered.
    """
    turns = [i for i, message in enumerate(messages) if message.role == "assistant"]
    if rendered.spans is not None:
        return _marked(messages, turns, rendered, mark, last_only)
    return [
        _derived(template, special, messages, i, rendered.text, mark)
        for i in (turns[-1:] if last_only else turns)
    ]


def _marked(
    messages: Sequence[Message], turns: list[int], rendered: Rendered, mark: str, last_only: bool
) -> list[Answer]:
    spans = _merged(rendered.spans or ())
    if last_only:
        turns, spans = turns[-1:], spans[-1:]
    if len(spans) != len(turns):
        raise Unmaskable(
            NOT_FOUND, f"{len(turns)} answers, but {len(spans)} {{% generation %}} blocks were written"
        )
    answers = []
    for (start, end), i in zip(spans, turns, strict=True):
        found = _content_end(rendered.text, start, end, messages[i].content.strip(), mark)
        if found is None:
            raise Unmaskable(
                NOT_FOUND, f"the {{% generation %}} block does not hold the text of message {i + 1}"
            )
        at, stop = found
        answers.append(
            Answer(start, end, _mark_after(rendered.text, stop, mark), rendered.text[start:at].strip())
        )
    return answers


def _derived(
    template: Template, special: Mapping[str, str], messages: Sequence[Message], i: int, text: str, mark: str
) -> Answer:
    before = template.render(asked(messages, i), special, add_generation_prompt=True).text
    if not text.startswith(before):
        later = any(message.role == "assistant" for message in messages[i + 1 :])
        raise Unmaskable(
            REWRITTEN,
            f"what stands before message {i + 1} is not the prompt that chat would write"
            + (' (train_on = "last" may serve)' if later else ""),
        )
    start, core = len(before), messages[i].content.strip()
    upto = text if i == len(messages) - 1 else template.render(messages[: i + 1], special).text
    if text.startswith(upto):
        found = _content_end(text, start, len(upto), core, mark)
    else:  # later turns change this one: its text must at least follow the prompt directly
        at = start + _blanks(text, start)
        found = (at, at + len(core)) if text.startswith(core, at) else None
        if found is None:
            raise Unmaskable(REWRITTEN, f"message {i + 1} reads otherwise once more turns follow")
    if found is None:
        raise Unmaskable(NOT_FOUND, f"the template does not write message {i + 1} as it stands")
    at, stop = found
    place = _mark_after(text, stop, mark)
    return Answer(start, place[1] if place else stop, place, text[start:at].strip())


def _shared(last: str, earlier: str) -> str:
    """The longest part of `last`, cut at a blank, that `earlier` begins with too; else all of it."""
    cuts = [len(last), *(blank.start() for blank in reversed(list(re.finditer(r"\s+", last))))]
    return next((last[:cut] for cut in cuts if earlier.startswith(last[:cut])), last)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Blocks that touch are one: a template may mark an answer and its end separately."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _content_end(text: str, start: int, limit: int, core: str, mark: str) -> tuple[int, int] | None:
    """Start and end of the `core` before the closing mark of text[start:limit]; None when it is not there."""
    body = text[start:limit].rstrip()
    closed = body[: -len(mark)] if mark and body.endswith(mark) else text[start:limit]
    at = closed.rfind(core)
    return None if at < 0 else (start + at, start + at + len(core))


def _blank_mark(rendered: Rendered, at: int) -> str:
    """The mark of a template that ends answers with blanks alone: they are one only inside of its block."""
    end = max((end for _, end in rendered.spans or ()), default=0)
    return rendered.text[at:end]


def _mark_after(text: str, stop: int, mark: str) -> tuple[int, int] | None:
    """The range of `mark` behind an answer that ends at `stop`, blanks between them allowed."""
    at = stop + (_blanks(text, stop) if mark.strip() else 0)
    return (at, at + len(mark)) if mark and text.startswith(mark, at) else None


def _blanks(text: str, start: int) -> int:
    """Length of the white space at `start`."""
    end = start
    while end < len(text) and text[end].isspace():
        end += 1
    return end - start
