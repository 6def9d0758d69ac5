"""The front door: help, exit codes, closed pipes, and what the README says of it all."""

import gc
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_helpers import ENVIRONMENT, ROOT

from workbench import __version__
from workbench.cli import COMMANDS, main
from workbench.cli.console import note, say, write_json

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
IN_BLOCKS = "\n".join(text for language, text in BLOCKS if not language)
EXAMPLES = [line for line in IN_BLOCKS.splitlines() if re.match(r"workbench (preview|new) [a-z]", line)]
"""The command lines of the README that a test can afford: they train nothing and load no model."""


def help_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    assert end.value.code == 0
    return capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"workbench {__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of([], capsys)
    for name, what in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(what)}$", text, re.M)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_a_place_in_the_readme(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of([name], capsys)
    assert text.startswith(f"usage: workbench {name}") and "--help" in text
    assert max(map(len, text.splitlines())) <= 110
    assert re.search(rf"\b{name}\b", IN_BLOCKS)
    assert set(re.findall(r"--[a-z-]+", text)) - {"--help", "--source"} <= set(
        re.findall(r"--[a-z-]+", IN_BLOCKS)
    )


@pytest.mark.parametrize("line", EXAMPLES)
def test_readme_command_runs(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ignored = shutil.ignore_patterns("runs", "chats")
    shutil.copytree(ROOT / "projects" / "tea-house", tmp_path / "projects" / "tea-house", ignore=ignored)
    (tmp_path / "rows.jsonl").write_text('{"question": "Who?", "answer": "Me."}\n')
    assert main(shlex.split(line)[1:]) == 0
    assert "error" not in capsys.readouterr().err


def test_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["traim"], "did you mean workbench train?"),
        ([], "the screen needs a terminal"),
        (["nowhere"], "nowhere: no such folder, and no command"),
        (["tour", "nowhere"], "nowhere: no such folder, and no command"),
        (["small"], "the screen needs a terminal"),
        (["preview", "nowhere"], "nowhere"),
        (["preview", "small", "--row", "99"], "no row 99"),
        (["preview", "small", "--profile", "quick"], "quick"),
        (["preview", "small", "--set", "training.rnk=3"], "did you mean rank?"),
        (["preview", "small", "--set", "rank"], "KEY=VALUE"),
        (["runs", "nowhere"], "no such folder"),
        (["show", "latest"], "there are no runs yet"),
        (["watch", "latest"], "there are no runs yet"),
        (["stop", "latest"], "there are no runs yet"),
        (["checkpoint", "latest"], "there are no runs yet"),
        (["train", "small", "--resume", "latest"], "there are no runs yet"),
        (["chat", "small", "--run", "latest"], "there are no runs yet"),
        (["chat", "small", "--checkpoint", "3"], "add --run RUN"),
        (["train", "small", "--set", "data.validation=many"], "data.validation"),
    ],
)
def test_misuse_is_told_on_stderr(
    words: list[str], complaint: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert complaint in told.err and told.err.startswith("error: ") and "Traceback" not in told.err


def test_every_fault_is_told_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "small", "--set", "training.rank=x", "--set", "data.max_tokens=0"]) == 2
    assert capsys.readouterr().err.count("error: ") == 2


def test_wrong_argument_is_misuse() -> None:
    with pytest.raises(SystemExit) as end:
        main(["preview"])
    assert end.value.code == 2


def test_dumb_terminal_gets_a_reason(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.cli.screen import check_terminal
    from workbench.errors import WorkbenchError

    for stream in (sys.stdin, sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(WorkbenchError, match="TERM=xterm-256color"):
        check_terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    check_terminal()


def test_control_codes_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b]52;c;AAAA\x07b [bold]c[/bold] \x9b2J \u202e"
    say(hostile)
    note(hostile)
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert "[bold]c[/bold]" in text
        assert not set(text) & set("\x1b\x07\x9b\u202e")


def test_json_leaves_nothing_bare_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[31m\x9b31m\x7f\u202eb\u2066\u2028 茶"
    write_json({"text": hostile})
    text = capsys.readouterr().out
    assert text.removesuffix("\n").isprintable() and "茶" in text
    assert json.loads(text) == {"text": hostile}


def test_a_wrong_argument_is_named_without_its_control_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["preview", "x", "\x1b]52;c;AAAA\a"], ["x", "--no\x9bsuch"]):
        with pytest.raises(SystemExit) as end:
            main(words)
        said = capsys.readouterr().err
        assert end.value.code == 2 and "unrecognized" in said
        assert said.replace("\n", "").isprintable()


def test_json_has_no_bare_nan(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"a": float("nan"), "b": [float("inf"), -float("inf"), 1.5], "half": "\ud83d", "ok": "茶"})
    text = capsys.readouterr().out
    read = json.loads(text, parse_constant=pytest.fail)
    assert read == {"a": "nan", "b": ["inf", "-inf", 1.5], "half": "\ud83d", "ok": "茶"}


def test_closed_pipe_leaves_no_traceback(folder: Path) -> None:
    """More than a pipe holds, so that writing fails while we write, not only at the end."""
    (folder / "rows.jsonl").write_text(json.dumps({"question": "?", "answer": "long " * 50_000}) + "\n")
    command = f"{shlex.quote(sys.executable)} -m workbench preview small --set data.max_tokens=1000000"
    for flag in ("", " --json"):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{command}{flag} | head -c 5"],
            cwd=folder.parent,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, len(done.stdout)) == (0, 5)
        assert "rror" not in done.stderr


def test_the_screen_spares_collections(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A full collection stops the screen for a tenth of a second."""
    from workbench.cli import screen
    from workbench.ui.app import WorkbenchApp

    seen = []
    monkeypatch.setattr(screen, "check_terminal", lambda: None)
    monkeypatch.setattr(
        WorkbenchApp, "run", lambda app: seen.append((gc.get_threshold(), gc.get_freeze_count()))
    )
    before = gc.get_threshold()
    try:
        assert main([str(tmp_path)]) == 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
    ((_, _, full), frozen) = seen[0]
    assert full >= 100 and frozen > 10_000
