"""Rules on single characters and white space."""

import re

from workbench.data.cleaning.code import outside, outside_code, outside_fences
from workbench.data.likeness.composed import composed

_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
_BLANK = " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_BLANKS = re.compile(rf"(?<=\S)[{_BLANK}\t]{{2,}}(?=\S)")
_RARE_BLANK = re.compile(rf"[{_BLANK[1:]}]")
_TABLE_LINE = re.compile(r"^[^\n]*\|[^\n]*$", re.M)

_LATEX = (
    "nabla|natural|ncong|ne|nearrow|neg|neq|newcommand|newline|newpage|newtheorem|nexists|ngeq|ngtr|ni|nleq|nless|"
    "nmid|nocite|node|noindent|nolimits|nonumber|normalsize|not|notag|notin|nparallel|nprec|nsim|nsubseteq|nsucc|"
    "nu|nwarrow|"
    "tableofcontents|tabular|tag|tan|tanh|tau|tbinom|text|textbf|textbackslash|textit|textrm|textsf|textstyle|"
    "texttt|tfrac|therefore|theta|thickapprox|thicksim|thinspace|tilde|times|tiny|title|to|top|triangle|"
    "triangledown|triangleleft|triangleright|triangleq|twoheadrightarrow"
)
_PATH = re.compile(
    # Behind a drive; yet `A:\nYes` is an answer and a newline, since a capital follows
    r"(?<![A-Za-z0-9])[A-Za-z]:\\(?:(?:Program Files(?: \(x86\))?|Documents and Settings)\\\S*"
    r"|(?![nrt](?:[^a-z]|$))\S*)"
    r"|(?<!\S)\\\\[A-Za-z][\w.-]*\\\S*"
)
_WORD = re.compile("[!-~]+")
_PATTERN = re.compile(r"\\[sSdDwWb](?![A-Za-z])|\[\^?(?:\\[nrt])+\]")
_ESCAPE = re.compile(
    r"(?P<quote>[\"'])(?:\\[nrt])+(?P=quote)"
    rf"|(?<!\\)\\(?:{_LATEX})(?![A-Za-z])"
    r"|(?P<escape>(?<!\\)\\(?:r\\n|n|t))"
)
_REAL = {"\\n": "\n", "\\r\\n": "\n", "\\t": "\t"}


def strip(text: str) -> str:
    """White space at both ends goes."""
    return text.strip()


def spaces(text: str) -> str:
    """Two and more blanks between words become one (a tab where one is among them).

    Indentation, blanks at a line's end (Markdown's line break), lines of tables and fenced blocks stay.
    """
    runs = "  " in text or "\t" in text or (not text.isascii() and _RARE_BLANK.search(text))
    if not runs or not _BLANKS.search(text):
        return text
    return outside_fences(lambda part: outside(_TABLE_LINE, _one_blank, part), text)


def newlines(text: str) -> str:
    r"""The two characters `\n` become a newline, `\r\n` too, `\t` a tab.

    Left alone: code (fences, back ticks), a doubled backslash, LaTeX commands that begin so (`\nabla`,
    `\theta`), Windows paths (`C:\new`; yet in `A:\nYes` a capital follows and it is a newline), words that
    hold another class of regular expressions (`\d+\n`), an escape between quotes (`"\n"`).
    """
    return outside_code(_unescaped, text) if "\\" in text else text


def bom(text: str) -> str:
    """U+FEFF goes, wherever it stands: byte order marks that were read as text."""
    return text.replace("\ufeff", "") if "\ufeff" in text else text


def private_use(text: str) -> str:
    """Characters of category Co go: they mean something only in one font."""
    return text if text.isascii() else _PRIVATE.sub("", text)


def nfc(text: str) -> str:
    """Composed characters, so that é is one code point and equal to every other é."""
    return composed(text)


def _one_blank(text: str) -> str:
    return _BLANKS.sub(lambda run: "\t" if "\t" in run[0] else " ", text)


def _unescaped(text: str) -> str:
    return outside(_PATH, lambda part: _WORD.sub(_unescaped_word, part), text) if "\\" in text else text


def _unescaped_word(word: re.Match[str]) -> str:
    if "\\" not in word[0] or _PATTERN.search(word[0]):
        return word[0]
    return _ESCAPE.sub(lambda found: _REAL.get(found["escape"] or "", found[0]), word[0])
