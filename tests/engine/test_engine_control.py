"""Commands to a training that goes on: carried out between two steps, and no step is another for it."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import torch
from trainings import column, events, go, new_run

from workbench.chat.protocol import Target
from workbench.data.example import Message
from workbench.engine.chat_model import load_encoder, load_model
from workbench.engine.commands import Commands
from workbench.engine.generate import Session
from workbench.engine.train import Ending
from workbench.project.schema import ChatSettings
from workbench.runs import control
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.lock import hold
from workbench.runs.status import State, read_status

MakeProject = Callable[..., Path]
SAME = ("step", "loss", "grad_norm", "learning_rate", "elapsed_tokens", "elapsed_examples")


class Asked(Commands):
    """Somebody sends commands when so many steps are logged."""

    def __init__(self, run: Run, at: dict[int, list[tuple[str, dict[str, Any]]]]) -> None:
        super().__init__(run, EventWriter(run.events))
        self._at = at

    def poll(self) -> None:
        done = len(events(self._run, "step"))
        for step in [step for step in self._at if step <= done]:
            for name, arguments in self._at.pop(step):
                control._write(self._run, name, arguments)
        super().poll()


def brief(folder: Path) -> Path:
    """Answers of eight tokens at most."""
    with (folder / "project.toml").open("a") as file:
        file.write("[chat]\nmax_new_tokens = 8\n")
    return folder


def commands(run: Run) -> list[tuple[str, bool]]:
    return [(event["name"], event["acknowledged"]) for event in events(run, "command")]


def test_asking_for_things_changes_no_step(make_project: MakeProject) -> None:
    common: dict[str, Any] = {"max_steps": 8, "dropout": 0.2, "learning_rate": 1e-3}
    folder = brief(make_project(**common, data={"validation": 4}))
    whole, run = new_run(folder), new_run(folder)
    go(whole)
    at = {2: [("sample", {})], 4: [("validate", {}), ("dance", {}), ("logging", {"steps": 0})]}
    assert go(run, Asked(run, at)) == Ending("finished", 8)
    for name in SAME:
        assert column(run, name) == column(whole, name), name
    assert commands(run) == [("sample", True), ("validate", True), ("dance", False), ("logging", False)]
    assert "training knows stop" in events(run, "command")[2]["reason"]
    assert column(run, "step", "evaluated") == [5, 8] and column(whole, "step", "evaluated") == [8]
    samples = events(run, "sample")
    assert len(samples) == 3 and {event["step"] for event in samples} == {3}
    assert all(event["prompt"].endswith("<|im_start|>assistant\n") for event in samples)
    assert all(event["tokens"] > 0 and isinstance(event["stopped"], bool) for event in samples)


def test_a_sample_is_what_the_chat_answers_with_the_checkpoint(
    make_project: MakeProject, tiny_base: Path
) -> None:
    folder = brief(make_project(max_steps=4, data={"validation": 0}, save_steps=3))
    run = new_run(folder)
    go(run, Asked(run, {2: [("sample", {})]}))
    sample = events(run, "sample")[0]
    weights = run.checkpoints / "step-3"
    source = json.loads((tiny_base / "tokenizer_config.json").read_text())["chat_template"]
    target = Target("checkpoint", "step 3", str(tiny_base), folder, "base", source, weights=weights)
    session = Session(load_model(target, tiny_base), load_encoder(target, tiny_base))
    pieces: list[str] = []
    asked = sample["prompt"].partition("user\n")[2].partition("<|im_end|>")[0]
    settings = ChatSettings(temperature=0.0, max_new_tokens=8)
    answer = session.answer([Message("user", asked)], settings, pieces.append, Event())
    assert ("".join(pieces), len(answer.ids)) == (sample["answer"], sample["tokens"])


def test_without_validation_rows_a_validation_is_refused(make_project: MakeProject) -> None:
    run = new_run(make_project(max_steps=3, data={"validation": 0}))
    go(run, Asked(run, {1: [("validate", {}), ("continue", {})]}))
    told = events(run, "command")
    assert [event["reason"] for event in told] == [
        "this run has no validation rows",
        "this run is not paused",
    ]
    assert events(run, "evaluated") == []


def test_the_distance_of_points_changes_from_then_on(make_project: MakeProject) -> None:
    run = new_run(make_project(max_steps=9, data={"validation": 0}))
    go(run, Asked(run, {2: [("logging", {"steps": 4})]}))
    assert column(run, "step") == [1, 2, 4, 8, 9]
    assert column(run, "elapsed_examples")[-1] == 9 * 4


def waits(run: Run, count: int, kind: str = "paused") -> None:
    from time import monotonic, sleep

    end = monotonic() + 60
    while len(events(run, kind)) < count:
        assert monotonic() < end, f"no {kind}"
        sleep(0.02)


def test_a_paused_run_answers_and_goes_on_as_if_nothing_had_been(make_project: MakeProject) -> None:
    folder = brief(make_project(max_steps=6, dropout=0.2, data={"validation": 4}))
    whole, run = new_run(folder), new_run(folder)
    go(whole)
    held = hold(run)
    seen: list[State] = []

    def somebody() -> None:
        try:
            waits(run, 1)
            seen.append(read_status(run).state)
            control.send(run, "sample")
            waits(run, 3, "sample")
            control.send(run, "validate")
            waits(run, 1, "evaluated")
            control.send(run, "checkpoint")
            waits(run, 1, "checkpoint")
            seen.append(read_status(run).state)
        finally:
            control._write(run, "continue")

    viewer = Thread(target=somebody)
    viewer.start()
    assert go(run, Asked(run, {2: [("pause", {})]})) == Ending("finished", 6)
    viewer.join()
    assert held and seen == [State.PAUSED, State.PAUSED]
    for name in SAME:
        assert column(run, name) == column(whole, name), name
    assert column(run, "step", "evaluated") == [3, 6]
    (wait,) = events(run, "continued")
    assert wait["step"] == 3 and wait["seconds"] > 0
    steps = events(run, "step")
    around = steps[3]["time"] - steps[2]["time"]
    assert steps[3]["seconds"] - steps[2]["seconds"] < around - 0.9 * wait["seconds"]


def test_a_paused_run_can_be_stopped(make_project: MakeProject) -> None:
    run = new_run(make_project(max_steps=6, data={"validation": 0}))
    held = hold(run)

    def somebody() -> None:
        waits(run, 1)
        control.send(run, "stop")

    viewer = Thread(target=somebody)
    viewer.start()
    assert go(run, Asked(run, {1: [("pause", {}), ("pause", {})]})) == Ending("stopped", 2)
    viewer.join()
    assert held and commands(run) == [("pause", True), ("pause", False), ("stop", True)]
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [2]
    assert [event["kind"] for event in events(run, "paused", "continued", "checkpoint")] == [
        "paused",
        "continued",
        "checkpoint",
    ]
    torch.manual_seed(1)
    assert go(run) == Ending("finished", 6)


def test_a_text_without_a_template_is_gone_on_with(make_project: MakeProject) -> None:
    folder = make_project(max_steps=2, data={"validation": 0})
    (folder / "book.txt").write_text("oslo is the capital of norway and paris of france\n" * 5)
    settings = (folder / "project.toml").read_text().partition("[[data.source]]")[0]
    (folder / "project.toml").write_text(settings + '[[data.source]]\nkind = "text"\npath = "book.txt"\n')
    run = new_run(folder)
    go(run, Asked(run, {0: [("sample", {})]}))
    assert events(run, "sample") and events(run, "sample")[0]["prompt"].startswith("oslo is the capital")
