"""`workbench sources`: what there is, and one more from a file of any known shape."""

import json
import os
from array import array
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from workbench.cli import main
from workbench.cli.sources import _table
from workbench.data.report import SourceReport
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
    assert head.split() == ["source", "read", "kept", "rejected", "trained", "validation"]
    assert line.split() == ["rows.jsonl", "10", "8", "2", "6", "2"]
    assert why == 'rows.jsonl: 2 × no column "answer", first row 8'
    assert main(["sources", "small", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["read"], report["kept"], report["train"], report["validation"]) == (10, 8, 6, 2)
    assert list(report["rejected"]) == ['no column "answer"']


@pytest.mark.parametrize("width", [80, 60, 30])
@pytest.mark.parametrize("share", [0, 1])
def test_numbers_and_titles_are_whole_in_a_narrow_terminal(width: int, share: int) -> None:
    name = "a-long-name-of-a-file-with-answers.jsonl"
    report = SourceReport(Path(name), name, read=1_234_567, kept=1_000_000, train=900_000, validation=100_000)
    report.filtered["too long"] = array("q", range(34_567))
    report.rejected["broken"] = array("q", range(200_000))
    report.duplicate.extend(range(30_000 * share))
    report.not_taken = report.test = 1_100_000 * share
    text = StringIO()
    Console(file=text, width=width).print(_table([report], width), crop=False)
    lines = text.getvalue().splitlines()
    titles = lines[0].split()
    assert (
        titles[:2] == ["source", "read"]
        and titles[-2 - share :] == ["trained", "validation", "test"][: 2 + share]
    )
    assert {"1,234,567", "900,000", "100,000"} <= set(text.getvalue().split())
    assert ("duplicate" in titles) <= bool(share) and "…" not in text.getvalue()
    assert width < 80 or max(map(len, lines)) <= width
    assert "".join(line.split("  ")[0].rstrip() for line in lines[1:]) == name


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


def test_a_folder_of_several_shapes_is_added_whole_or_not_at_all(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = folder / "more"
    more.mkdir()
    (more / "a.jsonl").write_text('{"prompt": "q", "response": "a"}\n')
    (more / "test.jsonl").write_text('{"prompt": "q", "response": "a"}\n')
    (more / "odd.jsonl").write_text('{"x": 1}\n')
    assert main(["sources", "small", "--add", "small/more"]) == 0
    told = capsys.readouterr()
    assert told.out.count("[[data.source]]") == 2 and 'path = "more/test.jsonl"' in told.out
    assert "left out: small/more/odd.jsonl: unknown shape" in told.err
    sources = open_project(folder).settings.data.source
    assert [(source.path, source.split) for source in sources[1:]] == [
        ("more/a.jsonl", "auto"),
        ("more/test.jsonl", "test"),
    ]
    (more / "Another.jsonl").write_text('{"text": "t"}\n')
    before = (folder / "project.toml").read_text()
    assert main(["sources", "small", "--add", "small/more"]) == 2
    assert "this source is there already, more/a.jsonl: its rows" in capsys.readouterr().err
    assert (folder / "project.toml").read_text() == before


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


def test_a_proposal_as_json(spoken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (spoken.parent / "project.toml").read_text()
    assert main(["sources", "small", "--add", str(spoken), "--dry", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (spoken.parent / "project.toml").read_text() == before
    (proposal,) = told["proposals"]
    assert (told["v"], told["left_out"], told["added_to"]) == (1, [], None)
    assert proposal["table"]["path"] == "talk.txt" and proposal["why"]
    assert [message["role"] for message in proposal["rows"][0]["messages"]] == ["user", "assistant"]
    assert proposal["rows"][1]["reason"] == "fewer than two utterances" and proposal["rows"][1]["row"] == 1
    assert main(["sources", "small", "--add", str(spoken), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added_to"].endswith("project.toml")
    assert 'path = "talk.txt"' in (spoken.parent / "project.toml").read_text()


def test_a_name_that_is_not_utf8_is_a_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.jsonl"))
    file.write_text('{"question": "Who?", "answer": "I."}\n')
    assert main(["sources", "small", "--add", str(file)]) == 2
    assert "its name is not UTF-8" in capsys.readouterr().err
