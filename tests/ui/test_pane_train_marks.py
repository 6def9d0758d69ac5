"""Runs marked in the train pane: curves together, side by side; gauges; the call when a run ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import SIZES, at_desk
from fake_nvml import FakeNvml
from written_runs import Runs

from workbench.machine import gauges as gauges_module
from workbench.machine.gauges import Gauges
from workbench.machine.sensors import GpuSensors
from workbench.ui import ending
from workbench.ui.panes.train import TrainPane
from workbench.ui.panes.train.gauges import GaugeLine
from workbench.ui.widgets.chart import Chart


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    made = Runs(tmp_path / "p")
    yield made
    made.let_go_of_all()


def finished(runs: Runs, name: str, loss: float) -> None:
    run = runs.add(name, steps=30, end={"state": "finished", "reason": ""})
    runs.write(run, ("evaluated", {"step": 30, "epoch": 3.0, "validation_loss": loss}))


@pytest.mark.parametrize("size", SIZES)
async def test_marked_runs_share_a_chart_and_are_compared(runs: Runs, size: tuple[int, int]) -> None:
    finished(runs, "20260101-000001-m-r4", 0.3)
    finished(runs, "20260101-000002-m-r8", 0.2)
    growing = runs.add("20260101-000003-m-r16", steps=9, held=True)
    async with at_desk(runs.folder, size) as desk:
        await desk.sees("● running")
        chart = desk.app.desk.query_one("#chart", Chart)
        assert not desk.keys["compare"]
        await desk.press("b")
        await desk.hears("two runs have to be marked")
        await desk.press("space", "down", "space", "down", "space")
        await desk.sees("─ ●", "o ✓", "x ✓")
        await desk.until(lambda: chart._title == "loss, training" and len(chart._curves) == 3)
        assert [curve.label for curve in chart._curves] == ["r16", "r8", "r4"]
        assert len({curve.colour for curve in chart._curves}) == 3
        runs.step(growing, range(10, 21))
        await desk.until(lambda: list(chart._curves[0].x)[-1:] == [20], "the run that goes on")
        await desk.press("h", "plus", "x")
        assert chart._title == "loss, training ~5 by epoch" and chart._window is not None
        assert [curve.faint for curve in chart._curves] == [True, False] * 3
        await desk.press("m")
        assert chart._title == "loss, validation ~5 by epoch"
        await desk.until(lambda: [len(curve.x) for curve in chart._curves] == [0, 1, 1])
        await desk.press("b")
        await desk.sees("Compared by validation loss", "nobody knows on which validation rows", "0.2 @30")
        (best,) = [line for line in desk.text.splitlines() if line.startswith(">")]
        assert "1 o" in best and "0.2 @30" in best
        assert list(desk.keys) == ["sort", "open", "back"]
        await desk.press("m")
        await desk.sees("Compared by loss ", "0.05 @20")
        await desk.press("s")
        await desk.hears("esc shows the runs again")
        await desk.press("down", "down", "enter")
        pane = desk.app.desk.query_one(TrainPane)
        await desk.until(lambda: pane.feed and pane.feed.run == growing, "the third by loss")
        await desk.press("escape")
        await desk.until(lambda: chart._title.startswith("loss by") and not pane.marked)
        await desk.press("escape")
        await desk.hears("no run is marked")


async def test_what_cannot_be_compared_is_said(runs: Runs) -> None:
    for number in (1, 2):
        finished(runs, f"20260101-00000{number}-x", number)
    async with at_desk(runs.folder) as desk:
        await desk.press("4")
        await desk.sees("000002-x")
        await desk.press("space", "down", "space")
        pane = desk.app.desk.query_one(TrainPane)
        pane.listed[0][0].spec.write_text("{")
        await desk.press("b")
        await desk.sees("✗", "spec.json")
        await desk.press("m")
        await desk.hears("these runs could not be read")


async def test_a_marked_run_may_go_away(runs: Runs) -> None:
    for number in (1, 2, 3):
        finished(runs, f"20260101-00000{number}-x", number)
    async with at_desk(runs.folder) as desk:
        await desk.press("4")
        await desk.sees("000003-x")
        await desk.press("space", "down", "space")
        pane = desk.app.desk.query_one(TrainPane)
        run, _ = pane.listed[0]
        run.spec.unlink()
        pane._list()
        await desk.until(lambda: len(pane.listed) == 2 and len(pane.marked) == 1)
        assert not pane.overlaying and not desk.keys["compare"]


@pytest.mark.parametrize("size", SIZES)
async def test_the_run_in_view_is_measured(
    runs: Runs, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gauges_module, "Gauges", lambda: Gauges(GpuSensors(FakeNvml(3))))
    run = runs.add("20260101-000001-a", steps=3, held=True)
    async with at_desk(runs.folder, size) as desk:
        await desk.sees("● running", "3 GPUs" if size[0] < 110 else "GPU 0  87%")
        line = desk.app.desk.query_one(GaugeLine)
        with monkeypatch.context() as patched:
            asked: list[int] = []
            patched.setattr(line, "_read", lambda run, width: asked.append(width))
            line.look()
            assert len(asked) == 1
            await desk.press("1")
            line.look()
            assert len(asked) == 1, "nobody sees it there"
            await desk.press("4")
        runs.let_go(run)
        line.look()
        await desk.until(lambda: not line.display, "no line for a run that is over")


async def test_the_end_of_a_run_is_said_in_any_pane(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    runs.add("20260101-000001-before", steps=5, end={"state": "finished", "reason": ""})
    run = runs.add("20260101-000002-a", steps=5, held=True)
    async with at_desk(runs.folder) as desk:
        written: list[str] = []
        assert desk.app._driver is not None
        monkeypatch.setattr(desk.app._driver, "write", written.append)
        await desk.sees("● running")
        await desk.press("1")
        desk.app.look_at_runs()
        runs.write(run, ("ended", {"state": "failed", "step": 5, "reason": "out of memory", "seconds": 1.0}))
        runs.let_go(run)
        for _ in range(2):
            desk.app.look_at_runs()
        said = "20260101-000002-a failed after step 5/50: out of memory"
        await desk.hears(said)
        assert [notice for notice in desk.notices if "000001" in notice] == []
        await desk.until(lambda: [text for text in written if "\x1b]9;" in text] == [ending.call(said)])
