"""Rows of a file by number, whatever its format: the one door between a file on disk and the mapping."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from workbench.data.example import Row
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.weights import is_pointer

Progress = Callable[[float], None]
"""Called with the share that is done, 0 to 1, from the thread that does the work."""
Cancelled = Callable[[], bool]
"""Asked now and then; True ends the work early."""

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


class RowError(WorkbenchError):
    """A row that cannot be used. `reason` is the same for all rows of its sort, so that it can be counted;
    `detail` names what this row holds."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(Problem(f"{reason}: {detail}" if detail else reason))


class Rows(ABC):
    """The rows of one file, numbered from 0. Any thread may read while another one builds the index.

    A row that is broken keeps its number: asking for it raises `RowError`, all others stay readable.
    """

    path: Path

    @abstractmethod
    def __len__(self) -> int:
        """Number of rows in the file, broken ones included; builds the rest of the index first."""

    @abstractmethod
    def __getitem__(self, i: int) -> Row:
        """Row `i`. Raises RowError when it is broken, IndexError when there is no such row."""

    @property
    def known(self) -> int:
        """Rows that can be read at once: less than all of them while the index is being built."""
        return len(self)

    @property
    def complete(self) -> bool:
        """Whether the whole file is indexed, so that `known` is the number of rows."""
        return True

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        """Index the rest of the file, or until `cancelled`; a later call goes on from there."""
        if progress:
            progress(1.0)

    def close(self) -> None:  # noqa: B027 - most formats hold nothing open
        """Let go of the file; rows that other threads are reading are still finished."""


def open_rows(path: Path) -> Rows:
    """Open a .jsonl, .ndjson, .json, .csv, .tsv or .parquet file by its suffix.

    Raises:
        WorkbenchError: the file is missing, empty, unreadable, a git-lfs pointer, of another format, or
            broken as a whole. A broken row of it raises `RowError` when that row is read instead.
    """
    try:
        _check(path)
        return _open(path)
    except OSError as e:
        raise fault(f"cannot be read: {e.strerror or e}", path) from e


def _check(path: Path) -> None:
    """What is wrong with any file, before its format is looked at."""
    if not path.exists():
        raise fault("no such file", path, "data.source paths are relative to the project folder")
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
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise fault("is UTF-16 text", path, "save it as UTF-8")


def _open(path: Path) -> Rows:
    # Formats are imported on use: they import this module, and parquet brings pyarrow
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            from workbench.data.jsonl import JsonlRows

            return JsonlRows(path)
        case ".json":
            from workbench.data.json_array import open_json

            return open_json(path)
        case ".csv" | ".tsv":
            from workbench.data.delimited import DelimitedRows

            return DelimitedRows(path)
        case ".parquet":
            from workbench.data.parquet import ParquetRows

            return ParquetRows(path)
        case suffix:
            packed = suffix in (".gz", ".zst", ".zip", ".xz", ".bz2")
            hint = "unpack it first" if packed else f"use one of {', '.join(SUFFIXES)}"
            raise fault(f"not a format that can be read: suffix {suffix!r}", path, hint)
