"""Taking a model out of the train pane: asked once, seen while it goes on, told at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from desk import SIZES, at_desk
from written_runs import Runs

from workbench.errors import fault
from workbench.exporting import run as run_module
from workbench.exporting.destination import MARKER
from workbench.exporting.figures import Figures, Proof
from workbench.exporting.request import ExportRequest
from workbench.exporting.run import Exported
from workbench.runs.checkpoints import publish

NAME = "20260101-000001-a"
FIGURES = Figures(
    way="original",
    perplexity=2.5,
    kl=1e-3,
    agreement=0.99,
    logit_difference=0.5,
    same_answers=3,
    answers=4,
)
PROOF = Proof(
    rows=4,
    side="validation",
    tokens=100,
    arithmetic="float32",
    dtype="bf16",
    perplexity=2.5,
    measured=(FIGURES,),
    recommended="original",
    written="original",
)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """One run, with two checkpoints that hold nothing."""
    made = Runs(tmp_path / "p")
    run = made.add(NAME, steps=6, end={"state": "finished", "reason": ""})
    for step in (3, 6):
        staged = run.checkpoints / f".staging-step-{step}"
        staged.mkdir()
        publish(staged, run.checkpoints / f"step-{step}")
    yield made
    made.let_go_of_all()


class Process:
    """Stands in for the process; says one thing, and waits until it is let go or cancelled."""

    def __init__(self) -> None:
        self.requests: list[ExportRequest] = []
        self.go_on = Event()

    def __call__(
        self, request: ExportRequest, tell: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> Exported:
        self.requests.append(request)
        tell("merging: original")
        while not self.go_on.wait(0.01):
            if cancelled():
                raise fault("the export was cancelled")
        return Exported(request, PROOF, ("beware",))


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    made = Process()
    monkeypatch.setattr(run_module, "run_export", made)
    yield made
    made.go_on.set()


@pytest.mark.parametrize("size", SIZES)
async def test_asked_seen_and_told(runs: Runs, process: Process, size: tuple[int, int]) -> None:
    async with at_desk(runs.folder, size) as desk:
        await desk.press("4")
        await desk.sees("finished")
        await desk.press("E")
        await desk.sees("Take a model out", "adapter")
        await desk.press("down", "down", "down")
        await desk.until(lambda: desk.app.screen.query_one("#export-to").value.endswith("step-3-merged"))  # type: ignore[attr-defined]
        await desk.press("enter")
        await desk.sees("Exporting: merging: original")
        (request,) = process.requests
        assert (request.step, request.kind, request.replace) == (3, "merged", False)
        assert request.to == runs.folder / "exports" / f"{NAME}-step-3-merged"
        assert "the export that is going on" in desk.app.losses()
        process.go_on.set()
        await desk.hears(f"exported to {request.to}")
        await desk.hears("perplexity 2.5000 (as trained 2.5000)")
        await desk.hears("! beware")
        await desk.until(lambda: not desk.shows("Exporting"), "the end of the line")
        assert desk.app.losses() == []


async def test_it_can_be_ended(runs: Runs, process: Process) -> None:
    async with at_desk(runs.folder) as desk:
        await desk.press("4")
        await desk.sees("finished")
        await desk.press("E")
        await desk.sees("Take a model out")
        await desk.press("enter")
        await desk.sees("Exporting: merging: original")
        await desk.press("E")
        await desk.sees("End the export that is going on?")
        await desk.press("y")
        await desk.hears("the export was ended: nothing is left of it")
        assert not desk.shows("Exporting") and len(process.requests) == 1


async def test_an_earlier_one_is_replaced_at_the_second_enter(runs: Runs, process: Process) -> None:
    (runs.folder / "earlier").mkdir()
    (runs.folder / "earlier" / MARKER).write_text("{}")
    async with at_desk(runs.folder) as desk:
        await desk.press("4")
        await desk.sees("finished")
        await desk.press("E")
        await desk.sees("Take a model out")
        await desk.press("ctrl+u")
        await desk.type(".")
        await desk.press("enter")
        await desk.sees("no export of ours")
        await desk.press("backspace")
        await desk.type("earlier")
        await desk.press("enter")
        await desk.sees("enter again replaces it")
        assert not process.requests
        await desk.press("enter")
        await desk.until(lambda: process.requests, "a request")
        assert process.requests[0].replace and process.requests[0].to == runs.folder / "earlier"


async def test_a_run_without_a_checkpoint_says_so(runs: Runs, process: Process) -> None:
    runs.add("20260101-000002-b", steps=1, end={"state": "finished", "reason": ""})
    async with at_desk(runs.folder) as desk:
        await desk.press("4")
        await desk.sees("finished")
        await desk.press("E")
        await desk.hears("no complete checkpoint")
        assert not process.requests


async def test_no_run_no_export(tmp_path: Path, process: Process) -> None:
    empty: Any = Runs(tmp_path / "p")
    async with at_desk(empty.folder) as desk:
        await desk.press("4", "E")
        await desk.hears("there is no run yet")
