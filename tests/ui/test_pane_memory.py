"""Memory on screen: the bar of the setup pane, and the card of a run that ran out of it."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest
from desk import SIZES, Desk, at_desk, make_project
from test_pane_train import FAKE_TRAINER, Runs

from workbench.machine import capacity as box
from workbench.runs import launch
from workbench.runs.folder import Run, list_runs, read_spec
from workbench.runs.forecast.capacity import Capacity
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.memory_bar import LETTERS, MemoryBar, stacked
from workbench.ui.widgets.oom_card import OomCardView

MIB = 2**20


@pytest.fixture(autouse=True)
def known_box(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(box, "capacity", lambda: Capacity("host", "host", 2**35, 4 * 2**30))


@pytest.mark.parametrize("width", [10, 37, 80, 199])
@pytest.mark.parametrize("room", [1, 50, 10_000])
def test_a_bar_is_as_wide_as_asked_and_shows_every_part(width: int, room: int) -> None:
    parts = {"weights": 50, "adapter": 2, "activations": 30, "logits": 0, "overhead": 20}
    line = stacked(parts, room, width)
    assert line.cell_len == width
    assert ("|" in line.plain) == (room < 102)
    if room < 102 and width >= 37:
        assert set(line.plain) - set("·|") == {LETTERS[name][0] for name in parts if parts[name]}


def bar(desk: Desk) -> str:
    return str(desk.app.desk.query_one(MemoryBar).render())


@pytest.mark.parametrize("size", SIZES)
async def test_the_form_shows_the_memory_of_its_values(tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_desk(make_project(tmp_path / "p"), size) as desk:
        await desk.press("3")
        await desk.sees("memory", "4.0 GiB free: fits")
        lines = [line for line in desk.text.splitlines() if "hhhh" in line]
        assert len(lines) == 1, "one stacked line"
        before = bar(desk)
        form = desk.app.desk.query_one(Form)
        form._set("training.method", "full")
        await desk.until(lambda: bar(desk) != before)
        assert "memory" in bar(desk)


async def test_without_a_base_model_the_bar_says_why(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    (folder / "project.toml").write_text(
        (folder / "project.toml").read_text() + '[model]\nbase = "nobody/nothing"\n'
    )
    async with at_desk(folder, (120, 30)) as desk:
        await desk.press("3")
        await desk.sees("memory:", "no base model 'nobody/nothing'")


OOM = {
    "step": 0,
    "micro_batch": 8,
    "accumulation": 1,
    "tokens": 4000,
    "peak_bytes": 700 * MIB,
    "capacity_bytes": 760 * MIB,
    "answer": "none",
}


def out_of_memory(runs: Runs, name: str = "20200101-000000-lora-r8") -> Run:
    run = runs.add(name)
    runs.write(
        run, ("started", {"attempt": 1, "device": "CPU, 2 threads", "precision": "fp32"}), ("oom", OOM)
    )
    runs.write(run, ("ended", {"state": "failed", "step": 0, "reason": "out of memory"}))
    return run


@pytest.mark.parametrize("size", SIZES)
async def test_the_card_shows_what_helps_and_one_key_starts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    runs = Runs(tmp_path / "p")
    failed = out_of_memory(runs)
    monkeypatch.setattr(launch, "start", partial(launch.start, argv=_argv))
    async with at_desk(runs.folder, size) as desk:
        await desk.press("4")
        await desk.sees("out of memory with 8 examples at a time, 4,000 tokens", "micro-batch 4")
        await desk.press("f")
        await desk.sees("Start this run anew, with less memory?", "per_device_train_batch_size")
        await desk.press("n")
        assert list_runs(runs.folder) == [failed]
        await desk.press("f", "y")
        await desk.until(lambda: len(list_runs(runs.folder)) == 2, "the changed run")
        changed = next(run for run in list_runs(runs.folder) if run != failed)
        training = read_spec(changed).project.training
        assert training.per_device_train_batch_size < 8
        assert training.per_device_train_batch_size * training.gradient_accumulation_steps >= 8
        await desk.until(lambda: desk.app.desk.query_one(OomCardView).card is None, "no card for the new one")


async def test_other_runs_have_no_card_and_the_key_says_why(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "p")
    runs.add("r1", steps=3, end={"state": "failed", "reason": "something else"})
    async with at_desk(runs.folder) as desk:
        await desk.press("4")
        await desk.sees("something else")
        await desk.press("f")
        await desk.hears("did not end for want of memory")
        assert not desk.app.desk.query_one(OomCardView).display


def _argv(run: Run) -> list[str]:
    return [sys.executable, str(FAKE_TRAINER), str(run.folder), json.dumps({"steps": 1})]
