"""Errors a person can act on: what is wrong, where it is, what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, printed as ``where: what; hint``.

    Attributes:
        what: the fault in one clause, in the user's words.
        where: ``file``, ``file:line`` or ``file:line: key``; empty when there is no place.
        hint: what to do about it; empty when the fault says it all.
    """

    what: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.hint}" if self.hint else text


class WorkbenchError(Exception):
    """A fault of the input or of the box, never of this program: shown as text, without a traceback.

    It carries every problem that was found, so that a file with five mistakes is mended in one go.
    """

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def fault(what: str, where: object = "", hint: str = "") -> WorkbenchError:
    """A `WorkbenchError` of one problem."""
    return WorkbenchError(Problem(what, str(where), hint))
