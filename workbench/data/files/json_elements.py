"""The elements of a JSON list that fills a file, found as far as they are asked for.

Each element is parsed once to find its end, some two seconds for a gigabyte, and once more when it is read:
neither the file nor its values have to be in memory.
"""

import json
import re
from array import array
from pathlib import Path

from workbench.data.example import Row
from workbench.data.files.index import CHUNK, Index
from workbench.data.files.json_text import parse_object
from workbench.data.files.rows import Cancelled, Progress, RowError, Rows
from workbench.errors import WorkbenchError, fault

_LONGEST = 64 << 20
"""Bytes of one element: what is longer has lost a quote or a bracket."""
_FIRST = re.compile(r"[ \t\n\r]*\[[ \t\n\r]*(\])?")
_NEXT = re.compile(r"[ \t\n\r]*(?:(\])|,[ \t\n\r]*)")
_SPACES = re.compile(r"[ \t\n\r]*")
_BLANKS = b" \t\n\r"
_AFTER_ELEMENT = " \t\n\r,]"
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
"""Numbers are of no interest here, however long they are."""


class ElementRows(Rows):
    """Rows of a .json file that holds one list."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, and WorkbenchError when the list is broken within its first elements."""
        self.path = path
        self._elements = IndexedElements(path)

    @property
    def known(self) -> int:
        return self._elements.known

    @property
    def complete(self) -> bool:
        return self._elements.complete

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        self._elements.build(progress, cancelled)

    def __len__(self) -> int:
        return len(self._elements)

    def __getitem__(self, i: int) -> Row:
        after = self._elements[i].lstrip(_BLANKS)[1:]  # the bracket or the comma goes
        try:
            return parse_object(after.lstrip(_BLANKS))
        except RowError as e:
            raise RowError(e.reason, e.detail.replace("of the line", "of the row")) from e

    def close(self) -> None:
        self._elements.close()


class IndexedElements(Index):
    """The elements of a list, each with what stands before it."""

    _is_closed = False

    def ends_in(self, block: memoryview, start: int, is_last: bool) -> tuple[bytes, int]:
        """As in `Index`. Raises WorkbenchError for broken JSON, with its place in the file."""
        # All of JSON's signs are ASCII; the other bytes only have to be characters of some kind
        text = bytes(block).decode("latin-1")
        ends = array("q")
        done = 0
        try:
            while not self._is_closed:
                end = self._element_end(text, done, start)
                if not self._is_closed:
                    ends.append(start + end)
                done = end
            if (rest := _SPACES.match(text, done)) and rest.end() < len(text):
                raise json.JSONDecodeError("Extra data", text, rest.end())
            done = len(text)
        except json.JSONDecodeError as e:
            # Perhaps it only goes on in the next block, or it is somebody else's turn to hear of it
            if not done and (is_last or len(text) >= _LONGEST):
                raise self._broken(e.msg, start + e.pos) from e
        except RecursionError as e:
            if not done:
                raise fault("nested too deeply to be read", self.path) from e
        return ends.tobytes(), done

    def _element_end(self, text: str, at: int, start: int) -> int:
        """Where the next element ends, or the list. Raises JSONDecodeError, also where the text is cut."""
        is_first = at == 0 and start == self._start
        before = (_FIRST if is_first else _NEXT).match(text, at)
        if before is None:
            raise json.JSONDecodeError("Expecting ',' delimiter", text, _spaces_end(text, at))
        if before[1]:
            self._is_closed = True
            return before.end()
        end = _DECODER.raw_decode(text, before.end())[1]
        if text[end : end + 1] not in _AFTER_ELEMENT or end == len(text):  # of `0.5` only `0.` may be here
            raise json.JSONDecodeError("Expecting ',' delimiter", text, end)
        return end

    def _broken(self, what: str, position: int) -> WorkbenchError:
        line, before = 1, b""
        for at in range(0, position, CHUNK):
            part = self.read(at, min(at + CHUNK, position))
            line += part.count(b"\n")
            before = part.rpartition(b"\n")[2] if b"\n" in part else before + part
        column = len(before.decode("utf-8", "replace").removeprefix("\ufeff")) + 1
        return fault(f"broken JSON: {what}, column {column}", f"{self.path}:{line}")


def _spaces_end(text: str, at: int) -> int:
    spaces = _SPACES.match(text, at)
    return spaces.end() if spaces else at
