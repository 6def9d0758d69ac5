"""A process that works for this one: its lines, its end, its complaint; none is left behind."""

import time
from pathlib import Path

import pytest

from workbench.project import child


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that `run("program", ...)` runs."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "program.py"


def test_what_it_says_and_how_it_ends(program: Path) -> None:
    program.write_text(
        "import sys, os, workbench\n"
        "print(sys.stdin.read(), sys.argv[1:], os.environ['MORE'], os.path.basename(os.getcwd()))\n"
        "print('half', end='')\n"
        "sys.stderr.write('first\\nlast\\n'); sys.exit(3)"
    )
    heard: list[str] = []
    words = ["a b", "--c"]
    ended = child.run(
        "program", words, heard.append, given=b"given", environment={"MORE": "x"}, folder=program.parent
    )
    assert heard == [f"given ['a b', '--c'] x {program.parent.name}"]
    assert ended == child.Ended(3, "last", cancelled=False)


def test_many_long_lines_come_whole(program: Path) -> None:
    program.write_text("for i in range(200): print(str(i) * 20_000)")
    heard: list[str] = []
    assert child.run("program", [], heard.append) == child.Ended(0, "", cancelled=False)
    assert heard == [str(i) * 20_000 for i in range(200)]


def test_it_is_killed_when_nobody_waits(program: Path) -> None:
    program.write_text("import time; print('ready', flush=True); time.sleep(600)")
    heard: list[str] = []
    begin = time.monotonic()
    ended = child.run("program", [], heard.append, lambda: bool(heard))
    assert ended.cancelled and ended.code == -9 and time.monotonic() - begin < 60


def test_a_fault_in_the_listener_leaves_no_process(program: Path, tmp_path: Path) -> None:
    program.write_text(
        "import os, sys, time; from pathlib import Path\n"
        "Path(sys.argv[1]).write_text(str(os.getpid())); print(1, flush=True); time.sleep(600)"
    )
    with pytest.raises(ZeroDivisionError):
        child.run("program", [str(tmp_path / "pid")], lambda line: 1 / 0)  # type: ignore[arg-type, return-value]
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
