"""What happened in a run: one JSON object a line, appended, never changed.

`event_kinds` says what an event of each kind holds.
A number that is not finite is written as "nan", "inf" or "-inf" and comes back as a float.
"""

import json
import math
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from workbench.runs.event_kinds import FLOATS, STEPPED

Event = dict[str, Any]
"""One event as it is read back."""


_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_WAITING_EVENTS = 10_000
_CHUNK_BYTES = 256 * 1024
_HEAD_BYTES = 128
_RESERVED_BYTES = 64 * 1024
_LONGEST_LINE = 4 * 1024 * 1024
_LOOK_AT_CLOCK_EVERY = 32


class EventWriter:
    """Appends events. Each is with the kernel when `write` returns, so that a kill loses none.

    A full disk never raises into the training: what could not be written waits, goes out before the next
    event, and is reported in a warning.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._begun = b""
        self._waiting: deque[bytes] = deque(maxlen=_WAITING_EVENTS)
        self._late = 0
        self._lost = 0
        self._reserve: Path | None = None
        with suppress(OSError):
            self._open()

    def write(self, kind: str, **fields: Any) -> None:
        """Append one event; `event_kinds` says with which fields."""
        self._lost += len(self._waiting) == _WAITING_EVENTS
        self._waiting.append(event_line(kind, fields))
        self._write_waiting()

    def keep_space(self) -> None:
        """Take some disk space now, which `write_last` gives back where the disk is full by then."""
        reserve = self.path.with_name(".reserve")
        with suppress(OSError), reserve.open("wb") as file:
            self._reserve = reserve
            os.posix_fallocate(file.fileno(), 0, _RESERVED_BYTES)

    def write_last(self, kind: str, **fields: Any) -> None:
        """Append the last event: on a full disk into the space that was kept, with the newest that wait."""
        self.write(kind, **fields)
        if self._reserve:
            with suppress(OSError):
                self._reserve.unlink()
        if self._waiting:
            room = _RESERVED_BYTES // 2  # whole blocks are taken, and a warning follows
            while sum(map(len, self._waiting)) > room and len(self._waiting) > 1:
                self._waiting.popleft()
                self._lost += 1
            self._write_waiting()
        self.sync()

    def _write_waiting(self) -> None:
        try:
            file = self._open()
            self._finish(file)
            while self._waiting:
                self._begun = self._waiting.popleft()
                self._finish(file)
            if self._late:
                lost = f", {self._lost} of them are lost" if self._lost else ""
                text = f"the disk did not take {self._late} events when they happened{lost}"
                self._late = self._lost = 0
                self._begun = event_line("warning", {"message": text})
                self._finish(file)
        except OSError:
            self._late += 1

    def sync(self) -> None:
        """Wait until what was written is on the disk itself, and outlives the machine's power."""
        if self._file is not None:
            with suppress(OSError):
                os.fsync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        if self._file is None:
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            # A writer that was killed may have left half a line: it stays one of its own, which readers skip
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                self._begun = b"\n"
        return self._file

    def _finish(self, file: int) -> None:
        """Write what is left of the line that was begun: a disk that fills up may take half of it."""
        while self._begun:
            self._begun = self._begun[os.write(file, self._begun) :]


class Position:
    """How far a log has been read, and whether it is still that log."""

    def __init__(self) -> None:
        self.offset = 0
        self._head = b""

    def fits(self, file: int) -> bool:
        """The first event carries its time: a log that starts otherwise, or is shorter, is another one."""
        return os.fstat(file).st_size >= self.offset and os.pread(file, len(self._head), 0) == self._head

    def advance(self, file: int, size: int) -> None:
        """Move on by `size` bytes."""
        self.offset += size
        if len(self._head) < _HEAD_BYTES:
            self._head = os.pread(file, min(_HEAD_BYTES, self.offset), 0)


class EventTail:
    """Reads an event log while it grows, in slices.

    Attributes:
        broken: lines so far that were no event.
        restarts: how often the log was another one than before, and reading started anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = self.restarts = 0
        self._restart()

    def read(self, max_records: int = 2000, max_seconds: float = 0.05) -> list[Event]:
        """The next events, oldest first; empty when there is nothing new.

        Half a last line waits until it is whole. When the file was replaced or cut, reading starts anew.
        """
        deadline = time.monotonic() + max_seconds
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return []
        try:
            if not self._position.fits(file):
                self._restart()
                self.restarts += 1
            events: list[Event] = []
            for looked_at in range(max_records):
                if looked_at % _LOOK_AT_CLOCK_EVERY == 0 and looked_at and time.monotonic() > deadline:
                    break
                while not self._lines:
                    if not self._fill(file):
                        return events
                if (event := parse(self._lines.popleft())) is None:
                    self.broken += 1
                else:
                    events.append(event)
            return events
        finally:
            os.close(file)

    def _restart(self) -> None:
        self._position = Position()
        self._rest = b""
        self._lines: deque[bytes] = deque()

    def _fill(self, file: int) -> bool:
        """Take in the next piece of the file; False at its end."""
        piece = os.pread(file, _CHUNK_BYTES, self._position.offset)
        if not piece:
            return False
        self._position.advance(file, len(piece))
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
            self.broken += 1
        self._lines.extend(line for line in lines if line)
        return True


def parse(line: bytes) -> Event | None:
    """One line as an event; None when it is none: readers count on its kind, its time and its step."""
    try:
        event = from_json(line)
    except ValueError:
        return None
    if not isinstance(event, dict) or type(event.get("time")) not in (float, int):
        return None
    kind = event.get("kind")
    if not isinstance(kind, str) or (kind in STEPPED and type(event.get("step")) is not int):
        return None
    if b'nan"' in line or b'inf"' in line:
        for name in FLOATS & event.keys():
            value = event[name]
            if isinstance(value, str):
                event[name] = _NOT_FINITE.get(value, value)
    return event


def event_line(kind: str, fields: Event) -> bytes:
    """One event as a line of the log; `fields` may hold its `time`, else it is now."""
    event = {"v": 1, "time": round(time.time(), 6), "kind": kind}
    for name, value in fields.items():
        event[name] = value if type(value) in (int, str, bool, type(None)) else _plain(value)
    # A surrogate has no UTF-8; readers must never meet half of one
    return _encode(event).encode("utf-8", "replace") + b"\n"


_encode: Callable[[Event], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: scalars of numpy and torch as numbers, anything unknown as its text."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, int | str | None):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    item = getattr(value, "item", None)
    try:
        return _plain(item()) if callable(item) else str(value)
    except (TypeError, ValueError, RuntimeError):
        return str(value)
