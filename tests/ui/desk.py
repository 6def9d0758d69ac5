"""The whole app on a folder, driven by keys, and what it shows as text."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from textual.pilot import Pilot
from widget_app import screen_lines

from workbench.ui.app import WorkbenchApp
from workbench.ui.frame import KeyBar

SIZES = [(80, 24), (200, 50), (60, 15)]
DEADLINE = 10.0

SETTINGS = """\
# what it is for
format = 1
name = "{name}"
[[data.source]]
kind = "fields"
path = "train.jsonl"      # the rows
user = ["{instruction}"]
[training]
rank = 8                  # small
max_steps = 3
[chat]
temperature = 0.0
"""


def rows_of(*pairs: tuple[str, str]) -> str:
    return "".join(json.dumps({"instruction": asked, "output": said}) + "\n" for asked, said in pairs)


def make_project(folder: Path, rows: str | None = None, settings: str = SETTINGS) -> Path:
    """A project of four rows on the base model that comes along."""
    folder.mkdir(parents=True)
    (folder / "project.toml").write_text(settings.replace("{name}", folder.name))
    (folder / "train.jsonl").write_text(
        rows_of(*((f"question {i}", f"answer {i}") for i in range(4))) if rows is None else rows
    )
    return folder


class Desk:
    """An app that runs, and what a person does with it."""

    def __init__(self, app: WorkbenchApp, pilot: Pilot[Any]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(screen_lines(self.app))

    def shows(self, part: str) -> bool:
        """Whether this is on the screen, wherever its lines are broken."""
        return "".join(part.split()) in "".join(self.text.split())

    @property
    def notices(self) -> list[str]:
        """What was said, oldest first."""
        return [notice.message for notice in self.app._notifications]

    @property
    def keys(self) -> dict[str, bool]:
        """Actions of the key bar, and whether they work."""
        return {action.name: works for action, works in self.app.desk.query_one(KeyBar).keys}

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.pilot.press(*text)

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Let the app work until the condition holds."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what or 'it'} never came:\n{self.text}\n{self.notices}")
            await self.pilot.pause(0.01)

    async def sees(self, *parts: str) -> None:
        """Wait until all of this is on the screen."""
        await self.until(lambda: all(map(self.shows, parts)), " and ".join(parts))

    async def hears(self, part: str) -> None:
        """Wait until this was said."""
        await self.until(lambda: any(part in notice for notice in self.notices), part)


@asynccontextmanager
async def quicker() -> AsyncIterator[None]:
    """Pilot looks after every key for 40 ms whether the app is idle; a tenth of that is enough."""
    with patch.multiple("textual._wait", SLEEP_GRANULARITY=0.004, SLEEP_IDLE=0.002):
        yield


@asynccontextmanager
async def at_desk(
    path: Path, size: tuple[int, int] = (80, 24), *, notifications: bool = False, tour: bool = False
) -> AsyncIterator[Desk]:
    """The app on a project or a folder of projects; notices are drawn when asked for."""
    app = WorkbenchApp(path, tour=tour)
    async with quicker(), app.run_test(size=size, notifications=notifications) as pilot:
        desk = Desk(app, pilot)
        await desk.until(lambda: app.place, "a pane")
        yield desk
