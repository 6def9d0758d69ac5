"""Make the pictures of this folder from the real app, on the sample project, with a real run.

Run it with `python screenshots/make.py`. The project is copied first, so that nothing of this stays behind.
Takes about two minutes on two cores.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from svg_widths import mend
from textual.pilot import Pilot

from workbench.runs.folder import list_runs
from workbench.runs.status import State, read_status
from workbench.ui.app import WorkbenchApp

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "projects" / "tea-house"
WIDE, NARROW = (120, 36), (80, 24)
PATIENCE_SECONDS = 300


async def main() -> None:
    """All panes while a run goes on, then the chat with the tuned model."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / SAMPLE.name
        shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns("runs", "chats"))
        await _shoot(project, WIDE, "")
        await _shoot(project, NARROW, "-80x24")


async def _shoot(project: Path, size: tuple[int, int], suffix: str) -> None:
    app = WorkbenchApp(project)
    async with app.run_test(size=size) as pilot:

        async def until(condition: Callable[[], bool]) -> None:
            await _until(pilot, condition)

        def picture(name: str) -> None:
            (HERE / f"{name}{suffix}.svg").write_text(
                mend(app.export_screenshot(title="workbench")), encoding="utf-8"
            )

        await until(lambda: app.place in ("data", "train"))
        await pilot.press("1")
        await until(lambda: "kept" in _text(app))
        await pilot.press("down", "down", "down")
        await pilot.pause()
        picture("data")
        await pilot.press("t")
        await until(lambda: "longest rows" in _text(app))
        picture("statistics")
        await pilot.press("h")
        await until(lambda: "leak-near" in _text(app))
        picture("checks")
        await pilot.press("r", "up", "2")
        await until(lambda: "trained" in _text(app))
        await pilot.press("m")
        await pilot.pause()
        picture("prompt")
        await pilot.press("m", "m", "m", "v")
        await until(lambda: "headings" in _text(app))
        picture("variants")
        await pilot.press("v")
        await pilot.press("3")
        await until(lambda: "held out" in _text(app))
        picture("setup")
        await pilot.press("4")
        if not list_runs(project):
            await pilot.press("t", "y")
            await until(lambda: bool(list_runs(project)) and read_status(list_runs(project)[0]).step > 50)
        await until(lambda: "loss" in _text(app))
        await pilot.pause(1.5)
        picture("train")
        await until(lambda: read_status(list_runs(project)[0]).state is not State.RUNNING)
        await pilot.press("6", "escape", "m", "down", "enter", "i", *"Who are you?", "enter")
        await until(lambda: "tokens/s" in _text(app))
        picture("chat")
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        picture("help")


def _text(app: WorkbenchApp) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def _until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(PATIENCE_SECONDS * 10):
        if condition():
            return
        await pilot.pause(0.1)
    sys.exit("a picture never came:\n" + _text(pilot.app))  # type: ignore[arg-type]


if __name__ == "__main__":
    asyncio.run(main())
