"""Where in a TOML text a key stands: no TOML library tells, and an error without a line is half an error.

A scanner, not a parser: it takes any text, valid or not, in one pass, and never raises.
"""

import re
import tomllib
from collections.abc import Iterator

KeyPath = tuple[str | int, ...]
"""Keys from the root down; a whole number counts the elements of an array, from 0."""

_DEEPEST = 40
"""Keys deeper than this are not noted: a path of n parts takes n entries, each as long as its depth."""

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'  # up to two quotes may stand before the closing three
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|\n"
    r"|[\[\]{}=,.]"
    r"|[^\s\"'#\[\]{}=,.]+"
    r"|[\"']",  # a quote that is never closed
    re.DOTALL,
)


class _Tokens:
    """The tokens of a text with their lines; spaces are left out."""

    def __init__(self, text: str) -> None:
        self._found = list(_scan(text))
        self._next = 0

    def peek(self) -> str:
        """The token to come; empty at the end."""
        return self._found[self._next][0] if self._next < len(self._found) else ""

    @property
    def line(self) -> int:
        """The line of the token to come."""
        return self._found[min(self._next, len(self._found) - 1)][1] if self._found else 1

    def take(self) -> str:
        """The token to come, which is now behind."""
        token = self.peek()
        self._next += 1
        return token

    def skip_line(self) -> None:
        """Go behind the next line end."""
        while self.peek() and self.take() != "\n":
            pass


def positions(text: str) -> dict[KeyPath, int]:
    """Key path to line number, from 1, of every key, table and array element. Never raises.

    A table that is only implied, as `data` by `[[data.source]]`, stands where it is first implied.
    """
    tokens = _Tokens(text)
    found: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    scope: KeyPath = ()
    while tokens.peek():
        if tokens.peek() == "\n" or tokens.peek().startswith("#"):
            tokens.take()
        elif tokens.peek() == "[":
            scope = _header(tokens, found, counts)
        else:
            path = scope + _key(tokens, found, scope)
            if tokens.peek() == "=":
                tokens.take()
                _value(tokens, found, path)
            else:
                tokens.skip_line()
    return found


def comments(text: str) -> list[str]:
    """All comments of a TOML text in their order, each from its `#` to the end of the line."""
    return [token.rstrip() for token, _ in _scan(text) if token.startswith("#")]


def _scan(text: str) -> Iterator[tuple[str, int]]:
    line, counted = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        yield match[0], line


def _header(tokens: _Tokens, found: dict[KeyPath, int], counts: dict[KeyPath, int]) -> KeyPath:
    """Read `[a.b]` or `[[a.b]]`; the path that the keys below it stand under."""
    line = tokens.line
    tokens.take()
    is_element = tokens.peek() == "["
    if is_element:
        tokens.take()
    parts = _parts(tokens)
    tokens.skip_line()
    path: KeyPath = ()
    for i, part in enumerate(parts):
        path += (part,)
        found.setdefault(path, line)
        if is_element and i == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
            found.setdefault(path, line)
    return path


def _key(tokens: _Tokens, found: dict[KeyPath, int], scope: KeyPath) -> KeyPath:
    """Read a key, dotted or not, and note its line."""
    line = tokens.line
    parts = _parts(tokens)
    for end in range(1, len(parts) + 1):
        _note(found, scope + parts[:end], line)
    if not parts:
        tokens.take()
    return parts


def _parts(tokens: _Tokens) -> tuple[str, ...]:
    parts: list[str] = []
    while (token := tokens.peek()) and token not in ("\n", "=", "[", "]", "{", "}", ",") and token[0] != "#":
        tokens.take()
        if token != ".":
            parts.append(_plain(token))
    return tuple(parts[:_DEEPEST])


def _note(found: dict[KeyPath, int], path: KeyPath, line: int) -> None:
    if len(path) <= _DEEPEST:
        found.setdefault(path, line)


def _plain(token: str) -> str:
    """A key without its quotes."""
    if token[0] not in "\"'" or len(token) < 2:
        return token
    if "\\" not in token:
        return token[1:-1]
    try:
        return str(tomllib.loads(f"key = {token}")["key"])
    except ValueError:
        return token[1:-1]


def _value(tokens: _Tokens, found: dict[KeyPath, int], path: KeyPath) -> None:
    """Read a value to the end of its statement, noting array elements and the keys of inline tables."""
    open_arrays: list[tuple[str, KeyPath, int]] = []  # bracket, path of the container, index of the element
    fresh = False  # whether an element or a key of the innermost container comes next
    while token := tokens.peek():
        if token == "\n" and not open_arrays:
            return
        bracket, container, index = open_arrays[-1] if open_arrays else ("", path, 0)
        if token in ("\n", ",", "]", "}") or token.startswith("#"):
            tokens.take()
            if token == "," and bracket:
                open_arrays[-1] = (bracket, container, index + 1)
                fresh = True
            elif token in ("]", "}") and open_arrays:
                open_arrays.pop()
                fresh = False
            continue
        if fresh and bracket == "[":
            path = (*container, index)[:_DEEPEST]
            _note(found, path, tokens.line)
        elif fresh and bracket == "{":
            path = (container + _key(tokens, found, container))[:_DEEPEST]
            fresh = False
            continue
        fresh = token in ("[", "{")
        if fresh:
            open_arrays.append((token, path, 0))
        tokens.take()
