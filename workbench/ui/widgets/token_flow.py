"""A token sequence as text in pieces of one style: what the token view shows in each of its modes."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cache

from rich.cells import get_character_cell_size

from workbench.ui.text import clean, clean_lines

OPEN, CLOSE, STOP, BETWEEN = "▐", "▌", "■", "│"

_EDGE_BLANKS = re.compile(r"(?m)^ +| +(?=\n)| {2,}")
_SEEN_BLANKS = re.compile(r"[^·\n]*[·\n]|[^·\n]+")
_UNSEEN = {"Co", "Cf", "Cn", "Cs", "Zs", "Zl", "Zp"}


@dataclass(frozen=True)
class Tokens:
    """T tokens: how each reads, its id, its mask (1 = trained), its range of characters in `text`.

    `stops` are the ids that end an answer.
    """

    shown: Sequence[str] = ()
    ids: Sequence[int] = ()
    mask: Sequence[int] = ()
    spans: Sequence[tuple[int, int]] = ()
    stops: Set[int] = frozenset()
    text: str = ""


@dataclass
class Flow:
    """Text in pieces of one style each, and where its lines may break."""

    parts: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, text: str, style: str) -> None:
        """One more piece at the end."""
        if text:
            self.parts.append(text)
            self.offsets.append(self.length)
            self.styles.append(style)
            self.length += len(text)

    def between(self, start: int, end: int) -> Iterator[tuple[str, str]]:
        """The pieces of one line."""
        for index in range(bisect_right(self.offsets, start) - 1, len(self.parts)):
            offset = self.offsets[index]
            if offset >= end:
                return
            yield self.parts[index][max(0, start - offset) : end - offset], self.styles[index]


def style_of(tokens: Tokens, index: int) -> str:
    """`stop`, `trained` or `read`."""
    if tokens.ids[index] in tokens.stops:
        return "stop"
    return "trained" if tokens.mask[index] else "read"


def text_flow(tokens: Tokens, *, exact: bool = False) -> Flow:
    """The rendered text, each character once: several tokens may share one character of many bytes.

    `exact`: every blank is seen, and what cannot be seen stands as its escape.
    """
    flow, position, inside = Flow(), 0, False
    written = _exact if exact else _readable
    text = tokens.text if exact else _EDGE_BLANKS.sub(lambda match: "·" * len(match[0]), tokens.text)
    for index, (start, end) in enumerate(tokens.spans):
        if end <= position:
            continue
        gap, own = text[position:start], text[max(start, position) : end]
        trained = bool(tokens.mask[index])
        if inside and (gap or not trained):
            flow.add(CLOSE, "sign")
            inside = False
        flow.add(written(gap), "read")
        if trained and not inside:
            flow.add(OPEN, "sign")
            inside = True
        style = style_of(tokens, index)
        flow.add(written(own), style)
        if style == "stop":
            flow.add(STOP, "stop")
        position = end
    if inside:
        flow.add(CLOSE, "sign")
    flow.add(written(text[position:]), "read")
    return flow


def token_flow(tokens: Tokens) -> Flow:
    """Each token with a sign before it: `│`, or an edge of a trained stretch."""
    flow, inside = Flow(), False
    for index, shown in enumerate(tokens.shown):
        trained = bool(tokens.mask[index])
        edge = BETWEEN if index else ""
        if trained != inside:
            edge = OPEN if trained else CLOSE
        flow.add(edge, "read" if edge == BETWEEN else "sign")
        inside = trained
        style = style_of(tokens, index)
        seen = visible(shown) + (STOP if style == "stop" else "")
        flow.add(seen + ("\n" if seen.endswith("⏎") else ""), style)
    if inside:
        flow.add(CLOSE, "sign")
    return flow


def piece_ends(flow: Flow) -> Iterator[int]:
    """Lines of tokens break after the sign between two tokens, and after a newline."""
    for part, offset in zip(flow.parts, flow.offsets, strict=True):
        if part in (OPEN, CLOSE, BETWEEN) or part.endswith("\n"):
            yield offset + len(part)
    yield flow.length


def _readable(text: str) -> str:
    """Text for reading: newlines, tabs and hard blanks are seen, newlines break the line."""
    return clean_lines(text.replace("\t", "⇥")).replace("\N{NO-BREAK SPACE}", "⍽").replace("\n", "⏎\n")


def blank_ends(text: str) -> Iterator[int]:
    """Lines of exact text break after each blank that is seen, and after a newline."""
    return (match.end() for match in _SEEN_BLANKS.finditer(text))


def _exact(text: str) -> str:
    return "".join(map(exact_character, text))


@cache
def exact_character(character: str) -> str:
    """Private-use, format and odd blank characters as escapes: they look like nothing, or like others."""
    if sign := {" ": "·", "\t": "⇥", "\n": "⏎\n", "\N{NO-BREAK SPACE}": "⍽"}.get(character):
        return sign
    if clean(character) == character and unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(token: str) -> str:
    """A token in one line in which every blank is seen; a lone combining mark gets a circle to stand on."""
    shown = clean(token).replace(" ", "·").replace("\N{NO-BREAK SPACE}", "⍽")
    return f"◌{shown}" if shown and not get_character_cell_size(shown[0]) else shown
