"""Rows of a file by number, whatever its format: the one door between a file on disk and the mapping."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from workbench.data.example import Row
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.weights import is_pointer

Progress = Callable[[float], None]
"""Called with the share that is done, 0 to 1, from the thread that does the work."""
Cancelled = Callable[[], bool]
"""Asked now and then; True ends the work early."""

LINE_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt")
"""Formats of text, which may also be packed."""
SUFFIXES = (*LINE_SUFFIXES, ".parquet", ".arrow")
PACKED = (".gz", ".zst")


NOT_UTF8 = "not UTF-8 (save the file as UTF-8)"
"""The reason of rows in another encoding, such as Latin-1."""


class RowError(WorkbenchError):
    """A row that cannot be used. `reason` is the same for all rows of its sort, so that it can be counted;
    `detail` names what this row holds."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(Problem(f"{reason}: {detail}" if detail else reason))


class Rows(ABC):
    """Rows numbered from 0. Any thread may read while another one builds the index.

    A row that is broken keeps its number: asking for it raises `RowError`, all others stay readable.

    Attributes:
        path: the file, folder or pattern that the rows are of.
    """

    path: Path

    @abstractmethod
    def __len__(self) -> int:
        """Number of rows, broken ones included; builds the rest of the index first."""

    def __bool__(self) -> bool:
        """True even without rows: to ask whether a file is open must not count what is in it."""
        return True

    @abstractmethod
    def __getitem__(self, i: int) -> Row:
        """Row `i`. Raises RowError when it is broken, IndexError when there is no such row."""

    @property
    def known(self) -> int:
        """Rows that can be read at once: less than all of them while the index is being built."""
        return len(self)

    @property
    def complete(self) -> bool:
        """Whether everything is indexed, so that `known` is the number of rows."""
        return True

    @property
    def files(self) -> list[Path]:
        """All files that the rows come from, as the user has them: packed ones are not unpacked."""
        return [self.path]

    def place(self, i: int) -> str:
        """Where row `i` is, for a message: `train-2.jsonl row 17`."""
        return f"{self.path.name} row {i}"

    def scan(self, start: int = 0, stop: int | None = None) -> Iterator[Row | RowError]:
        """Rows `start` to `stop` (None: to the end) in order, a broken one as its error: faster than one by
        one. Raises WorkbenchError when the file is gone."""
        i = start
        while stop is None or i < stop:
            try:
                row: Row | RowError = self[i]
            except RowError as error:
                row = error
            except IndexError:
                return
            yield row
            i += 1

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        """Index the rest, or until `cancelled`; a later call goes on from there."""
        if progress:
            progress(1.0)

    def close(self) -> None:  # noqa: B027 - most formats hold nothing open
        """Let go of the file; rows that other threads are reading are still finished."""


def open_rows(path: Path, nested: str = "", columns: Sequence[str] = ()) -> Rows:
    """Open one file by its suffix: see SUFFIXES; those of LINE_SUFFIXES also as .gz or .zst.

    Args:
        path: the file.
        nested: for .json, the keys that lead to the rows, such as `data.paragraphs.qas`.
        columns: for .csv, .tsv and .txt without a header, the names of the columns; a .txt has its whole line
            in the column `text` without them.

    Raises:
        WorkbenchError: the file is missing, empty, unreadable, a git-lfs pointer, of another format, or
            broken as a whole. A broken row of it raises `RowError` when that row is read instead.
    """
    try:
        check_file(path)
        if path.suffix.lower() in PACKED:
            from workbench.data.files.packed import open_packed

            return open_packed(path, nested, columns)
        return _open(path, nested, columns)
    except OSError as e:
        raise fault(f"cannot be read: {e.strerror or e}", path) from e


def check_file(path: Path) -> None:
    """Raises WorkbenchError with what is wrong with any file, before its format is looked at, and OSError."""
    if not path.exists():
        raise fault("no such file", path)
    if path.is_dir():
        raise fault("is a folder, not a file", path, f"name one file of it ({', '.join(SUFFIXES)})")
    if not path.is_file():
        raise fault("is not a regular file", path)
    with path.open("rb") as file:
        head = file.read(4)
    if head in (b"", b"\xef\xbb\xbf"):
        raise fault("the file is empty", path)
    if is_pointer(path):
        raise fault("is a git-lfs pointer instead of the data", path, "fetch the file: git lfs pull")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and path.suffix.lower() in LINE_SUFFIXES:
        raise fault("is UTF-16 text", path, "save it as UTF-8")


def _open(path: Path, nested: str, columns: Sequence[str]) -> Rows:
    suffix = path.suffix.lower()
    if nested and suffix in SUFFIXES and suffix != ".json":
        raise fault("`rows` leads into .json files only", path, "leave it out for this file")
    if columns and suffix in SUFFIXES and suffix not in (".csv", ".tsv", ".txt"):
        raise fault("`columns` is for .csv, .tsv and .txt files", path, "its columns have names already")
    # Formats are imported on use: they import this module, and parquet brings pyarrow
    match suffix:
        case ".jsonl" | ".ndjson":
            from workbench.data.files.jsonl import JsonlRows

            return JsonlRows(path)
        case ".json":
            from workbench.data.files.json_array import open_json

            return open_json(path, nested)
        case ".csv" | ".tsv":
            from workbench.data.files.delimited import DelimitedRows

            return DelimitedRows(path, columns)
        case ".txt":
            from workbench.data.files.lines import TextRows

            return TextRows(path, columns)
        case ".parquet":
            from workbench.data.files.parquet import ParquetRows

            return ParquetRows(path)
        case ".arrow":
            from workbench.data.files.arrow import ArrowRows

            return ArrowRows(path)
        case _:
            is_archive = suffix in (".zip", ".xz", ".bz2", ".tar", ".tgz", ".7z")
            hint = "unpack it first" if is_archive else f"use one of {', '.join(SUFFIXES)}"
            raise fault(f"not a format that can be read: suffix {suffix!r}", path, hint)
