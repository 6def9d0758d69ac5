"""Talking in a pipe and in a terminal, with an engine that answers at once."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_helpers import DEADLINE, ENVIRONMENT

from workbench.chat.transcript import conversation, read_transcript

COMMAND = (sys.executable, str(Path(__file__).with_name("fake_engine.py")), "chat", "small")


@pytest.fixture
def piped(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Chats with lines on stdin."""

    def run(lines: str, *flags: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *flags],
            input=lines,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_one_answer_a_line(piped: Callable[..., subprocess.CompletedProcess[str]], folder: Path) -> None:
    done = piped("hello\nagain")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1: hello␛[2J, really\n1: again␛[2J, really\n"
    assert not (folder / "chats").exists()


def test_json_keeps_lines(piped: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    (answer,) = map(json.loads, piped("hello\n", "--json").stdout.splitlines())
    assert answer["prompt"] == "hello" and answer["answer"] == "1: hello\x1b[2J,\nreally"
    assert answer["reason"] == "stop token" and answer["tokens"] == 1


def test_after_memory_ran_out_the_model_is_loaded_again(
    piped: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = piped("unload\nhello\n")
    assert done.returncode == 1 and "line 1: out of memory" in done.stderr
    assert done.stdout == "\n1: hello␛[2J, really\n" and "no model is loaded" not in done.stderr


def test_others_answer_beside(piped: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    (answers,) = map(json.loads, piped("hello\n", "--json", "--beside", "base").stdout.splitlines())
    assert [each["answer"] for each in answers] == ["0: hello", "1: hello"]
    assert all(each["target"].startswith("base model") and each["prompt"] == "hello" for each in answers)
    lines = piped("hello\n", "--beside", "base").stdout.splitlines()
    assert [line.rpartition(": hello")[0][-1] for line in lines] == ["0", "1"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--beside", "nobody"], "nobody"),
        (["--beside", "base:x"], "not a step: 'x'"),
        (["--beside", "base"] * 8, "more than 8 answers"),
        (["--checkpoint", "3"], "a checkpoint belongs to a run"),
    ],
)
def test_nobody_to_talk_to(
    piped: Callable[..., subprocess.CompletedProcess[str]], flags: list[str], said: str
) -> None:
    done = piped("hello\n", *flags)
    assert done.returncode != 0 and said in done.stderr and not done.stdout


def test_refused_prompt_keeps_its_line(piped: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = piped("a\nrefuse\nb\n")
    assert done.returncode == 1
    assert [line[:4] for line in done.stdout.splitlines()] == ["1: a", "", "1: b"]
    assert done.stderr == "error: line 2: too long\n"
    told = [json.loads(line) for line in piped("a\nrefuse\nb\n", "--json").stdout.splitlines()]
    assert told[1] == {"prompt": "refuse", "error": "too long"}


def test_killed_engine_is_a_finding(piped: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = piped("a\ndie\nb\n")
    assert done.returncode == 1 and done.stdout.count("\n") == 1
    assert "was killed (SIGKILL)" in done.stderr and "Traceback" not in done.stderr
    assert "next message" not in done.stderr


class Terminal:
    """A chat in a pseudo terminal."""

    def __init__(self, *flags: str) -> None:
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.execvpe(COMMAND[0], [*COMMAND, *flags], ENVIRONMENT | {"TERM": "xterm-256color"})
        self.seen = ""

    def expect(self, text: str) -> None:
        """Read until `text` has come since the last call."""
        end = time.monotonic() + DEADLINE
        while text not in self.seen:
            ready, _, _ = select.select([self._end], [], [], end - time.monotonic())
            assert ready, f"{text!r} did not come: {self.seen!r}"
            self.seen += os.read(self._end, 4096).decode()
        self.seen = self.seen.split(text, 1)[1]

    def press(self, keys: str) -> None:
        """Send keys as a keyboard would."""
        os.write(self._end, keys.encode())

    def interrupt(self, text: str) -> None:
        """Press ctrl+c until `text` comes: readline does not see one that comes before it waits for keys."""
        end = time.monotonic() + DEADLINE
        while text not in self.seen and time.monotonic() < end:
            self.press("\x03")
            while text not in self.seen and select.select([self._end], [], [], 1.0)[0]:
                self.seen += os.read(self._end, 4096).decode()
        self.expect(text)

    def end(self) -> int:
        """Wait for the exit code."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self._end)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    """A chat with the project `small`, that no failing test leaves behind."""
    chat = Terminal()
    yield chat
    try:
        os.kill(chat.pid, 9)
        os.waitpid(chat.pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def test_conversation_outlives_ctrl_c_and_a_killed_engine(folder: Path, terminal: Terminal) -> None:
    terminal.expect("> ")
    terminal.press("hello\r")
    terminal.expect("1: hello␛[2J")
    terminal.expect("[stop token")
    terminal.expect("kept in ")
    terminal.expect("> ")
    terminal.press("wait\r")
    terminal.expect("3: wait")
    terminal.expect("really")
    terminal.press("\x03")
    terminal.expect("[stopped")
    terminal.expect("> ")
    terminal.press("half a line")
    terminal.expect("half a line")
    terminal.interrupt("\n> ")
    terminal.press("die\r")
    terminal.expect("was killed")
    terminal.expect("> ")
    terminal.press("mute\r")
    terminal.expect("no answer")
    terminal.expect("> ")
    terminal.press("last\r")
    terminal.expect("5: last")
    terminal.expect("> ")
    terminal.press("/new\r")
    terminal.expect("> ")
    terminal.press("first\r")
    terminal.expect("1: first")
    terminal.expect("> ")
    terminal.press("\x04")
    assert terminal.end() == 0
    kept = [conversation(read_transcript(path)) for path in (folder / "chats").iterdir()]
    said = [[message.content for message in each if message.role == "user"] for each in kept]
    assert sorted(said) == [["first"], ["hello", "wait", "last"]]


def test_commands_judge_take_back_and_save(folder: Path, terminal: Terminal) -> None:
    terminal.expect("> ")
    for typed, seen in [
        ("/good", "nothing has been said yet"),
        ("/undo", "nothing to take back"),
        ("/help", "/save"),
        ("hello", "1: hello"),
        ("/bad wrong number", "rated bad"),
        ("/again", "1: hello"),
        ("/save", "trains on it"),
        ("/undo", "1 questions stand"),
        ("bye", "leave was taken"),
    ]:
        terminal.press(f"{typed}\r")
        terminal.expect(seen)
        terminal.expect("> ")
    terminal.press("\x04")
    assert terminal.end() == 0
    (path,) = (folder / "chats").iterdir()
    entries = read_transcript(path)
    assert [(entry.rating, entry.issues) for entry in entries] == [
        ("bad", ["wrong number"]),
        ("", []),
        ("", []),
    ]
    (row,) = map(json.loads, (folder / "data/from_chat.jsonl").read_text().splitlines())
    assert [message["role"] for message in row["messages"]] == ["user", "assistant"]


def test_a_transcript_is_written_as_markdown_and_goes_on(
    piped: Callable[..., subprocess.CompletedProcess[str]], folder: Path, terminal: Terminal
) -> None:
    terminal.expect("> ")
    terminal.press("hello\r")
    terminal.expect("kept in ")
    terminal.press("\x04")
    assert terminal.end() == 0
    (path,) = (folder / "chats").iterdir()
    done = piped("", "--transcript", path.name)
    assert done.returncode == 0 and "**user**\n\nhello" in done.stdout and "1: hello" in done.stdout
    assert "no such transcript" in piped("", "--transcript", "other").stderr
    again = Terminal("--transcript", path.stem)
    again.expect("1: hello")
    again.expect("> ")
    again.press("more\r")
    again.expect("3: more")
    again.expect("> ")
    again.press("\x04")
    assert again.end() == 0
    assert len(read_transcript(path)) == 2


def test_second_ctrl_c_ends(terminal: Terminal) -> None:
    """An engine out of reach does not hold the person."""
    terminal.expect("> ")
    terminal.press("deaf\r")
    terminal.expect("really")
    terminal.press("\x03")
    terminal.expect("stopping; ctrl+c again ends")
    terminal.press("\x03")
    assert terminal.end() == 130
