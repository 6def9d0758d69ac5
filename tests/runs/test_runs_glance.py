"""A long log is seen at a glance: evenly, with its two ends, and never with half an event."""

from pathlib import Path

import pytest

from workbench.runs import glance as module
from workbench.runs.glance import glance

LINE = b'{"v":1,"time":1.0,"kind":"step","step":%d,"loss":0.5,"note":"%s"}\n'


def write(path: Path, steps: int) -> Path:
    path.write_bytes(b"".join(LINE % (step, b"x" * (step % 90)) for step in range(1, steps + 1)))
    return path


def test_a_short_log_is_not_glanced_at(tmp_path: Path) -> None:
    assert glance(write(tmp_path / "events.jsonl", 100)) == []
    assert glance(tmp_path / "none.jsonl") == []


def test_a_long_log_shows_all_of_its_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_BYTES", 1_000_000)
    monkeypatch.setattr(module, "PIECES", 50)
    steps = [event["step"] for event in glance(write(tmp_path / "events.jsonl", 20_000))]
    assert steps[0] == 1 and steps[-1] == 20_000
    assert steps == sorted(set(steps)), "in the order of the log, none twice"
    assert max(b - a for a, b in zip(steps, steps[1:], strict=False)) < 20_000 / 40
    assert len(steps) < 3_000


def test_half_a_last_line_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_BYTES", 1_000)
    monkeypatch.setattr(module, "PIECES", 5)
    path = write(tmp_path / "events.jsonl", 1_000)
    with path.open("ab") as file:
        file.write(b'{"v":1,"time":1.0,"kind":"step","step":1001,"lo')
    assert glance(path)[-1]["step"] == 1_000
