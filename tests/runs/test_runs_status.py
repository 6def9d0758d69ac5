"""A shown state is true."""

import math
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.runs import status as module
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.lock import hold
from workbench.runs.status import State, best_step, last_word, read_status


def write(run: Run, *events: tuple[str, dict[str, object]]) -> None:
    writer = EventWriter(run.events)
    for kind, fields in events:
        writer.write(kind, **fields)
    writer.close()


PREPARING = ("preparing", {"phase": "loading", "done": 0, "total": 0})
STARTED = ("started", {"attempt": 1, "resumed_from": None, "total_steps": 10})


def step(number: int, **fields: object) -> tuple[str, dict[str, object]]:
    return "step", {"step": number, "loss": 2.0, **fields}


def evaluated(number: int, loss: float) -> tuple[str, dict[str, object]]:
    return "evaluated", {"step": number, "validation_loss": loss}


def ended(state: str, reason: str = "") -> tuple[str, dict[str, object]]:
    return "ended", {"state": state, "step": None, "reason": reason}


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], State.NEW),
        ([PREPARING], State.KILLED),
        ([PREPARING, STARTED, step(1)], State.KILLED),
        ([STARTED, step(1), ended("finished")], State.FINISHED),
        ([STARTED, step(1), ended("stopped")], State.STOPPED),
        ([STARTED, ended("failed", "why")], State.FAILED),
        ([STARTED, ended("no such state")], State.FAILED),
        ([STARTED, ended("stopped"), PREPARING], State.KILLED),
        ([STARTED, ended("failed"), STARTED, step(1)], State.KILLED),
        ([STARTED, ended("stopped"), ("warning", {"message": "late"})], State.STOPPED),
    ],
)
def test_without_the_lock_the_log_has_the_last_word(
    run: Run, events: list[tuple[str, dict[str, object]]], state: State
) -> None:
    write(run, *events)
    assert read_status(run).state is state
    held = hold(run)
    assert read_status(run).state is State.RUNNING
    assert last_word(run).state is state
    os.close(held)
    assert read_status(run).state is state


def test_the_figures_of_a_run(run: Run) -> None:
    held = hold(run)
    write(run, PREPARING)
    assert read_status(run).phase == "loading"
    write(run, STARTED, *(step(n, loss=1 / n) for n in range(1, 5)))
    evaluations = [(2, 1.0), (3, 0.5), (4, 0.5), (4, math.nan)]
    write(run, *(("evaluated", {"step": n, "validation_loss": loss}) for n, loss in evaluations))
    status = read_status(run)
    assert (status.phase, status.step, status.total_steps, status.attempt) == ("", 4, 10, 1)
    assert (status.loss, status.best_step, best_step(run)) == (0.25, 3, 3)
    assert status.validation_loss is not None and math.isnan(status.validation_loss)
    os.close(held)
    assert read_status(run).eta_seconds is None


def test_the_time_left_is_that_of_this_attempt_without_its_first_step(run: Run) -> None:
    held = hold(run)
    lines = [
        '{"v":1,"time":0,"kind":"step","step":1}',
        '{"v":1,"time":1000,"kind":"started","total_steps":10,"resumed_from":4}',
    ]
    lines += [f'{{"v":1,"time":{2000 + 3 * n},"kind":"step","step":{n}}}' for n in (5, 6, 7)]
    run.events.write_text("\n".join(lines[:3]) + "\n")
    assert read_status(run).eta_seconds is None
    run.events.write_text("\n".join(lines) + "\n")
    assert read_status(run).eta_seconds == pytest.approx(9.0)
    os.close(held)


def test_a_resumed_run_stands_where_it_goes_on(run: Run) -> None:
    write(run, STARTED, step(9), ("started", {"attempt": 2, "resumed_from": 4, "total_steps": 10}))
    status = read_status(run)
    assert (status.step, status.attempt) == (4, 2)


def test_a_log_that_was_replaced_is_read_anew(run: Run) -> None:
    write(run, STARTED, step(5), ended("finished"))
    assert read_status(run).state is State.FINISHED
    run.events.unlink()
    assert read_status(run).state is State.NEW
    write(run, STARTED, step(1))
    status = read_status(run)
    assert (status.state, status.step) == (State.KILLED, 1)


KINDS = st.sampled_from(
    [
        PREPARING,
        STARTED,
        ended("stopped"),
        ended("finished"),
        step(1),
        step(2),
        step(3),
        ("evaluated", {"step": 2, "validation_loss": 1.5}),
        ("warning", {"message": '"kind":"ended"'}),
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=st.lists(KINDS, max_size=25), piece=st.integers(1, 400))
def test_reading_in_pieces_gives_what_reading_at_once_gives(
    tmp_path: Path, log: list[tuple[str, dict[str, object]]], piece: int
) -> None:
    whole, growing = Run(tmp_path / "whole"), Run(tmp_path / "growing")
    for run in (whole, growing):
        run.folder.mkdir(exist_ok=True)
        run.events.unlink(missing_ok=True)
    module._digest_of.cache_clear()
    write(whole, *log)
    content = whole.events.read_bytes()
    for start in range(0, len(content), piece):
        with growing.events.open("ab") as file:
            file.write(content[start : start + piece])
        read_status(growing)
    growing.events.touch()
    # Each event parsed, one by one: what the digest must come to although it passes over most steps
    assert read_status(growing) == read_status(whole)
    steps = [fields["step"] for kind, fields in log if kind == "step"]
    starts = [index for index, (kind, _) in enumerate(log) if kind == "started"]
    if steps and not any(
        index > max(i for i, (kind, _) in enumerate(log) if kind == "step") for index in starts
    ):
        assert read_status(whole).step == steps[-1]


def test_a_best_validation_that_a_resume_went_behind_does_not_count(run: Run) -> None:
    write(run, STARTED, evaluated(2, 1.0), evaluated(4, 0.5))
    assert best_step(run) == 4
    write(run, ("started", {"attempt": 2, "resumed_from": 2, "total_steps": 10}))
    status = read_status(run)
    assert (status.best_step, status.validation_loss) == (2, 1.0)
    write(run, evaluated(4, 1.5), evaluated(6, 1.0))
    status = read_status(run)
    assert (status.best_step, status.validation_loss) == (2, 1.0)
    write(run, evaluated(8, 0.9), evaluated(10, math.nan))
    assert best_step(run) == 8 and math.isnan(read_status(run).validation_loss or 0.0)
    write(run, ("started", {"attempt": 3, "resumed_from": None, "total_steps": 10}))
    assert best_step(run) is None
