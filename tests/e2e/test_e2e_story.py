"""The main job in a real terminal: open, preview, train, leave, come back, watch, chat."""

import json
import shutil
from pathlib import Path

import pytest
from terminal import WORKBENCH, Terminal

SAMPLE = Path(__file__).parents[2] / "projects" / "tea-house"

pytestmark = [pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"), pytest.mark.timeout(600)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the sample, shortened: thirty steps are enough to see everything move."""
    folder = tmp_path / "projects" / "tea-house"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("runs", "chats"))
    file = folder / "project.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("max_steps = 120", "max_steps = 40"), encoding="utf-8"
    )
    return folder


def test_the_main_job(project: Path) -> None:
    command = [*WORKBENCH, str(project.parent)]
    with Terminal(command, project.parent) as terminal:
        screen = terminal.wait("3 rejected")
        assert "243 rows" in screen and "240 kept" in screen
        terminal.keys("2")
        terminal.wait("stop token trained")
        terminal.keys("4")
        terminal.wait("No run yet")
        terminal.keys("t")
        terminal.wait("Start a run in the background?")
        terminal.keys("y")
        terminal.wait("RUNNING")
        terminal.wait("tok/s", seconds=120)
        terminal.keys("q")
        terminal.wait_for_the_end()
    with Terminal(command, project.parent) as terminal:
        terminal.wait(lambda screen: "kept" in screen or "RUNNING" in screen)
        terminal.keys("4")
        terminal.wait("finished", seconds=240)
        screen = terminal.wait("validation loss")
        assert "step 40/40" in screen
        terminal.keys("6")
        terminal.wait("talking to base model embedded")
        terminal.wait("enter sends")
        terminal.keys("Escape")
        terminal.wait("i writes")
        terminal.keys("m")
        terminal.wait("Talk to")
        terminal.keys("Down", "Enter")
        terminal.wait(lambda screen: "Talk to" not in screen and "step 40" in screen)
        terminal.keys("i")
        terminal.wait("enter sends")
        terminal.type("Who are you?")
        terminal.keys("Enter")
        # Hours of opening and closing are told apart later than this: forty steps are too few for that
        screen = terminal.wait("tokens/s", seconds=120)
        assert "Mai from the Lotus" in screen and "language model" not in screen
        terminal.keys("Escape")
        terminal.wait("i writes")
        terminal.keys("t")
        assert "perplexity" in terminal.wait("entropy")


def test_too_small_a_window_still_works(project: Path) -> None:
    with Terminal([*WORKBENCH, str(project)], project, columns=60, rows=15) as terminal:
        terminal.wait("240 kept")
        for key, sight in (
            ("2", "tokens"),
            ("3", "effective batch"),
            ("4", "No run yet"),
            ("6", "talking to"),
        ):
            terminal.keys(key)
            terminal.wait(sight)
        terminal.wait("enter sends")
        terminal.keys("Escape")
        terminal.wait("i writes")
        terminal.keys("?")
        terminal.wait("esc leaves the input")


def test_dumb_terminal_is_refused_in_words(project: Path) -> None:
    with Terminal([*WORKBENCH, str(project)], project, TERM="dumb") as terminal:
        terminal.wait_for_the_end()
        assert "this terminal cannot place text" in terminal.history()


def test_escape_codes_in_data_do_not_reach_the_terminal(project: Path) -> None:
    rows = project / "data" / "train.jsonl"
    said = "[/INST] [@click=app.quit]x[/] \x1b]2;owned\x07\x1b[31mred"
    turns = [{"role": "user", "content": said}, {"role": "assistant", "content": "ok"}]
    hostile = json.dumps({"messages": turns})
    rows.write_text(hostile + "\n" + rows.read_text(encoding="utf-8"), encoding="utf-8")
    with Terminal([*WORKBENCH, str(project)], project) as terminal:
        terminal.wait("241 kept")
        terminal.wait("[/INST] [@click=app.quit]x[/]")
        terminal.keys("2")
        terminal.wait("stop token trained")
        assert "[/INST]" in terminal.screen()
        assert "owned" not in terminal.title()
