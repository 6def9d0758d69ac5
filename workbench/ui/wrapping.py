"""Breaking text into lines by terminal cells: wide and combining characters count as they are drawn."""

import re
from collections.abc import Iterable

from rich.cells import cell_len, get_character_cell_size

_WORDS = re.compile(r"[^ \n]+ *\n?| +\n?|\n")
_JOINER = "\N{ZERO WIDTH JOINER}"


def word_ends(text: str) -> Iterable[int]:
    """Where lines may end: after each word with its blanks, and after each newline."""
    return (match.end() for match in _WORDS.finditer(text))


def wrap(text: str, ends: Iterable[int], width: int) -> list[int]:
    """Where each line of `text` starts, the first at 0, so that no line needs more than `width` cells.

    Lines break at newlines, else at the last of `ends` that fits, else, in a piece longer than a line,
    between any two characters that a terminal draws apart; blanks at the end of a line may stand outside.
    `ends` ascends to the length of `text`.
    """
    width = max(2, width)
    starts, used, start = [0], 0, 0
    for end in ends:
        piece = text[start:end]
        cells = _cells(piece)
        if used + cells > width and used + _cells(piece.rstrip(" \n")) > width:
            if used:
                starts.append(start)
            used = cells
            if cells > width:
                cuts, used = _cut(piece, width)
                starts += [start + cut for cut in cuts]
        else:
            used += cells
        if piece.endswith("\n"):
            starts.append(end)
            used = 0
        start = end
    if len(starts) > 1 and starts[-1] == len(text):
        starts.pop()
    return starts


def _cells(text: str) -> int:
    return len(text) - text.count("\n") if text.isascii() else cell_len(text)


def _cut(piece: str, width: int) -> tuple[list[int], int]:
    """Offsets inside `piece` where a new line begins, and the cells of its last line."""
    cuts, used = [], 0
    for offset, character in enumerate(piece):
        cells = 0 if character == "\n" else get_character_cell_size(character)
        if used + cells > width and cells and piece[offset - 1] != _JOINER:
            cuts.append(offset)
            used = 0
        used += cells
    return cuts, used
