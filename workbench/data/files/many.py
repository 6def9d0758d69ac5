"""Several files as one: their rows are numbered through, in the order of the files."""

import resource
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from workbench.data.example import Row
from workbench.data.files.rows import Cancelled, Progress, RowError, Rows, open_rows
from workbench.errors import Problem, WorkbenchError, fault

_SPARE_DESCRIPTORS = 256
"""Left for all that is not data: pipes, logs, the terminal."""


class ManyRows(Rows):
    """The rows of all `parts`, which are indexed one after the other."""

    def __init__(self, path: Path, parts: Sequence[Rows], root: Path) -> None:
        """
        Args:
            path: what the user calls them all: a folder or a pattern.
            parts: at least one.
            root: folder to which the files' names are shortened in messages.
        """
        self.path = path
        self._parts = list(parts)
        self._root = root
        self._starts: list[int] = []  # of all parts, once everything is indexed
        self._recent: tuple[int, int, Rows] = (0, 0, self._parts[0])

    def __len__(self) -> int:
        self.build()
        return self.known

    def __getitem__(self, i: int) -> Row:
        begin, end, rows = self._recent
        if begin <= i < end:
            return rows[i - begin]
        begin, rows = self._part(i)
        row = rows[i - begin]
        self._recent = (begin, begin + rows.known, rows)
        return row

    @property
    def known(self) -> int:
        total = 0
        for part in self._parts:
            is_complete = part.complete
            total += part.known
            if not is_complete:
                break
        return total

    @property
    def complete(self) -> bool:
        return all(part.complete for part in self._parts)

    @property
    def files(self) -> list[Path]:
        return [file for part in self._parts for file in part.files]

    def place(self, i: int) -> str:
        begin, rows = self._part(i)
        file = rows.path
        shown = file.relative_to(self._root) if file.is_relative_to(self._root) else file
        return f"{shown} row {i - begin}"

    def scan(self, start: int = 0, stop: int | None = None) -> Iterator[Row | RowError]:
        begin = 0
        for part in self._parts:
            if start <= begin or start < begin + len(part):
                yield from part.scan(max(0, start - begin), None if stop is None else stop - begin)
            if stop is not None and stop <= begin + part.known:
                return
            begin += len(part)

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        for n, part in enumerate(self._parts):
            if not part.complete:
                part.build(None, cancelled)
            if not part.complete:
                return
            if progress:
                progress((n + 1) / len(self._parts))

    def close(self) -> None:
        for part in self._parts:
            part.close()

    def _part(self, i: int) -> tuple[int, Rows]:
        """The part of row `i` and the number of its first row; indexes as far as that. Raises IndexError."""
        if i < 0:
            raise IndexError(i)
        if starts := self._all_starts():
            number = bisect_right(starts, i) - 1
            return starts[number], self._parts[number]
        begin = 0
        for part in self._parts:
            if i < begin + part.known:
                return begin, part
            if not part.complete and _reaches(part, i - begin):
                return begin, part
            begin += part.known
        raise IndexError(i)

    def _all_starts(self) -> list[int]:
        """Number of the first row of every part; empty while not everything is indexed."""
        if not self._starts and self.complete:
            self._starts = [0, *accumulate(part.known for part in self._parts[:-1])]
        return self._starts


def open_many(path: Path, files: Sequence[Path], root: Path, nested: str, columns: Sequence[str]) -> Rows:
    """All `files` as one.

    Raises:
        WorkbenchError: those of all files that cannot be opened, five of them named.
    """
    _make_room(len(files), path)
    parts: list[Rows] = []
    problems: list[Problem] = []
    for file in files:
        try:
            parts.append(open_rows(file, nested, columns))
        except WorkbenchError as error:
            problems += error.problems
    if problems:
        for part in parts:
            part.close()
        more = [Problem(f"… and {len(problems) - 5} more", str(path))] if len(problems) > 5 else []
        raise WorkbenchError(*problems[:5], *more)
    return ManyRows(path, parts, root)


def _reaches(part: Rows, i: int) -> bool:
    """Whether a part that is still being indexed has row `i`; indexes it as far as that."""
    try:
        part[i]
    except IndexError:
        return False
    except RowError:
        return True
    return True


def _make_room(count: int, path: Path) -> None:
    """Let this process hold that many files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _SPARE_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise fault(f"{count} files, more than can be open at once ({hard})", path, "join some of them")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
