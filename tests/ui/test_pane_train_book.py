"""The train pane on a run that was imported: verdict, findings, table of metrics, journal."""

from pathlib import Path

import pytest
from desk import SIZES, at_desk, make_project

from workbench.runs.imports.importing import import_run
from workbench.runs.notes import read_notes
from workbench.ui.panes.train import TrainPane


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one run from elsewhere, overfitting since step 12."""
    rows = (f"{s},{2 / s + 1},{1 + 0.02 * abs(s - 12) if s % 4 == 0 else ''}\n" for s in range(1, 41))
    (tmp_path / "table.csv").write_text("step,loss,val_loss\n" + "".join(rows))
    project = make_project(tmp_path / "p")
    import_run(project, tmp_path / "table.csv")
    return project


@pytest.mark.parametrize("size", SIZES)
async def test_the_verdict_stands_under_the_figures(folder: Path, size: tuple[int, int]) -> None:
    async with at_desk(folder, size) as desk:
        await desk.press("4")
        await desk.sees("⇣ imported", "step 40/40", "⇒ overfitting since step 12")
        assert not desk.keys["resume"] and not desk.keys["stop"]
        await desk.press("r")
        await desk.hears("imported: it has no checkpoint to go on from")
        await desk.press("v")
        await desk.sees("Verdict on", "[minimum of")
        await desk.press("escape", "d")
        await desk.sees("validation_loss", "50%", "1.21393")
        await desk.press("escape")


async def test_notes_are_added_and_kept(folder: Path) -> None:
    async with at_desk(folder) as desk:
        await desk.press("4")
        await desk.sees("⇒ overfitting")
        feed = desk.app.desk.query_one(TrainPane).feed
        assert feed is not None
        await desk.press("n")
        await desk.sees("Journal of", "nothing yet")
        await desk.type("more")
        await desk.press("enter")
        await desk.hears("added to notes.md")
        assert read_notes(feed.run) == "more\n"
        await desk.press("n")
        await desk.sees("Journal of", "more")
        await desk.press("escape")
        assert read_notes(feed.run) == "more\n"


async def test_without_a_run_the_keys_say_so(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("4")
        for key in ("v", "d", "n"):
            await desk.press(key)
        await desk.until(lambda: desk.notices.count("there is no run yet") == 3)
