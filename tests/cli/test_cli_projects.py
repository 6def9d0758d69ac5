"""Making projects and looking at their examples."""

import json
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from workbench.cli import main
from workbench.embedded import FOLDER
from workbench.project.store import open_project

QUESTION = {"question": "Who?", "answer": "Me."}


def write_rows(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "row",
    [
        QUESTION,
        {"instruction": "Who?", "input": "", "output": "Me."},
        {"prompt": "Who?", "completion": "Me."},
        {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Me."}]},
        {"conversations": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "Me."}]},
    ],
    ids=lambda row: "+".join(row),
)
def test_new_project_shows_its_first_example(
    row: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", row)
    assert main(["new", str(tmp_path / "mine"), "--data", str(rows)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mine' / 'project.toml'}\n"
    assert main(["preview", str(tmp_path / "mine"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    length = len(shown["ids"])
    assert len(shown["tokens"]) == len(shown["mask"]) == length and 0 < sum(shown["mask"]) < length
    assert "Who?" in shown["text"] and "Me." in shown["text"]


def test_new_refuses_what_it_cannot_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", QUESTION)
    empty = write_rows(tmp_path / "empty.jsonl")
    strange = write_rows(tmp_path / "strange.jsonl", {"x": 1, "y": 2})
    pointer = tmp_path / "pointer.jsonl"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    target = tmp_path / "mine"
    for files, complaints in (
        ([tmp_path / "a.json", tmp_path / "b.json"], ["a.json: no such file", "b.json: no such file"]),
        ([rows, tmp_path / "." / ".." / tmp_path.name / "rows.jsonl"], ["named twice"]),
        ([empty, strange, pointer], ["empty", "columns: x, y", "git-lfs pointer"]),
    ):
        given = [word for file in files for word in ("--data", str(file))]
        assert main(["new", str(target), *given]) == 2
        told = capsys.readouterr()
        assert told.out == "" and all(complaint in told.err for complaint in complaints)
        assert not target.exists()


def test_new_like_one_that_comes_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--list"]) == 0
    told = capsys.readouterr()
    assert "tea-house Questions to a tea house" in " ".join(told.out.split()) and "--like NAME" in told.err
    target = tmp_path / "mine"
    assert main(["new", str(target), "--like", "tea-house"]) == 0
    assert capsys.readouterr().out == f"{target / 'project.toml'}\n"
    assert main(["preview", str(target)]) == 0
    capsys.readouterr()
    assert main(["new", str(tmp_path / "large"), "--like", "thai-wiki-qa"]) == 0
    commands = [line.split("workbench ")[1] for line in capsys.readouterr().err.splitlines()]
    assert main(commands[0].split()) == 0 and all("--profile tiny" in each for each in commands)
    capsys.readouterr()
    for wrong in (
        [str(target), "--like", "tea-house"],
        [str(tmp_path / "other"), "--like", "tea"],
        [str(tmp_path / "other"), "--like", "tea-house", "--base", "embedded"],
        [],
    ):
        assert main(["new", *wrong]) == 2
        told = capsys.readouterr()
        assert told.out == "" and told.err.startswith("error: ")
    assert not (tmp_path / "other").exists()


def test_fetch_says_where_it_is_or_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["fetch", str(FOLDER)]) == 0
    assert capsys.readouterr().out == f"{FOLDER}\n"

    def snapshot_download(repo: str, *, local_files_only: bool = False, **_: object) -> str:
        raise LocalEntryNotFoundError("not here") if local_files_only else ConnectionError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert main(["fetch", "org/small"]) == 2
    assert "the hub was not reached: no network" in capsys.readouterr().err


def test_new_leaves_an_existing_project_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "project.toml").read_bytes()
    assert main(["new", "small", "--data", "small/rows.jsonl"]) == 2
    assert "there is a project already" in capsys.readouterr().err
    assert (folder / "project.toml").read_bytes() == before


def test_new_without_data_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "bare")]) == 0
    assert "[[data.source]]" in capsys.readouterr().err
    assert open_project(tmp_path / "bare").settings.data.source == []


def test_preview_marks_what_is_trained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "small", "--row", "3"]) == 0
    told = capsys.readouterr()
    before, trained = told.out.split("⟦")
    assert "What is 3?" in before and trained.startswith("It is number 3.") and "⟧" in trained
    assert told.out.endswith("\n") and not told.out.endswith("\n\n")
    assert "template base" in told.err


def test_preview_is_the_same_with_and_without_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["preview", "small", "--json"])
    shown = json.loads(capsys.readouterr().out)
    main(["preview", "small"])
    assert capsys.readouterr().out.replace("⟦", "").replace("⟧", "") == shown["text"]


def test_preview_takes_settings_for_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "project.toml").read_bytes()
    assert main(["preview", "small", "--set", "prompt.template=vicuna"]) == 0
    assert "USER: What is 0?" in capsys.readouterr().out
    assert (folder / "project.toml").read_bytes() == before


def test_rejected_row_tells_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(folder / "rows.jsonl", {"question": "Who?"})
    assert main(["preview", "small"]) == 2
    assert "answer" in capsys.readouterr().err
