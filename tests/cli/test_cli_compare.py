"""Foreign runs and our own from the command line: imported, judged, described, compared, noted."""

import io
import json
from pathlib import Path

import pytest

from workbench.cli import main
from workbench.project.store import open_project
from workbench.runs.folder import create_run, list_runs
from workbench.runs.status import State, read_status

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def table(folder: Path) -> Path:
    """Forty steps; the validation loss turns at step 12."""
    path = folder.parent / "table.csv"
    rows = (f"{s},{2 / s + 1},{1 + 0.02 * abs(s - 12) if s % 4 == 0 else ''}\n" for s in range(1, 41))
    path.write_text("step,loss,val_loss\n" + "".join(rows))
    return path


def imported(path: Path, *words: str) -> str:
    assert main(["import-run", "small", str(path), *words]) == 0
    return list_runs(path.parent / "small")[0].id


def test_import_says_what_came_of_it(table: Path, capsys: Capture) -> None:
    id = imported(table, "--rows", "80", "--batch", "8")
    told = capsys.readouterr()
    assert told.out.startswith(f"{id}  40 steps, table\n")
    assert "overfitting since step 12 = epoch 1.2" in told.out and told.err == ""
    assert main(["import-run", "small", str(table)]) == 2
    assert "was imported before" in capsys.readouterr().err


def test_a_bad_file_is_a_fault_with_its_line(table: Path, capsys: Capture) -> None:
    table.write_text("step,loss\n1,0.5\n2,\x1b[2Jx\n")
    assert main(["import-run", "small", str(table)]) == 2
    told = capsys.readouterr().err
    assert f"{table}:3: loss:" in told and "\x1b" not in told
    assert main(["import-run", "small", str(table), str(table), "--name", "x"]) == 2
    assert "one name for several runs" in capsys.readouterr().err
    for wrong in ("0", "-1", "x"):
        with pytest.raises(SystemExit, match="2"):
            main(["import-run", "small", str(table), "--rows", wrong])


def test_it_is_listed_shown_and_watched(table: Path, capsys: Capture) -> None:
    id = imported(table)
    capsys.readouterr()
    assert main(["runs", "small"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == [id, "small", "imported", "40/40"]
    assert main(["show", id]) == 0
    told = capsys.readouterr().out
    assert "verdict    overfitting since step 12" in told and "imported   table " in told
    assert "grad_norm" not in told, "what was never measured is no line"
    assert main(["show", id, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["verdict"][0]["name"] == "overfitting" and shown["verdict"][0]["step"] == 12
    assert shown["spec"]["imported"]["format"] == "table" and shown["notes"] == ""
    assert main(["watch", id]) == 0
    assert f"{id}: imported" in capsys.readouterr().err


def test_what_needs_a_model_says_why_there_is_none(table: Path, capsys: Capture) -> None:
    id = imported(table)
    for words in (["chat", "small", "--run", id], ["train", "small", "--resume", id], ["stop", id]):
        assert main(words) == 2
        assert "imported" in capsys.readouterr().err, words
    assert read_status(list_runs(table.parent / "small")[0]).state is State.IMPORTED


def test_describe(table: Path, capsys: Capture) -> None:
    id = imported(table)
    capsys.readouterr()
    assert main(["describe", id]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["step", "loss", "validation_loss"]
    assert lines[1].split() == ["count", "40", "40", "10"]
    assert main(["describe", id, "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["validation_loss"]["count"] == 10 and described["step"]["50%"] == 20.5


def test_notes_are_written_read_shown_and_compared(
    table: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = imported(table)
    assert main(["note", id]) == 0
    assert "no notes" in capsys.readouterr().err
    assert main(["note", id, "tried more rows"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("and \x1b[31mred\n"))
    assert main(["note", id, "-"]) == 0
    capsys.readouterr()
    for words in (["note", id], ["show", id]):
        assert main(words) == 0
        told = capsys.readouterr().out
        assert "tried more rows" in told and "\x1b" not in told
    assert main(["note", id, " "]) == 2


def test_compare(table: Path, capsys: Capture) -> None:
    first = imported(table, "--name", "first")
    table.write_text(table.read_text().replace(",1.0\n", ",0.9\n"))
    second = imported(table, "--name", "second", "--batch", "4")
    main(["note", second, "the better one"])
    capsys.readouterr()
    assert main(["compare", first, second]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0].startswith(f"1  {first}")
    assert main(["compare", first, second, "--metric", "validation_loss"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith(f"1  {second}")
    assert "0.9 @12" in told.out and "| the better one" in told.out
    assert told.out.count("overfitting since step 12") == 2
    assert "nobody knows on which validation rows" in told.err
    assert main(["compare", first, second, "--metric", "loss", "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared["metric"] == "loss" and len(compared["warnings"]) == 1
    assert [run["figures"]["loss"]["step"] for run in compared["runs"]] == [40, 40]
    assert main(["compare", first]) == 2
    assert main(["compare", first, second, "--metric", "bleu"]) == 2
    assert "one of loss" in capsys.readouterr().err


def test_long_values_are_shown_from_where_they_differ(folder: Path, capsys: Capture) -> None:
    before = "Answer as briefly as you can, and say that you do not know what you do not know. "
    for last in ("Be kind.", "Be quick."):
        create_run(open_project(folder, None, {"prompt.system": before + last}), ["test"], {}, "")
    ids = [run.id for run in reversed(list_runs(folder))]
    assert main(["compare", *ids]) == 0
    told = capsys.readouterr().out
    assert "…ot know. Be kind." in told and "…ot know. Be quick." in told and "Answer as" not in told
