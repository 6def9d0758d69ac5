"""`workbench check` and `workbench stats`: what they print, for people and for programs, and exit codes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from workbench.cli import main
from workbench.cli.stats import BAR
from workbench.ui.widgets.bars import bar

Workbench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def leaking(folder: Path) -> Path:
    """The project with all of its rows held out once more."""
    (folder / "held.jsonl").write_bytes((folder / "rows.jsonl").read_bytes())
    held = '[[data.source]]\nkind = "fields"\npath = "held.jsonl"\nsplit = "validation"\n'
    text = (folder / "project.toml").read_text()
    mapped = held + 'user = ["{question}"]\nassistant = "{answer}"\n[training]'
    (folder / "project.toml").write_text(text.replace("[training]", mapped))
    return folder


def test_a_sound_project_ends_well(folder: Path, workbench: Workbench) -> None:
    done = workbench("check", "small")
    assert done.returncode == 0, done.stderr
    assert "yellow few-rows" in done.stdout and "effective batch 2" in done.stdout
    assert "8 rows used (6 train, 2 validation); nothing keeps a run from starting" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_red_finding_is_exit_code_1(leaking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(leaking)]) == 1
    shown = capsys.readouterr()
    line = next(line for line in shown.out.splitlines() if "leak " in line)
    assert line.startswith("RED") and "8 rows held out are trained on as well" in line
    assert "held.jsonl rows 0, 1, 2, 3, 4, 5, 6, 7" in shown.out
    assert "1 red: a run does not start" in shown.err
    assert main(["check", str(leaking), "--set", 'data.accept=["leak"]']) == 0
    assert "accepted by data.accept" in capsys.readouterr().out
    assert main(["train", str(leaking)]) == 1
    assert "error: leak: " in capsys.readouterr().err
    assert main(["check", str(leaking), "--set", 'data.accept=["leek"]']) == 2
    assert "did you mean leak?" in capsys.readouterr().err


def test_everything_as_json(leaking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(leaking), "--json", "--exact"]) == 1
    found = json.loads(capsys.readouterr().out)
    leak = next(finding for finding in found["findings"] if finding["name"] == "leak")
    assert leak["level"] == "red" and leak["blocks"] and leak["rows"] == [[1, row] for row in range(8)]
    assert [report["train"] for report in found["reports"]] == [8, 0]
    assert found["schedule"]["steps"] == 4 and found["schedule"]["epochs"] == 1.0
    assert found["facts"]["statistics"]["sides"]["train"]["rows"] == 8
    assert set(found["padding"]) == {"none", "batch", "bfd"}


def test_progress_for_a_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder), "--progress"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[-1] == {"progress": 1.0} and all(set(each) == {"progress"} for each in said)
    assert main(["check", str(folder), "--progress", "--set", 'prompt.template="nowhere"']) == 2
    assert "nowhere" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]


def test_statistics_fit_eighty_columns(leaking: Path, workbench: Workbench) -> None:
    done = workbench("stats", "small")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    for part in (
        "train: 8 rows",
        "validation: 8 rows",
        "completion",
        "Latin",
        "█",
        "padding of random batches",
    ):
        assert part in done.stdout


def test_statistics_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sides"]["train"]["encoded"] == 6 and found["exact"]
    total = found["sides"]["train"]["total"]
    assert sum(count for _, _, count in total["histogram"]) == total["count"] == 6


@given(st.floats(0, 1))
def test_bars(share: float) -> None:
    cells = bar(share, BAR).rstrip()
    assert abs(len(cells) - share * BAR) <= 1 and len(cells) <= BAR
    assert bool(cells) == (share > 0)


def test_statistics_without_sources_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "project.toml").write_text('format = 1\nname = "none"\n')
    assert main(["stats", str(tmp_path)]) == 2
    assert "the project has no sources" in capsys.readouterr().err
    assert main(["check", str(tmp_path)]) == 1
    assert "the project has no sources" in capsys.readouterr().out


def test_statistics_of_tags_and_of_rows_without_answers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tags as bars; a test side is for prediction; what is going to be cut is measured whole."""
    rows = [
        {"question": f"What is {i}?", "answer": f"{i}.", "m": "sad" if i % 10 else "喜"} for i in range(40)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "asked.jsonl").write_text(json.dumps({"question": "Why?"}) + "\n")
    toml = folder / "project.toml"
    asked = '[[data.source]]\nkind = "fields"\npath = "asked.jsonl"\nsplit = "test"\nuser = ["{question}"]\n'
    tags = 'tags = { mood = "{m}", kind = "' + "long" * 20 + '" }\n'
    toml.write_text(toml.read_text().replace("[training]", tags + asked + "[training]"))
    assert main(["stats", str(folder), "--set", "data.overlong=truncate"]) == 0
    out = capsys.readouterr().out
    assert max(map(cell_len, out.splitlines())) <= 80
    test = out[out.index("test: 1 row\n") : out.index("tag kind")]
    assert "no answers: for prediction only" in test and "completion" not in test and "trained" not in test
    mood = out[out.index("tag mood") :].splitlines()
    assert mood[0].split() == ["tag", "mood", "train", "validation", "test"]
    assert "█" in mood[1] and "! mood: 8" in out and "(none)" in out
    assert "before anything is cut off: data.max_tokens = 1,024" in out
    assert main(["stats", str(folder), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["tags"]) == {"mood", "kind"}
