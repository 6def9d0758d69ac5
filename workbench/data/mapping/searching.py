"""Patterns that people write, searched and replaced in the texts of rows within a time limit."""

from collections.abc import Callable
from typing import Any, TypeVar

from workbench.data.files.rows import RowError
from workbench.data.mapping.cells import shown
from workbench.project.patterns import compiled

_TIMEOUT = 1.0
_PATIENCE = 5.0
"""Seconds that one text may take, and that all texts together may waste: then the pattern is given up, or a
million rows would take a million seconds."""

_Result = TypeVar("_Result")


class _Limited:
    """A pattern with the time that it has wasted."""

    def __init__(self, pattern: str) -> None:
        """Raises ValueError for what is no regular expression."""
        self._pattern = pattern
        self._compiled = compiled(pattern)
        self._wasted = 0.0

    def _within_limits(self, run: Callable[[Any, float], _Result]) -> _Result:
        try:
            if self._wasted < _PATIENCE:
                return run(self._compiled, _TIMEOUT)
        except TimeoutError:
            self._wasted += _TIMEOUT
        raise RowError("a pattern takes too long", f"{shown(self._pattern)}: no repeats inside repeats")


class Search(_Limited):
    """Whether a pattern is found in a text."""

    def __call__(self, text: str) -> bool:
        """Raises RowError when it takes too long."""
        return self._within_limits(lambda pattern, seconds: pattern.search(text, timeout=seconds) is not None)


class Replace(_Limited):
    """A text with all matches of a pattern replaced."""

    def __init__(self, pattern: str, by: str) -> None:
        """Raises ValueError for what is no regular expression."""
        super().__init__(pattern)
        self._by = by

    def __call__(self, text: str) -> str:
        """Raises RowError when it takes too long."""
        return self._within_limits(lambda pattern, seconds: str(pattern.sub(self._by, text, timeout=seconds)))
