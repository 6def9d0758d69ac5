"""How long an example may be, and what is done with a longer one; the same for preview, training and checks.

The prompt is all before the first trained token, the answer is from there to the end: what qlora.py calls
source and target. An example of which nothing is trained is all prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from workbench.project.schema import DataSettings

TOO_LONG, PROMPT_TOO_LONG, ANSWER_TOO_LONG = "too long", "prompt too long", "answer too long"
SETTINGS = {
    TOO_LONG: "max_tokens",
    PROMPT_TOO_LONG: "max_prompt_tokens",
    ANSWER_TOO_LONG: "max_answer_tokens",
}
"""Reason why an example is left out, to the setting of `[data]` that it is over."""
UNLIMITED = 2**31 - 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of T tokens once it is cut: those before `prompt`, and those from `answer` to before `end`.

    `answer` is the first trained token, T where there is none.
    """

    prompt: int
    answer: int
    end: int

    @property
    def tokens(self) -> int:
        """How many stay."""
        return self.prompt + self.end - self.answer

    def of(self, column: Sequence[T]) -> list[T]:
        """What stays of something that has one item for each token."""
        return [*column[: self.prompt], *column[self.answer : self.end]]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of `[data]`; 0 for a prompt or an answer without one of its own."""

    max_tokens: int = 1024
    max_prompt_tokens: int = 0
    max_answer_tokens: int = 0
    overlong: Literal["drop", "truncate", "error"] = "drop"

    @classmethod
    def of(cls, data: DataSettings) -> "Limits":
        """Those of a project."""
        return cls(data.max_tokens, data.max_prompt_tokens, data.max_answer_tokens, data.overlong)

    @property
    def cuts(self) -> bool:
        """What is too long is cut, instead of left out or refused."""
        return self.overlong == "truncate"

    @property
    def parts(self) -> bool:
        """Prompt or answer has a limit of its own."""
        return bool(self.max_prompt_tokens or self.max_answer_tokens)

    @property
    def longest(self) -> int:
        """No example that is trained on has more tokens."""
        both = self.max_prompt_tokens and self.max_answer_tokens
        return min(self.max_tokens, self.max_prompt_tokens + self.max_answer_tokens if both else UNLIMITED)

    def over(self, tokens: int, answer: int) -> dict[str, int]:
        """The limits that an example is over: reason to what it measures.

        Args:
            tokens: T.
            answer: the first trained token; -1 where there is none.
        """
        found = {}
        if self.parts:
            prompt = tokens if answer < 0 else answer
            if 0 < self.max_prompt_tokens < prompt:
                found[PROMPT_TOO_LONG] = prompt
            if 0 < self.max_answer_tokens < tokens - prompt:
                found[ANSWER_TOO_LONG] = tokens - prompt
        if tokens > self.max_tokens:
            found[TOO_LONG] = tokens
        return found

    def kept(self, tokens: int, answer: int) -> Kept:
        """What stays when an example is cut: of prompt and answer their first tokens, as qlora.py does it.

        Args as for `over`.
        """
        answer = tokens if answer < 0 else answer
        prompt = min(answer, self.max_prompt_tokens or UNLIMITED, self.max_tokens)
        most = min(self.max_answer_tokens or UNLIMITED, self.max_tokens - prompt)
        return Kept(prompt, answer, min(tokens, answer + most))

    def said(self, over: dict[str, int]) -> tuple[str, str]:
        """Reason and detail of an example that is left out: the first limit that it is over."""
        reason, tokens = next(iter(over.items()))
        name = SETTINGS[reason]
        return reason, f"{tokens} tokens, data.{name} is {getattr(self, name)}"
