"""Dark or light, remembered from one start to the next."""

from contextlib import suppress
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.project.files import write_atomic
from workbench.project.state import state_folder

DARK, LIGHT = "textual-dark", "textual-light"
"""Both keep their parts apart where SSH leaves 256 colours."""


def _file() -> Path:
    return state_folder() / "theme"


def remembered_theme() -> str:
    """The one that was chosen last; dark where none was, or where what is written is none of them."""
    with suppress(OSError, UnicodeDecodeError):
        if _file().read_text(encoding="utf-8").strip() == LIGHT:
            return LIGHT
    return DARK


def remember_theme(theme: str) -> bool:
    """False when it cannot be written: the next start is dark again, which harms nothing else."""
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        write_atomic(_file(), theme + "\n")
    except (OSError, WorkbenchError):
        return False
    return True
