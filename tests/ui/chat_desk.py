"""The chat pane at a desk: what is said to it, and what the stand-in for the engine was asked."""

import json
from pathlib import Path
from typing import Any

from desk import Desk

from workbench.project.store import open_project
from workbench.runs.checkpoints import publish
from workbench.runs.folder import Run, create_run
from workbench.ui.panes.chat import ChatPane


def requests(log: Path, op: str) -> list[dict[str, Any]]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [request for request in map(json.loads, lines) if request["op"] == op]


def columns(log: Path) -> list[dict[str, Any]]:
    return [column for request in requests(log, "generate") for column in request["columns"]]


def pane(desk: Desk) -> ChatPane:
    return desk.app.desk.query_one(ChatPane)


def last_answer(desk: Desk) -> str:
    answer = pane(desk).conversation.last_answer(pane(desk).column.number)
    return answer.message.content if answer else ""


def written(path: Path) -> int:
    return path.stat().st_mtime_ns


async def say(desk: Desk, text: str) -> None:
    """Type a message, wherever keys go now."""
    if not desk.app.desk.query_one("#message").has_focus:
        await desk.press("i")
    await desk.press(*text, "enter")


def checkpoint(folder: Path, step: int) -> Path:
    project = open_project(folder)
    runs = sorted((folder / "runs").glob("*")) if (folder / "runs").exists() else []
    run = Run(runs[0]) if runs else create_run(project, ["test"], {}, "the template")
    staging = run.checkpoints / f".staging-step-{step}"
    staging.mkdir()
    (staging / "weights").write_text("x")
    publish(staging, run.checkpoints / f"step-{step}")
    return run.checkpoints / f"step-{step}"
