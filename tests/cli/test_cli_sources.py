"""`workbench sources`: what there is, and one more from a file of any known shape."""

import json
from pathlib import Path

import pytest

from workbench.cli import main
from workbench.project.store import open_project


@pytest.fixture
def spoken(folder: Path) -> Path:
    """A file of dialogues in the project's folder."""
    path = folder / "talk.txt"
    path.write_text("Hi . __eou__ Hello \x1b[31m. __eou__\nOh __eou__ \n")
    return path


def test_every_row_is_in_one_of_the_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "rows.jsonl").open("a") as file:
        file.write('{"question": "Who?"}\n{"question": "Why?"}\n')
    assert main(["sources", "small"]) == 0
    head, line, why = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0] == "source" and head.split()[-3:] == ["trained", "validation", "test"]
    assert line.split() == ["rows.jsonl", "10", "8", "0", "0", "2", "0", "6", "2", "0"]
    assert why == 'rows.jsonl: 2 × no column "answer", first row 8'
    assert main(["sources", "small", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["read"], report["kept"], report["train"], report["validation"]) == (10, 8, 6, 2)
    assert list(report["rejected"]) == ['no column "answer"']


def test_a_source_that_loses_all_its_rows_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = [
        'data.source=[{kind="text", path="rows.jsonl"}]',
        'data.source=[{kind="text", path="none.jsonl"}]',
    ]
    for override, told in zip(lost, ("rows.jsonl LOST ALL ROWS", "none.jsonl CANNOT BE READ"), strict=True):
        assert main(["sources", "small", "--set", override]) == 1
        assert told in capsys.readouterr().out


def test_a_proposal_is_shown_and_written(spoken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (spoken.parent / "project.toml").read_text()
    assert main(["sources", "small", "--add", "small/talk.txt", "--dry"]) == 0
    dry = capsys.readouterr()
    assert (spoken.parent / "project.toml").read_text() == before
    assert main(["sources", "small", "--add", "small/talk.txt"]) == 0
    told = capsys.readouterr()
    assert told.out == dry.out
    text = (spoken.parent / "project.toml").read_text()
    table = told.out.partition("\n\n")[0]
    assert table.startswith('[[data.source]]\nkind = "utterances"\npath = "talk.txt"\n') and table in text
    assert "  user: Hi .\n" in told.out and "\x1b" not in told.out
    assert "row 1\n  rejected: fewer than two utterances, there is 1\n" in told.out
    assert "1 of the first 2 rows cannot be used" in told.err and "added to " in told.err
    assert [source.path for source in open_project(spoken.parent).settings.data.source] == [
        "rows.jsonl",
        "talk.txt",
    ]
    assert main(["sources", "small", "--add", str(spoken)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_dry_goes_with_add(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "small", "--dry"]) == 2
    assert "--dry: goes with --add" in capsys.readouterr().err


def test_what_cannot_be_mapped_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "project.toml").read_text()
    (folder / "odd.jsonl").write_text(json.dumps({"x": 1, "y": 2}))
    for file, complaint in (("odd.jsonl", "unknown shape, columns: x, y"), ("none.jsonl", "no such file")):
        assert main(["sources", "small", "--add", f"small/{file}"]) == 2
        assert complaint in capsys.readouterr().err
    assert (folder / "project.toml").read_text() == before


def test_new_says_what_it_took_each_file_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "mine", "--data", "small/rows.jsonl"]) == 0
    told = capsys.readouterr()
    assert told.out == "mine/project.toml\n"
    assert "small/rows.jsonl: kind fields; columns question, answer" in told.err
    assert "template base: the base model has a chat template" in told.err
