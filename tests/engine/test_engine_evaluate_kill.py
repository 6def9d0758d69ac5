"""The process of an evaluation: killed in the middle, it goes on, and nothing is counted twice."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from workbench.evaluation import jobs
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.ladder import Ladder
from workbench.evaluation.planning import make_plan
from workbench.evaluation.records import Answer, Score, read_records
from workbench.evaluation.status import read_status
from workbench.project.store import open_project
from workbench.runs import lock
from workbench.runs.status import State

SECONDS = 240.0


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill(evaluation: Evaluation) -> None:
    pid = lock.holder_pid(evaluation)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait(lambda: not lock.is_held(evaluation))


def test_a_killed_evaluator_goes_on_where_it_was(make_project: Callable[..., Path]) -> None:
    folder = make_project()
    settings = {
        "evaluation.rows": "train",
        "evaluation.decoding.max_new_tokens": 60,
        "evaluation.decoding.min_new_tokens": 59,
        "evaluation.decoding.repetition_penalty": 1.1,
    }
    project = open_project(folder, None, settings)
    evaluation = jobs.start(project, make_plan(project, device="cpu"))
    place = evaluation.contestant(0)
    wait(lambda: read_status(evaluation).phase == "answers")
    kill(evaluation)
    assert read_status(evaluation).state is State.KILLED
    before = list(read_records(place.scores, Score))
    assert before and not Ladder(evaluation).read().standings[0].finished
    jobs.resume(evaluation)
    wait(lambda: not read_status(evaluation).going)
    status = read_status(evaluation)
    assert (status.state, status.reason) == (State.FINISHED, ""), evaluation.console.read_text()
    scores, answers = list(read_records(place.scores, Score)), list(read_records(place.answers, Answer))
    assert scores[: len(before)] == before
    for lines in (scores, answers):
        assert len({line.key for line in lines}) == len(lines) == status.total // 2
    assert Ladder(evaluation).read().standings[0].finished
