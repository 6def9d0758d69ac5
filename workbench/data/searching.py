"""Patterns of `where` and `tags`, searched in the texts of rows within a time limit."""

from workbench.data.cells import shown
from workbench.data.rows import RowError
from workbench.project.patterns import compiled

_TIMEOUT = 1.0
_PATIENCE = 5.0
"""Seconds that one text may take, and that all texts together may waste: then the pattern is given up, or a
million rows would take a million seconds."""


class Search:
    """Whether a pattern is found in a text."""

    def __init__(self, pattern: str) -> None:
        """Raises ValueError for what is no regular expression."""
        self._pattern = pattern
        self._compiled = compiled(pattern)
        self._wasted = 0.0

    def __call__(self, text: str) -> bool:
        """Raises RowError when it takes too long."""
        try:
            if self._wasted < _PATIENCE:
                return self._compiled.search(text, timeout=_TIMEOUT) is not None
        except TimeoutError:
            self._wasted += _TIMEOUT
        raise RowError("a pattern takes too long", f"{shown(self._pattern)}: no repeats inside repeats")
