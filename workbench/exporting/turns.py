"""A chat template as fixed texts around what is said, found by writing conversations with it.

Most templates are that, and then it can be said in other template languages. The texts are found with marks
in the place of messages, and held against further conversations: a template that does more has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.data.example import Message
from workbench.prompts.sandbox import TemplateFault
from workbench.prompts.template import Template
from workbench.prompts.tokenizer import Tokenizer

_SYSTEM, _ASKED, _SAID = "Sys7tem", "Us7er", "As7sistant"


@dataclass(frozen=True, slots=True)
class Turns:
    """What stands where.

    Attributes:
        plain: before the first message of the user, where there is no system message.
        system_before: before the system message; None where the template takes none.
        system_after: between the system message and the first message of the user.
        to_answer: between a message of the user and its answer.
        to_question: between an answer and the next message of the user.
        prompt: after the last message of the user: the answer is asked for.
    """

    plain: str
    system_before: str | None
    system_after: str
    to_answer: str
    to_question: str
    prompt: str

    def write(self, messages: Sequence[Message]) -> str:
        """The prompt of a conversation: a system message perhaps, then user and assistant in turn."""
        text = self.plain
        if messages[0].role == "system":
            text = f"{self.system_before}{messages[0].content}{self.system_after}"
            messages = messages[1:]
        for message in messages[:-1]:
            after = self.to_answer if message.role == "user" else self.to_question
            text += message.content + after
        return text + messages[-1].content + self.prompt


def turns_of(template: Template, tokenizer: Tokenizer) -> Turns | None:
    """The texts of a template; None where it is not made of fixed texts."""
    try:
        return _found(template, tokenizer)
    except TemplateFault:
        return None


def _found(template: Template, tokenizer: Tokenizer) -> Turns | None:
    def written(messages: Sequence[Message]) -> str:
        return template.render(messages, tokenizer.special, add_generation_prompt=True).text

    one = written(_conversation(1))
    three = written(_conversation(2))
    plain, _, prompt = one.partition(_ASKED + "0")
    rest = three.removeprefix(plain + _ASKED + "0")
    to_answer, _, rest = rest.partition(_SAID + "0")
    to_question, _, _ = rest.partition(_ASKED + "1")
    before, after = _system_texts(template, tokenizer, prompt)
    turns = Turns(plain, before, after, to_answer, to_question, prompt)
    tried = [_conversation(count) for count in (1, 2, 3)]
    if before is not None:
        tried += [[Message("system", _SYSTEM), *conversation] for conversation in tried]
    return turns if all(turns.write(each) == written(each) for each in tried) else None


def _system_texts(template: Template, tokenizer: Tokenizer, prompt: str) -> tuple[str | None, str]:
    asked = [Message("system", _SYSTEM), *_conversation(1)]
    try:
        text = template.render(asked, tokenizer.special, add_generation_prompt=True).text
    except TemplateFault:
        return None, ""
    before, mark, rest = text.partition(_SYSTEM)
    return (before, rest.removesuffix(f"{_ASKED}0{prompt}")) if mark else (None, "")


def _conversation(questions: int) -> list[Message]:
    """So many questions, with answers between them."""
    turns = [(Message("user", f"{_ASKED}{n}"), Message("assistant", f"{_SAID}{n}")) for n in range(questions)]
    return [message for pair in turns for message in pair][:-1]
