"""Where the answers stand in a rendered conversation, and where each one's end-of-turn mark stands.

Either the template says it with `{% generation %}`, or it is found by rendering prefixes: what stands before
an answer is the conversation up to it with the generation prompt, exactly as chat renders it. Each answer's
own text must be found in its range; a template that rewrites the conversation is refused instead of masked
wrongly.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.data.example import Message
from workbench.prompts.template import Rendered, Template, TemplateFault

REWRITTEN = "template rewrites earlier turns"
NOT_FOUND = "answer not found in the rendered text"
QUESTION = Message("user", "Which word is it?")
PROBE = Message("assistant", "Probe7answer")
_SECOND = Message("assistant", "Second8answer")


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
    for head in ((), (Message("system", "Be brief."),)):
        first_turn = (*head, QUESTION, PROBE)
        try:
            _, found, last = template.render(first_turn, special).text.rpartition(PROBE.content)
        except TemplateFault:
            continue
        if not found:
            continue
        try:
            text = template.render((*first_turn, QUESTION, _SECOND), special).text
        except TemplateFault:
            return last.strip()
        return _shared(last.strip(), text.partition(PROBE.content)[2].lstrip())
    return ""


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
    before = template.render(messages[:i], special, add_generation_prompt=True).text
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


def _mark_after(text: str, stop: int, mark: str) -> tuple[int, int] | None:
    """The range of `mark` behind an answer that ends at `stop`, blanks between them allowed."""
    at = stop + _blanks(text, stop)
    return (at, at + len(mark)) if mark and text.startswith(mark, at) else None


def _blanks(text: str, start: int) -> int:
    """Length of the white space at `start`."""
    end = start
    while end < len(text) and text[end].isspace():
        end += 1
    return end - start
