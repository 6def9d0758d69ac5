"""Patterns that people write, searched and replaced in the texts of rows within a time limit.

What becomes of a row must not depend on how often, or after which others, it is looked at: selection and
encoding each look once, the screen as often as it likes. So the texts that took too long are remembered.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, TypeVar

from workbench.data.files.rows import RowError
from workbench.data.mapping.cells import shown
from workbench.errors import fault
from workbench.project.patterns import compiled

_TIMEOUT = 1.0
"""Seconds that one text may take."""
_MOST_SLOW = 5
"""With so many texts that take too long the pattern is to blame, and its source is given up: a million rows
would take a million seconds."""
_HINT = "no repeats inside repeats, such as (a+)+"

_Result = TypeVar("_Result")


class _Limited:
    """A pattern with the texts that it took too long for."""

    def __init__(self, pattern: str) -> None:
        """Raises ValueError for what is no regular expression."""
        self._pattern = pattern
        self._compiled = compiled(pattern)
        self._slow: set[bytes] = set()

    def _within_limits(self, text: str, run: Callable[[Any, float], _Result]) -> _Result:
        if not (self._slow and _digest(text) in self._slow):
            try:
                return run(self._compiled, _TIMEOUT)
            except TimeoutError:
                self._slow.add(_digest(text))
        if len(self._slow) >= _MOST_SLOW:
            what = f"the pattern {shown(self._pattern)} takes too long, in {_MOST_SLOW} texts or more"
            raise fault(what, hint=_HINT)
        raise RowError("a pattern takes too long", f"{shown(self._pattern)}: {_HINT}")


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Search(_Limited):
    """Whether a pattern is found in a text."""

    def __call__(self, text: str) -> bool:
        """Raises RowError when it takes too long, WorkbenchError when it did so for several texts."""

        def run(pattern: Any, seconds: float) -> bool:
            return pattern.search(text, timeout=seconds) is not None

        return self._within_limits(text, run)


class Replace(_Limited):
    """A text with all matches of a pattern replaced."""

    def __init__(self, pattern: str, by: str) -> None:
        """Raises ValueError for what is no regular expression."""
        super().__init__(pattern)
        self._by = by

    def __call__(self, text: str) -> str:
        """Raises RowError when it takes too long, WorkbenchError when it did so for several texts."""

        def run(pattern: Any, seconds: float) -> str:
            return str(pattern.sub(self._by, text, timeout=seconds))

        return self._within_limits(text, run)
