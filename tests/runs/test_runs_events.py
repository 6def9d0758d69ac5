"""The event log: nothing acknowledged is lost, nothing half written is shown, nothing ends a training."""

import errno
import json
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.runs import events as events_module
from workbench.runs.events import EventTail, EventWriter

FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(max_size=20)
MESSAGES = st.lists(TEXT, min_size=1, max_size=5)


def read(path: Path) -> list[dict[str, object]]:
    return EventTail(path).read(max_records=1_000_000, max_seconds=60)


def messages(path: Path) -> list[object]:
    return [event["message"] for event in read(path)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_numbers_that_are_not_finite_come_back_and_words_stay_words(log: Path) -> None:
    writer = EventWriter(log)
    writer.write("step", step=1, loss=math.nan, grad_norm=math.inf, learning_rate=-math.inf, epoch=0.5)
    writer.write("warning", message="nan")
    writer.write("ended", state="failed", step=None, reason="inf")
    for line in log.read_bytes().splitlines():
        json.loads(line, parse_constant=pytest.fail)
    step, warning, ended = read(log)
    assert math.isnan(step["loss"]) and step["grad_norm"] == math.inf and step["learning_rate"] == -math.inf
    assert step["epoch"] == 0.5 and step["v"] == 1 and isinstance(step["time"], float)
    assert warning["message"] == "nan" and ended["reason"] == "inf"


def test_scalars_of_numpy_and_unknown_things_never_raise(log: Path) -> None:
    writer = EventWriter(log)
    writer.write(
        "step",
        step=np.int64(3),
        loss=np.float32("nan"),
        grad_norm=np.array(2.0),
        extra=object(),
        many=[math.nan],
    )
    (event,) = read(log)
    assert event["step"] == 3 and math.isnan(event["loss"]) and event["grad_norm"] == 2.0
    assert "object" in event["extra"] and event["many"] == ["nan"]


@FEW
@given(texts=MESSAGES)
def test_a_reader_waits_on_half_a_line_at_every_byte(texts: list[str], log: Path) -> None:
    log.unlink(missing_ok=True)
    writer = EventWriter(log)
    for text in texts:
        writer.write("warning", message=text)
    writer.close()
    whole = log.read_bytes()
    for cut in range(len(whole) + 1):
        log.write_bytes(whole[:cut])
        tail = EventTail(log)
        first = [event["message"] for event in tail.read()]
        assert first == texts[: whole[:cut].count(b"\n")]
        with log.open("ab") as file:
            file.write(whole[cut:])
        assert first + [event["message"] for event in tail.read()] == texts
        assert tail.broken == 0


@FEW
@given(texts=MESSAGES)
def test_a_writer_goes_on_behind_half_a_line_at_every_byte(texts: list[str], log: Path) -> None:
    """A process was killed, or a machine lost power, in the middle of a line; the next attempt appends."""
    log.unlink(missing_ok=True)
    writer = EventWriter(log)
    for text in texts:
        writer.write("warning", message=text)
    writer.close()
    whole = log.read_bytes()
    for cut in range(len(whole) + 1):
        log.write_bytes(whole[:cut])
        writer = EventWriter(log)
        writer.write("warning", message="the next attempt")
        writer.close()
        kept = messages(log)
        count = whole[:cut].count(b"\n")
        # A line that lacks only its end is whole once the next writer ends it
        assert kept in ([*texts[:count], "the next attempt"], [*texts[: count + 1], "the next attempt"])


@FEW
@given(junk=st.binary(max_size=60), text=TEXT)
def test_a_broken_line_is_passed_over_and_counted(junk: bytes, text: str, log: Path) -> None:
    log.unlink(missing_ok=True)
    junk = junk.replace(b"\n", b"") + b"}"
    log.write_bytes(junk + b'\n[1]\n{"kind": 3}\n' + b"[" * 100_000 + b"\n")
    EventWriter(log).write("warning", message=text)
    tail = EventTail(log)
    assert [event["message"] for event in tail.read()] == [text]
    assert tail.broken == 4


@pytest.mark.parametrize(
    "fields",
    [{"kind": "warning"}, {"kind": "step", "time": 1.0}, {"kind": "evaluated", "time": 1, "step": "3"}],
)
def test_an_event_without_its_time_or_step_is_none(fields: dict[str, object], log: Path) -> None:
    log.write_text(json.dumps(fields) + "\n")
    EventWriter(log).write("ended", state="stopped", step=None, reason="")
    tail = EventTail(log)
    assert [event["kind"] for event in tail.read()] == ["ended"] and tail.broken == 1


def test_an_endless_line_is_given_up(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "_LONGEST_LINE", 1000)
    monkeypatch.setattr(events_module, "_CHUNK_BYTES", 700)
    log.write_bytes(b"x" * 10_000 + b"\n")
    EventWriter(log).write("warning", message="after")
    tail = EventTail(log)
    assert [event["message"] for event in tail.read()] == ["after"]
    assert tail.broken > 0 and len(tail._rest) == 0


def cut(log: Path) -> None:
    os.truncate(log, 0)


def replace(log: Path) -> None:
    other = log.with_name("other")
    other.touch()
    os.replace(other, log)


@pytest.mark.parametrize("change", [cut, replace, Path.unlink])
@pytest.mark.parametrize("longer", [1, 50])
def test_reading_starts_anew_when_the_file_is_another(
    log: Path, change: Callable[[Path], None], longer: int
) -> None:
    tail = EventTail(log)
    assert tail.read() == []
    writer = EventWriter(log)
    for number in range(10):
        writer.write("warning", message=f"old {number}")
    assert len(tail.read()) == 10
    change(log)
    writer = EventWriter(log)
    new = [f"new {number}" for number in range(longer)]
    for text in new:
        writer.write("warning", message=text)
    assert [event["message"] for event in tail.read()] == new


def test_a_slice_is_bounded_in_records_and_in_time(log: Path) -> None:
    writer = EventWriter(log)
    for number in range(500):
        writer.write("step", step=number)
    tail = EventTail(log)
    assert len(tail.read(max_records=7)) == 7
    some = tail.read(max_seconds=0)
    assert 0 < len(some) < 100
    rest = tail.read(max_seconds=60)
    assert [event["step"] for event in rest] == list(range(7 + len(some), 500))


class Disk:
    """Stands in for os.write: takes `free` more bytes, then is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, log: Path) -> None:
        self.free: int | None = None
        self._write = os.write
        self._log = log
        monkeypatch.setattr(os, "write", self)

    def __call__(self, file: int, data: bytes) -> int:
        if self.free is None or not os.path.samestat(os.fstat(file), os.stat(self._log)):
            return self._write(file, data)
        if self.free == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(file, data[: self.free])
        self.free -= written
        return written


def test_a_full_disk_delays_events_and_loses_none(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.touch()
    disk = Disk(monkeypatch, log)
    for free in range(200):
        log.unlink()
        writer = EventWriter(log)
        writer.write("warning", message="before")
        disk.free = free
        for number in range(4):
            writer.write("step", step=number)
        disk.free = None
        writer.write("warning", message="after")
        found = read(log)
        assert [event["step"] for event in found if event["kind"] == "step"] == [0, 1, 2, 3]
        told = [event["message"] for event in found if event["kind"] == "warning"]
        late = 4 - free // len(b'{"v":1,"time":1795231039.000001,"kind":"step","step":0}\n')
        assert told[:2] == ["before", "after"]
        assert (late > 0) == (len(told) == 3)
        if late > 0 and free == 0:
            assert told[2] == "the disk did not take 4 events when they happened"
        writer.close()


def test_events_over_the_limit_are_reported_as_lost(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from collections import deque

    log.touch()
    monkeypatch.setattr(events_module, "_WAITING_EVENTS", 3)
    disk = Disk(monkeypatch, log)
    writer = EventWriter(log)
    writer._waiting = deque(maxlen=3)
    disk.free = 0
    for number in range(5):
        writer.write("step", step=number)
    disk.free = None
    writer.write("step", step=5)
    assert [event["step"] for event in read(log) if event["kind"] == "step"] == [0, 3, 4, 5]
    assert read(log)[-1]["message"] == "the disk did not take 5 events when they happened, 2 of them are lost"


def test_a_folder_that_cannot_be_written_never_raises(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "missing" / "events.jsonl")
    writer.write("step", step=1)
    writer.sync()
    (tmp_path / "missing").mkdir()
    writer.write("step", step=2)
    assert [event.get("step") for event in read(tmp_path / "missing" / "events.jsonl")] == [1, 2, None]


def test_an_acknowledged_event_survives_a_kill(log: Path) -> None:
    """The child says a number once its event is written; whatever it said is in the log after SIGKILL."""
    for attempt in range(10):
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            writer = EventWriter(log)
            number = 0
            while True:
                writer.write("step", step=number, attempt=attempt)
                os.write(send, b"%d\n" % number)
                number += 1
        os.close(send)
        with os.fdopen(receive, "rb") as said:
            lines = [said.readline() for _ in range(20 + attempt * 7)]
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            lines += said.readlines()
            acknowledged = max(int(line) for line in lines if line.endswith(b"\n"))
        mine = [event["step"] for event in read(log) if event.get("attempt") == attempt]
        assert mine[: acknowledged + 1] == list(range(acknowledged + 1))
    tail = EventTail(log)
    tail.read(max_records=1_000_000, max_seconds=60)
    assert tail.broken == 0


def test_the_last_word_goes_into_the_space_kept_for_it(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.touch()
    disk = Disk(monkeypatch, log)
    writer = EventWriter(log)
    writer.keep_space()
    reserve = log.with_name(".reserve")
    space = reserve.stat().st_blocks * 512
    assert space >= events_module._RESERVED_BYTES
    unlink = Path.unlink

    def give_back(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok)
        if path == reserve:
            disk.free = space

    monkeypatch.setattr(Path, "unlink", give_back)
    disk.free = 0
    for number in range(3000):
        writer.write("step", step=number, loss=1.0)
    writer.write_last("ended", state="failed", step=3000, reason="the disk is full")
    *steps, last, told = read(log)
    assert (last["kind"], last["reason"]) == ("ended", "the disk is full")
    kept = [event["step"] for event in steps[1:]]  # the oldest had been begun
    assert kept == list(range(3000 - len(kept), 3000)) and len(kept) > 100
    assert told["message"].endswith(f"{2999 - len(kept)} of them are lost")
    assert not reserve.exists()
