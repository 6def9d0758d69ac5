"""Paths as people write them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

HUB = "hub:"
"""What a source's path begins with when it is no path but the name of a data set on the hub."""


def expanded(path: str | Path) -> Path:
    """`~` is the home folder; `~nobody`, whose home is not known, stays a plain name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def placed(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A source whose files are named as the project in `folder` sees them: relative when inside, else
    absolute. Paths that are relative already are seen from the working directory."""
    result = dict(table)
    if "path" in result:
        result["path"] = _seen(result["path"], folder)
    if "beside" in result:
        result["beside"] = {name: _seen(path, folder) for name, path in result["beside"].items()}
    return result


def _seen(path: str, folder: Path) -> str:
    if path.startswith(HUB):
        return path
    whole, home = expanded(path).resolve(), folder.resolve()
    return (whole.relative_to(home) if whole.is_relative_to(home) else whole).as_posix()
