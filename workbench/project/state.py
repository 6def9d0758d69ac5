"""Where workbench keeps what belongs to no project."""

import os
from pathlib import Path


def state_folder() -> Path:
    """`$XDG_STATE_HOME/workbench`, `~/.local/state/workbench` without it; it may be missing."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return base / "workbench"
