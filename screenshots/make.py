"""Make the pictures of this folder from the real app, on the projects that come along, with real runs.

Run it with `python screenshots/make.py [PROJECT]...`, without names for all projects. Each is copied first:
nothing of this stays behind. A picture is made wide and dark, on 80x24, and some of them wide and light.
Two trainings on the small base model: some minutes on two cores.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from svg_widths import mend
from textual.pilot import Pilot

from workbench.evaluation.jobs import list_evaluations
from workbench.evaluation.status import read_status as evaluation_status
from workbench.project.store import open_project
from workbench.runs.folder import list_runs
from workbench.runs.status import State, read_status
from workbench.ui.app import WorkbenchApp
from workbench.ui.theme import DARK, LIGHT

HERE = Path(__file__).parent
PROJECTS = HERE.parent / "projects"
WIDE, NARROW = (160, 45), (80, 24)
SMALL = "tiny"
"""The profile that runs on the small base model; the tea house needs none."""
PATIENCE_SECONDS = 600
SETTLED_SECONDS = 1.2
"""A chart is drawn once a second at most."""


class Session:
    """The app on one project, and what is done there for the pictures."""

    def __init__(self, app: WorkbenchApp, pilot: Pilot[None], project: Path) -> None:
        self.app, self.pilot, self.project = app, pilot, project
        self.press = pilot.press

    @property
    def text(self) -> str:
        """The screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def sees(self, *parts: str) -> None:
        """Until all of this is on the screen."""
        await self.until(lambda: all(part in self.text for part in parts), " and ".join(parts))

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Until it holds; ends the script when it never does."""
        for _ in range(PATIENCE_SECONDS * 10):
            if condition():
                return
            await self.pilot.pause(0.1)
        sys.exit(f"{self.project.name}: {what} never came:\n{self.text}")

    async def picture(self, name: str, *, light: bool = False) -> None:
        """The screen as it is now: wide, narrow, and wide in light colours where asked for."""
        for suffix, size, theme in (("", WIDE, DARK), ("-80x24", NARROW, DARK), ("-light", WIDE, LIGHT)):
            if suffix == "-light" and not light:
                continue
            if self.app.theme != theme:
                await self.app.action_do("theme")
            await self.pilot.resize_terminal(*size)
            await self.pilot.pause(SETTLED_SECONDS)
            svg = mend(self.app.export_screenshot(title="workbench"))
            (HERE / f"{name}{suffix}.svg").write_text(svg, encoding="utf-8")
        if self.app.theme != DARK:
            await self.app.action_do("theme")
        await self.pilot.resize_terminal(*WIDE)
        await self.pilot.pause()

    async def train(self) -> None:
        """Start a run and wait until most of it is done, or all of it where that is quick."""
        await self.press("4")
        await self.sees("No run yet")
        await self.press("t")
        await self.sees("Start a run")
        await self.press("y")
        await self.until(lambda: bool(list_runs(self.project)), "a run")

        def nearly_over() -> bool:
            status = read_status(list_runs(self.project)[0])
            return bool(status.total_steps) and status.step >= 0.85 * (status.total_steps or 0)

        await self.until(nearly_over, "most of the run")

    async def finish(self) -> None:
        """Until the run is over."""
        await self.until(
            lambda: read_status(list_runs(self.project)[0]).state is State.FINISHED, "the end of the run"
        )
        await self.sees("finished")


async def tea_house(session: Session) -> None:
    """Help and a card of the tour."""
    await session.press("question_mark")
    await session.picture("help")
    await session.press("escape", "T")
    await session.picture("tour")


async def thai_wiki_qa(session: Session) -> None:
    """Rows, and what cleaning does to them."""
    await session.press("down", "down", "down")
    await session.picture("data", light=True)
    await session.press("c", "n")
    await session.picture("cleaning")


async def vietnamese_customer_chat(session: Session) -> None:
    """A prompt of context, topic and chat; the checks."""
    await session.press("2")
    await session.sees("trained")
    await session.press("m")
    await session.picture("prompt", light=True)
    await session.press("1", "h")
    await session.until(lambda: session.app.workspace.surveyed is not None, "the survey")
    await session.picture("checks")


async def emotion_dialogue(session: Session) -> None:
    """Templates side by side, lengths in tokens."""
    await session.press("2")
    await session.sees("trained")
    await session.press("v")
    await session.picture("variants")
    await session.press("v", "1", "t")
    await session.until(lambda: session.app.workspace.surveyed is not None, "the survey")
    await session.picture("statistics")


async def fika_assistant(session: Session) -> None:
    """The form with its forecast; the trained model and the base model side by side in the chat."""
    await session.press("3")
    await session.sees("held out")
    await session.picture("setup")
    await session.train()
    await session.finish()
    await session.press("6", "escape", "m", "down", "enter", "a")
    await session.pilot.pause(SETTLED_SECONDS)
    await session.press("enter", "i", *"Who are you?", "enter")
    await session.until(lambda: session.text.count("tokens/s") > 1, "two answers")
    await session.picture("chat")


async def classical_chinese(session: Session) -> None:
    """A run with its curves and its verdict; what it is worth."""
    await session.train()
    await session.picture("train", light=True)
    await session.finish()
    await session.press("5", "t")
    await session.sees("hold models against each other", "perplexity (")
    await session.press("enter")
    await session.until(
        lambda: any(
            evaluation_status(each.evaluation).state is State.FINISHED
            for each in list_evaluations(session.project)
        ),
        "the end of the evaluation",
    )
    await session.sees("finished")
    await session.picture("evaluate")


SCENES: dict[str, Callable[[Session], Awaitable[None]]] = {
    "tea-house": tea_house,
    "thai-wiki-qa": thai_wiki_qa,
    "vietnamese-customer-chat": vietnamese_customer_chat,
    "emotion-dialogue": emotion_dialogue,
    "fika-assistant": fika_assistant,
    "classical-chinese": classical_chinese,
}


async def main(names: list[str]) -> None:
    """Every project's scenes; the start without one."""
    missing = [name for name in names if not (PROJECTS / name / "project.toml").is_file()]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder  # neither the theme nor the measurements of who runs this
        root = Path(folder) / "projects"
        app = WorkbenchApp(root)
        async with app.run_test(size=WIDE) as pilot:
            session = Session(app, pilot, root)
            await session.sees("There is no project")
            await session.picture("welcome")
        for name in names:
            if name not in missing:
                await _shoot(name, root / name)
    if missing:
        sys.exit(f"no pictures of projects that are missing: {', '.join(missing)}")


async def _shoot(name: str, project: Path) -> None:
    left_out = shutil.ignore_patterns("runs", "chats", "queue")
    shutil.copytree(PROJECTS / name, project, ignore=left_out)
    profile = SMALL if SMALL in open_project(project).settings.profile else None
    app = WorkbenchApp(project, profile)
    async with app.run_test(size=WIDE) as pilot:
        session = Session(app, pilot, project)
        await session.sees("kept")
        await SCENES[name](session)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or list(SCENES)))
