"""What watching costs a training: a step's event and look for commands, against common ways to log it."""

import json
import os
import sqlite3
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.runs.control import pending
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import Run
from workbench.runs.series import Series
from workbench.runs.status import read_status

pytestmark = pytest.mark.benchmark

STEP: dict[str, Any] = {
    "epoch": 0.33333333,
    "loss": 1.9123123123,
    "learning_rate": 1.2341234e-4,
    "grad_norm": 0.81231231,
    "token_accuracy": 0.51231231,
    "sequence_accuracy": 0.1231,
    "elapsed_tokens": 123_123,
    "elapsed_supervised_tokens": 61_231,
    "elapsed_examples": 1231,
    "tokens_per_second": 1231.231231,
    "supervised_tokens_per_second": 612.123123,
    "seconds": 12.123123,
}


def median_microseconds(step: Callable[[int], object], repeats: int) -> float:
    """The middle of single times: the box has other work."""
    times = []
    for number in range(repeats):
        before = time.perf_counter()
        step(number)
        times.append(time.perf_counter() - before)
    return sorted(times)[repeats // 2] * 1e6


def test_a_step_is_watched_in_well_under_a_millisecond(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.control.mkdir(parents=True)
    events = EventWriter(run.events)

    def ours(number: int) -> None:
        events.write("step", step=number, **STEP)
        list(pending(run))

    database = sqlite3.connect(tmp_path / "metrics.db")
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=normal")
    database.execute(f"create table steps (step, {', '.join(STEP)})")
    question_marks = ", ".join("?" * (1 + len(STEP)))

    def sqlite(number: int) -> None:
        database.execute(f"insert into steps values ({question_marks})", (number, *STEP.values()))
        database.commit()

    state: list[dict[str, Any]] = []
    file = tmp_path / "trainer_state.json"

    def rewritten(number: int) -> None:
        """transformers' trainer_state.json holds the whole history, and is written anew each time."""
        state.append({"step": number, **STEP})
        with file.open("w") as stream:
            json.dump({"log_history": state}, stream)
            stream.flush()
            os.fsync(stream.fileno())

    figures = {
        "ours": median_microseconds(ours, 5000),
        "sqlite3 WAL, insert and commit": median_microseconds(sqlite, 5000),
        "json.dump of the history and fsync": median_microseconds(rewritten, 300),
    }
    for name, value in figures.items():
        print(name, f"{value:.1f} us")
    assert figures["ours"] < 200
    assert figures["ours"] < figures["json.dump of the history and fsync"] / 5
    assert figures["ours"] < figures["sqlite3 WAL, insert and commit"] * 5


def test_a_million_steps_are_taken_in_slices_that_keep_a_screen_alive(tmp_path: Path) -> None:
    run = Run(tmp_path)
    steps = 1_000_000
    fields = json.dumps(STEP)[1:]
    with run.events.open("w") as file:
        file.write(
            '{"v":1,"time":1.0,"kind":"started","attempt":1,"resumed_from":null,"total_steps":1000000}\n'
        )
        file.writelines(
            f'{{"v":1,"time":{number}.5,"kind":"step","step":{number},{fields}\n'
            for number in range(1, steps + 1)
        )

    began = time.perf_counter()
    status = read_status(run)
    print("first status", f"{time.perf_counter() - began:.2f} s")
    assert (status.step, status.total_steps) == (steps, steps)
    again = median_microseconds(lambda _: read_status(run), 50)
    print("status again", f"{again:.0f} us")
    assert again < 5000

    tail, series = EventTail(run.events), Series()
    slices: list[float] = []
    began = time.perf_counter()
    while True:
        before = time.perf_counter()
        batch = tail.read()
        series.feed(batch)
        slices.append(time.perf_counter() - before)
        if not batch:
            break
    total = time.perf_counter() - began
    print("fed", f"{total:.1f} s in {len(slices)} slices")
    print("median slice", f"{sorted(slices)[len(slices) // 2] * 1e3:.1f} ms")
    x, y = series.curve("loss")
    assert len(x) == len(y) == steps
    assert sorted(slices)[len(slices) // 2] < 0.1
    assert total < 60

    tracemalloc.start()
    for _ in range(100):
        series.curve("loss")
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    table = series._training._table
    assert table.nbytes < 150e6
    print("memory of the curves", f"{table.nbytes / 1e6:.0f} MB")
