"""Opening what a `[[data.source]]` names: a file, a folder, a pattern, a data set of the Hugging Face hub."""

import glob
import json
import os
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from workbench.data.files.rows import LINE_SUFFIXES, PACKED, SUFFIXES, Cancelled, Rows, open_rows
from workbench.errors import WorkbenchError, fault
from workbench.project.paths import expanded
from workbench.project.source import SourceTable

HUB = "hub:"
_ABOUT_DATA = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""What `datasets` and others write beside the data."""


def open_source(source: SourceTable, folder: Path, cancelled: Cancelled | None = None) -> Rows:
    """The rows that a source names; a path is relative to `folder`, `~` is the home folder.

    A packed file is unpacked into the cache first, and a `hub:` data set is fetched by a process of its own
    when it is not there yet: both may take minutes. `cancelled` ends the fetching.

    Raises:
        WorkbenchError: there is no such file, no data file in the folder or for the pattern, one of several
            files is broken as a whole, files side by side differ in length, or the data set cannot be had.
    """
    try:
        rows = _open(source, folder, cancelled)
        if not source.beside:
            return rows
        try:
            return _with_beside(rows, source, folder)
        except BaseException:
            rows.close()
            raise
    except OSError as e:
        raise _unreadable(e, source.path) from e


def source_files(source: SourceTable, folder: Path) -> list[Path]:
    """All files that a source's rows come from, those beside included. Raises as `open_source`."""
    if is_hub(source.path):
        return open_source(source, folder).files
    beside = [_place(path, folder) for path in source.beside.values()]
    return [*data_files(source.path, folder), *beside]


def is_hub(path: str) -> bool:
    """Whether a source's path names a data set of the hub."""
    return path.startswith(HUB)


def data_files(name: str, folder: Path) -> list[Path]:
    """The files that a source's path names: itself, all data files of a folder and its folders, or those that
    match a pattern; sorted.

    Raises:
        WorkbenchError: there is none, it cannot be read, or it is a folder of several splits.
    """
    try:
        path = _place(name, folder)
        root, pattern = _pattern(path, folder)
        if path.is_dir():
            found = _in_folder(path)
        elif pattern and not path.exists():
            found = sorted(_matches(root, pattern))
            if not found:
                raise fault("no file matches this pattern", path, _seen_from(name, folder))
        elif not path.exists():
            raise fault("no such file", path, _seen_from(name, folder))
        else:
            return [path]
    except OSError as e:
        raise _unreadable(e, name) from e
    chosen = _data_among(found)
    if not chosen:
        raise fault("no data files there", path, f"it needs one of {', '.join(SUFFIXES)}, also packed")
    _refuse_twins(chosen, path)
    return chosen


def _open(source: SourceTable, folder: Path, cancelled: Cancelled | None) -> Rows:
    if is_hub(source.path):
        from workbench.data.files.hub import open_hub

        _refuse_for_hub(source)
        return open_hub(source.path.removeprefix(HUB), source.hub_split, source.hub_config, cancelled)
    path = _place(source.path, folder)
    files = data_files(source.path, folder)
    if files == [path]:
        return open_rows(path, source.rows, source.columns)
    from workbench.data.files.many import open_many

    root = path if path.is_dir() else _pattern(path, folder)[0]
    return open_many(path, files, root, source.rows, source.columns)


def _with_beside(rows: Rows, source: SourceTable, folder: Path) -> Rows:
    from workbench.data.files.beside import BesideRows, open_lines

    return BesideRows(rows, {name: open_lines(_place(path, folder)) for name, path in source.beside.items()})


def _place(name: str, folder: Path) -> Path:
    """Where a path leads. Systems differ in how they write `é` in a file's name, as one character or as two:
    where there is nothing of the one form, what is there in the other is meant."""
    path = folder / expanded(name)
    if name.isascii() or path.exists():
        return path
    others = (folder / unicodedata.normalize(form, str(expanded(name))) for form in ("NFC", "NFD"))
    return next((other for other in others if other.exists()), path)


def _unreadable(error: OSError, name: str) -> WorkbenchError:
    """The fault names the file that cannot be read, which may be one of many."""
    return fault(f"cannot be read: {error.strerror or error}", error.filename or name)


def _seen_from(name: str, folder: Path) -> str:
    """The hint for a path that leads nowhere."""
    return "" if expanded(name).is_absolute() else f"relative paths are seen from {folder.resolve()}"


def _pattern(path: Path, folder: Path) -> tuple[Path, str]:
    """The folder below which a pattern's files lie, and the pattern as seen from there, empty for a plain
    path. The project's own folder may be called `[x]`."""
    base = folder if path.is_relative_to(folder) else Path(path.anchor)
    parts = path.relative_to(base).parts
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return base.joinpath(*parts[:fixed]), os.path.join("", *parts[fixed:])


def _matches(root: Path, pattern: str) -> Iterator[Path]:
    with suppress(ValueError):  # no name holds a null byte
        for name in glob.iglob(pattern, root_dir=root, recursive=True):
            if (file := root / name).is_file():
                yield file


def _in_folder(folder: Path) -> list[Path]:
    """Regular files below a folder, sorted by path; hidden ones and hidden folders are none of the data's."""
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(child.name for child in folder.iterdir() if (child / "state.json").is_file())
        what = f"holds the splits {', '.join(splits)}" if splits else "is a saved data set without its splits"
        raise fault(what, folder, f"name one of them: {folder.name}/{splits[0]}" if splits else "")
    if (folder / "state.json").is_file() and (files := _saved(folder)):
        return files
    return sorted(_below(folder))


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and (file := Path(here, name)).is_file():
                yield file


def _saved(folder: Path) -> list[Path]:
    """The files of `datasets.save_to_disk`, in its order, without the caches of `map` beside them."""
    try:
        listed = json.loads((folder / "state.json").read_bytes())["_data_files"]
        return [folder / Path(entry["filename"]).name for entry in listed]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def _data_among(files: Iterable[Path]) -> list[Path]:
    """Those whose suffix says that they hold rows. Text files beside other formats are notes: README.txt."""
    known = [file for file in files if (_format(file) in SUFFIXES) and file.name not in _ABOUT_DATA]
    return [file for file in known if _format(file) != ".txt"] or known


def _format(file: Path) -> str:
    """The suffix that tells a file's format, below that of its packing."""
    suffix = file.suffix.lower()
    if suffix not in PACKED:
        return suffix
    inner = file.with_suffix("").suffix.lower()
    return inner if inner in LINE_SUFFIXES else suffix


def _refuse_twins(files: list[Path], path: Path) -> None:
    """A packed file beside its own unpacked copy would give every row twice."""
    names = set(files)
    for file in files:
        if file.suffix.lower() in PACKED and file.with_suffix("") in names:
            what = f"{file.with_suffix('').name} is there twice, also packed as {file.name}"
            raise fault(what, path, "take one of them away, or name the files by a pattern")


def _refuse_for_hub(source: SourceTable) -> None:
    for key, value in (("rows", source.rows), ("columns", source.columns)):
        if value:
            raise fault(f"`{key}` is for files", source.path, "a data set of the hub has named columns")
