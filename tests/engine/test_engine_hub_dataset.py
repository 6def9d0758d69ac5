"""The process that fetches a data set, on local folders: what it writes, and what it says when it cannot."""

import json
from pathlib import Path

import pytest

from workbench.engine import hub_dataset
from workbench.engine.hub_dataset import explained, main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    (folder / "test.jsonl").write_text('{"a": 3}\n')
    return folder


def refusal(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(list(argv)) == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    return f"{said['what']}; {said['hint']}"


def test_one_split_becomes_parquet_and_nothing_else_stays(folder: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    target = tmp_path / "out" / "x.parquet"
    target.parent.mkdir()
    assert main([str(folder), "train", "", str(target)]) == 0
    assert pq.read_table(target).to_pylist() == [{"a": 1}, {"a": 2}]
    assert list(target.parent.iterdir()) == [target]


def test_an_unknown_split_names_those_there_are(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal(capsys, str(folder), "validation", "", str(tmp_path / "x.parquet"))
    assert 'no split "validation"; hub_split can be train or test' in said
    assert not (tmp_path / "x.parquet").exists()


def test_configurations_are_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = "".join(
        f"- config_name: {name}\n  data_files:\n  - split: train\n    path: {name}.jsonl\n"
        for name in ("th", "vi")
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{files}---\n")
    for name in ("th", "vi"):
        (folder / f"{name}.jsonl").write_text('{"a": 1}\n')
    said = refusal(capsys, str(folder), "train", "", str(tmp_path / "x.parquet"))
    assert 'several configurations: th, vi; name one: hub_config = "th"' in said
    said = refusal(capsys, str(folder), "train", "de", str(tmp_path / "x.parquet"))
    assert 'no configuration "de"; hub_config can be th or vi' in said
    assert main([str(folder), "train", "vi", str(tmp_path / "x.parquet")]) == 0


def test_faults_of_the_hub_are_told_apart() -> None:
    from datasets.exceptions import DatasetNotFoundError

    def said(error: Exception) -> str:
        return "; ".join(explained(error, "owner/name", "train", ""))

    assert "hf auth login" in said(
        DatasetNotFoundError("Dataset 'owner/name' is a gated dataset on the Hub.")
    )
    assert "no such data set" in said(DatasetNotFoundError("Dataset 'owner/name' doesn't exist on the Hub"))
    assert "cannot be reached" in said(ConnectionError("Couldn't reach 'owner/name' on the Hub"))
    assert "a program" in said(RuntimeError("Dataset scripts are no longer supported, but found name.py"))
    assert "the disk is full" in said(OSError(28, "No space left on device"))
    assert "cannot be loaded: KeyError" in said(KeyError())


def test_a_failed_write_leaves_no_part(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub_dataset.os, "replace", full)
    target = tmp_path / "out" / "x.parquet"
    target.parent.mkdir()
    assert "the disk is full" in refusal(capsys, str(folder), "train", "", str(target))
    assert list(target.parent.iterdir()) == []
