"""A conversation as a chat template writes it, with the places of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.data.example import Message
from workbench.prompts.encoding.answers import Answer, Unmaskable, asked, end_of_turn, find_answers
from workbench.prompts.encoding.shapes import Shapes
from workbench.prompts.template import Rendered, Template, TemplateFault
from workbench.prompts.tokenizer import Tokenizer

CLOCK = "the template writes today's date: tomorrow's prompt will be another one"
ELSEWHERE = "the text before the last answer is not the prompt that chat would write"


@dataclass(frozen=True, slots=True)
class Written:
    """A conversation as text.

    Attributes:
        text: what the template wrote.
        answers: where the answers stand that may be trained; empty when the conversation asks for one.
        remarks: what a careful reader would say about how this conversation was written.
    """

    text: str
    answers: tuple[Answer, ...] = ()
    remarks: tuple[str, ...] = ()


class Writer:
    """Writes conversations with one template and the special tokens of one tokenizer.

    Attributes:
        end_mark: the text that the template writes after an answer; empty when it writes none.
    """

    def __init__(
        self, template: Template, tokenizer: Tokenizer, train_on: Literal["assistant", "last", "all"]
    ) -> None:
        self._template = template
        self._special = tokenizer.special
        self._train_on = train_on
        self.end_mark = end_of_turn(template, self._special)
        self.shapes = Shapes(template, self._special, self._read)

    def write(self, messages: Sequence[Message]) -> Written:
        """The conversation with its answers; one that asks for an answer comes with the generation prompt.

        Raises TemplateFault: the template refuses it or fails. Unmaskable: the answers cannot be told.
        """
        if is_asked(messages):
            rendered = self._template.render(messages, self._special, add_generation_prompt=True)
            return Written(rendered.text, (), (CLOCK,) if rendered.read_clock else ())
        if found := self.shapes.find(messages):
            shape, texts = found
            text, placed = shape.fill(texts)
            return Written(text, placed, shape.remarks)
        rendered = self._template.render(messages, self._special)
        answers, remarks = self._read(self._template, messages, rendered)
        return Written(rendered.text, tuple(answers), tuple(remarks))

    def prompt(self, messages: Sequence[Message]) -> str:
        """The conversation up to where the model answers. Raises TemplateFault."""
        return self._template.render(messages, self._special, add_generation_prompt=True).text

    def _read(
        self, template: Template, messages: Sequence[Message], rendered: Rendered
    ) -> tuple[list[Answer], list[str]]:
        """The answers of a rendered conversation, and what is to be said of how it was written."""
        answers = self._answers(template, messages, rendered)
        said = self._on_prompt(template, messages, rendered, answers)
        return answers, [*said, *([CLOCK] if rendered.read_clock else [])]

    def _answers(self, template: Template, messages: Sequence[Message], rendered: Rendered) -> list[Answer]:
        last, mark = self._train_on == "last", self.end_mark
        try:
            return find_answers(template, self._special, messages, rendered, mark, last_only=last)
        except Unmaskable:
            if self._train_on != "all":
                raise
            # All of the text is trained: only the mark at its very end still matters
            end = len(rendered.text.rstrip())
            ended = mark and rendered.text[:end].endswith(mark)
            return [Answer(0, end, (end - len(mark), end) if ended else None)]

    def _on_prompt(
        self, template: Template, messages: Sequence[Message], rendered: Rendered, answers: Sequence[Answer]
    ) -> list[str]:
        """`{% generation %}` may open elsewhere than where the generation prompt ends; prefixes cannot."""
        if rendered.spans is None or self._train_on == "all":
            return []
        turn = max(i for i, message in enumerate(messages) if message.role == "assistant")
        try:
            asks = template.render(asked(messages, turn), self._special, add_generation_prompt=True)
        except TemplateFault as error:
            return [f"chat cannot ask for the last answer: {error}"]
        return [] if asks.text == rendered.text[: answers[-1].start] else [ELSEWHERE]


def is_asked(messages: Sequence[Message]) -> bool:
    """The conversation ends where an answer is due: with a user, or with what is given of an answer."""
    last = messages[-1]
    return last.role != "assistant" or not last.content
