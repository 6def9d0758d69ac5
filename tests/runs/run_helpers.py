"""Waiting for what other processes do, and reading what they logged."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run

DEADLINE = 20.0
FAKE_TRAINER = Path(__file__).parent / "fake_trainer.py"


def until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"no {what} in {seconds:g} s")
        time.sleep(0.005)
    return value


def all_events(run: Run) -> list[Event]:
    """Everything logged so far."""
    return EventTail(run.events).read(max_records=1_000_000, max_seconds=60)
