"""Fixtures of the screen's tests."""

import sys
from functools import partial
from pathlib import Path

import pytest


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts the stand-in in the engine's place; what it is asked is written here."""
    from workbench.chat.client import ChatEngine
    from workbench.ui.panes.chat import models

    path = tmp_path / "requests.jsonl"
    command = (sys.executable, str(Path(__file__).with_name("fake_engine.py")), str(path))
    monkeypatch.setattr(models, "ChatEngine", partial(ChatEngine, command))
    return path
