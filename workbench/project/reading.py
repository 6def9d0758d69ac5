"""Finding a project.toml and turning it into text and tables, with errors that say which line."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from workbench.errors import WorkbenchError, fault
from workbench.project.base_model import EMBEDDED
from workbench.project.complaints import did_you_mean
from workbench.project.layers import Tree

FILE_NAME = "project.toml"
_WHERE = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_SYNTAX = {
    "Unescaped '\\' in a string": "a backslash in double quotes; write two, or use single quotes",
    "Cannot overwrite a value": "this key is set a second time",
    "Expected '=' after a key in a key/value pair": "a key without =",
    "Expected newline or end of document after a statement": "more text after the value",
    "Invalid value": "no value can be read here; texts need quotes",
}
_TWICE = re.compile(r"Cannot declare (\(.*\)) twice", re.DOTALL)
_QUOTED = r"'([^']*)'"


def find_projects(folder: Path) -> list[Path]:
    """Folders that hold a project.toml: the folder itself, else its children, sorted."""
    folder = Path(folder)
    try:
        if (folder / FILE_NAME).is_file():
            return [folder]
        return sorted(file.parent for file in folder.glob(f"*/{FILE_NAME}") if file.is_file())
    except OSError:
        return []


def likeliest(found: Sequence[Path]) -> Path:
    """The one of several projects that is opened unasked: that of the newest run, else the first on the
    small base model, which wants nothing of the box, else the first."""
    worked = {folder: began for folder in found if (began := _newest_run(folder))}
    if worked:
        return max(worked, key=worked.__getitem__)
    return next((folder for folder in found if _is_small(folder)), found[0])


def _newest_run(folder: Path) -> float:
    """When its newest run was begun, by the clock of the file system; 0 without one."""
    try:
        return max((run.stat().st_mtime for run in (folder / "runs").iterdir()), default=0.0)
    except OSError:
        return 0.0


def _is_small(folder: Path) -> bool:
    try:
        model = parse(read_text(folder / FILE_NAME)).get("model", {})
    except WorkbenchError:
        return False
    return isinstance(model, dict) and model.get("base", EMBEDDED) == EMBEDDED


def project_file(path: Path) -> Path:
    """The project.toml, absolute, that `path` means: the file or its folder.

    Raises:
        WorkbenchError: neither is one; names what is there instead.
    """
    try:
        if path.is_dir():
            file = path / FILE_NAME
            if file.is_file():
                return file.absolute()
            raise fault(f"no project here: there is no {FILE_NAME}", path, _inside(path))
        if path.is_file():
            if path.name == FILE_NAME:
                return path.absolute()
            raise fault(f"no project: name its folder or its {FILE_NAME}", path)
        if path.exists():
            raise fault("not a regular file", path)
        siblings = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError as e:
        raise fault(f"cannot be opened: {e.strerror or e}", path) from e
    raise fault("no such folder", path, did_you_mean(path.name, siblings))


def _inside(folder: Path) -> str:
    names = [str(found) for found in find_projects(folder)[:5]]
    return f"there is {', '.join(names)}" if names else "make one with `workbench new`"


def read_text(file: Path) -> str:
    """The text of a file, without a byte order mark, line ends as they are.

    Raises:
        WorkbenchError: it cannot be read, or is not UTF-8.
    """
    try:
        data = file.read_bytes()
    except OSError as e:
        raise fault(f"cannot be read: {e.strerror or e}", file) from e
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise fault("not UTF-8 text", f"{file.name}:{line}", "save the file as UTF-8 in your editor") from e


def parse(text: str) -> Tree:
    """The tables of a project.toml.

    Raises:
        WorkbenchError: the text is not TOML; with the line.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise fault("nested too deeply", FILE_NAME) from None
    except ValueError as e:
        match = _WHERE.match(str(e))
        message, line, column = match.groups() if match else (str(e), None, None)
        what = _SYNTAX.get(message, message[:1].lower() + message[1:])
        if twice := _TWICE.match(message):
            what = f"table [{'.'.join(re.findall(_QUOTED, twice[1]))}] is begun a second time"
        elif "integer string conversion" in message:
            what = "a number with too many digits"
        lines = text.rstrip().count("\n") + 1
        where = f"{FILE_NAME}:{line or lines}" if match else FILE_NAME
        raise fault(what + (f" (column {column})" if column else ""), where) from e
