"""Reading a command line such as that of qlora.py: from a shell script, or one that a report has damaged.

Reports turn underscores into spaces, two hyphens into a dash, l into I, and lose a space before a backslash.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workbench.project.importing.given import Given, scalar

_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s\"']+|[\"']", re.DOTALL)
_TYPOGRAPHIC = {0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'"}
_DASHES = re.compile(r"^(?:-|[\u2010-\u2015\u2212])+")
_OPTION = re.compile(r"-{1,2}(?:$|[A-Za-z_][\w-]+)")
_LAUNCHED = {"trl": ("sft",), "llamafactory-cli": ("train",), "axolotl": ("train",)}
_MOST_WORDS = 6
"""Of a name that was written with underscores."""
_ALIKE = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o"})


@dataclass(frozen=True)
class CommandLine:
    """What was read: the program, its options, and the words that are neither."""

    program: str
    given: list[Given]
    left: list[Given]


@dataclass(frozen=True)
class _Word:
    text: str
    line: int


def looks_like_one(text: str) -> bool:
    """Whether a text has options."""
    return any(re.match(r"--?\w{2}|--$", _plain(word)) for word in text.split())


def read_script(text: str, name: str, known: Iterable[str]) -> CommandLine:
    """The options of a command in a file. Never raises."""
    words: list[_Word] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        line = line.rstrip()
        line = line[:-1] if line.endswith("\\") else line
        words += [_Word(match[0], number) for match in _TOKEN.finditer(line)]
    return _read(words, name, known, in_file=True)


def read_words(words: Sequence[str], known: Iterable[str]) -> CommandLine:
    """The options of a command as the shell hands them over. Never raises."""
    return _read([_Word(word, 0) for word in words if word.strip()], "command line", known, in_file=False)


def _read(words: list[_Word], name: str, known: Iterable[str], *, in_file: bool) -> CommandLine:
    exact = set(known)
    alike = {_fold(each): each for each in sorted(exact, reverse=True)}
    words = [_Word(_plain(word.text) if in_file else _dashes(word.text), word.line) for word in words]

    def where(word: _Word) -> str:
        return f"{name}:{word.line}" if word.line else name

    begin = _program(words)
    program = " ".join(word.text for word in words[max(0, begin - 2) : begin])
    program = program.rpartition(" ")[2] if program.endswith(".py") else program
    left = [Given("launcher", word.text, where(word)) for word in words[: max(0, begin - 1)]]
    given: list[Given] = []
    rest = words[begin:]
    starts = [i for i, word in enumerate(rest) if _OPTION.match(word.text)]
    left += [Given("word", word.text, where(word)) for word in rest[: starts[0] if starts else len(rest)]]
    for start, end in pairwise([*starts, len(rest)]):
        chunk = rest[start:end]
        first, equals, value = chunk[0].text.lstrip("-").partition("=")
        parts = [*([first] if first else []), *([value] if equals else []), *(w.text for w in chunk[1:])]
        if parts:
            given.append(_option(parts, chunk[0].text, where(chunk[0]), exact, alike, 1 if equals else 0))
    return CommandLine(program, given, left)


def _option(
    parts: list[str], written: str, where: str, exact: set[str], alike: dict[str, str], fixed: int
) -> Given:
    """The longest known name that the words begin with, and what is left as its value."""
    for count in range(fixed or min(_MOST_WORDS, len(parts)), 0, -1):
        joined = "_".join(parts[:count]).replace("-", "_")
        name = joined if joined in exact else alike.get(_fold(joined))
        if name:
            break
    else:
        count, name = 1, parts[0].replace("-", "_")
    values = parts[count:]
    shown = " ".join([written, *parts[1:count]] if written.strip("-") else [written, *parts[:count]])
    plain = shown.partition("=")[0].lstrip("-").replace("-", "_")
    mended = "" if plain == name and not written.startswith("---") else shown
    return Given(name, scalar(values[0]) if len(values) == 1 else " ".join(values) or True, where, mended)


def _program(words: list[_Word]) -> int:
    """The place behind the last word that names what is run; 0 when none does."""
    for i in range(len(words) - 1, -1, -1):
        before = words[i - 1].text.rpartition("/")[2] if i else ""
        if words[i].text.endswith(".py") or words[i].text in _LAUNCHED.get(before, ()):
            return i + 1
    return 0


def _plain(word: str) -> str:
    word = _dashes(word).translate(_TYPOGRAPHIC)
    return word[1:-1] if len(word) > 1 and word[0] in "\"'" and word[-1] == word[0] else word


def _dashes(word: str) -> str:
    """Dashes of any sort before a word are two hyphens."""
    found = _DASHES.match(word)
    return "--" + word[found.end() :] if found and not found[0].isascii() else word


def _fold(name: str) -> str:
    return name.lower().translate(_ALIKE)
