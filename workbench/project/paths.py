"""Paths as people write them."""

from pathlib import Path


def expanded(path: str | Path) -> Path:
    """`~` is the home folder; `~nobody`, whose home is not known, stays a plain name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
