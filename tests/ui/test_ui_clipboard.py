"""A copy always says where it went, and never claims what did not happen."""

import base64
import re
import subprocess
import uuid
from pathlib import Path

import pytest
from textual.widgets import Static
from widget_app import WidgetApp

from workbench.ui.clipboard import TERMINAL_BYTES, copy


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WidgetApp:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return WidgetApp(Static())


async def test_short_text_goes_to_the_terminal(app: WidgetApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app.run_test():
        written: list[str] = []
        monkeypatch.setattr(app._driver, "write", written.append)
        said = copy(app, "สวัสดี\x1b")
    sent = re.search(r"\x1b\]52;c;([^\a]*)\a", "".join(written))
    assert sent and base64.b64decode(sent[1]).decode() == "สวัสดี\x1b"
    assert "7 characters" in said and "OSC 52" in said


@pytest.mark.parametrize(("extra", "in_file"), [(0, False), (1, True)])
async def test_long_text_goes_to_a_file_that_is_named(app: WidgetApp, extra: int, in_file: bool) -> None:
    text = "x" * (TERMINAL_BYTES + extra)
    async with app.run_test():
        said = copy(app, text)
    assert ("too long" in said) == in_file
    if in_file:
        path = Path(said.rpartition(" ")[2])
        assert path.read_text() == text
        assert path.stat().st_mode & 0o077 == 0, "what is copied is for its owner only"


async def test_tmux_that_fails_leaves_a_file(app: WidgetApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/nowhere,1,0")
    monkeypatch.setenv("PATH", "/nowhere")
    async with app.run_test():
        said = copy(app, "text")
    assert Path(said.rpartition(" ")[2]).read_text() == "text"


async def test_full_disk_is_said(app: WidgetApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    async with app.run_test():
        assert "nothing was copied" in copy(app, "x" * (TERMINAL_BYTES + 1))


async def test_inside_tmux_its_buffer_holds_the_text(app: WidgetApp, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"workbench-{uuid.uuid4().hex[:8]}"
    server = ["tmux", "-L", name, "-f", "/dev/null"]
    try:
        subprocess.run([*server, "new-session", "-d", "-s", "t", "sleep", "60"], check=True)
    except FileNotFoundError:
        pytest.skip("no tmux here")
    try:
        socket = subprocess.run(
            [*server, "display-message", "-p", "#{socket_path}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        monkeypatch.setenv("TMUX", f"{socket},1,0")
        async with app.run_test():
            said = copy(app, "a long text, 中文\n" * 20_000)
        assert "tmux buffer" in said
        held = subprocess.run([*server, "show-buffer"], capture_output=True, text=True, check=True).stdout
        assert held == "a long text, 中文\n" * 20_000
    finally:
        subprocess.run([*server, "kill-server"], check=True)
