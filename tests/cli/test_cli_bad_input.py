"""What cannot be trained is refused on the command line: what, where, what to do; no run is left behind."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.cli import main

Capture = pytest.CaptureFixture[str]


def refused(capsys: Capture, *words: str) -> str:
    """What `workbench train small WORDS` says when it refuses."""
    assert main(["train", "small", "--detach", *words]) in (1, 2)
    told = capsys.readouterr()
    assert told.out == "" and "Traceback" not in told.err
    return told.err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["training.learning_rate=1e3"], "training.learning_rate=1000.0: must be below 1"),
        (["training.learning_rate=nan"], "training.learning_rate=nan: not a finite number"),
        (["training.learning_rate=-1e-4"], "must be above 0, not -0.0001"),
        (["training.max_steps=-1"], "training.max_steps=-1: must be at least 0"),
        (["training.num_train_epochs=0"], "training.num_train_epochs=0: must be above 0"),
        (["training.max_grad_norm=inf"], "training.max_grad_norm=inf: not a finite number"),
        (["training.rank=0"], "training.rank=0: must be at least 1"),
        (["training.target_modules=[]"], "training.target_modules"),
        (["model.quantization=nf4", "training.method=full"], "model.quantization.*training.method"),
        (["prompt.template=chatlm"], "chatml"),
        (["model.base=./nowhere"], "nowhere"),
    ],
)
def test_settings_that_cannot_be_are_named(
    folder: Path, capsys: Capture, settings: list[str], words: str
) -> None:
    flags = [word for setting in settings for word in ("--set", setting)]
    told = refused(capsys, *flags)
    assert re.search(words, told), told
    assert not (folder / "runs").exists()


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "project.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def all_filtered(folder: Path) -> None:
    edit(folder, "[[data.source]]\n", '[[data.source]]\nwhere = { question = { equals = "zzz" } }\n')


def empty_file(folder: Path) -> None:
    (folder / "rows.jsonl").write_text("")


def number_that_is_none(folder: Path) -> None:
    edit(folder, "max_steps = 4", "max_steps = 4\nlearning_rate = nan")


def pointer_instead_of_weights(folder: Path) -> None:
    from workbench import embedded

    shutil.copytree(embedded.FOLDER, folder / "base")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 3237000\n"
    (folder / "base" / "model.safetensors").write_text(pointer)
    edit(folder, "[data]", '[model]\nbase = "base"\n[data]')


def file_in_the_way(folder: Path) -> None:
    (folder / "runs").write_text("a file")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (all_filtered, ("all 8 rows are lost", "filtered", "nothing-to-train")),
        (empty_file, ("rows.jsonl", "the file is empty")),
        (number_that_is_none, ("project.toml:12", "training.learning_rate", "not a finite number")),
        (pointer_instead_of_weights, ("model.safetensors", "git-lfs pointer", "git lfs pull")),
        (file_in_the_way, ("runs", "a file is in the way", "move the file")),
    ],
)
def test_a_project_that_cannot_train_says_what_and_where(
    folder: Path, capsys: Capture, spoil: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    spoil(folder)
    told = refused(capsys)
    assert [word for word in words if word not in told] == [], told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_runs_that_is_not_writable_is_told(folder: Path, capsys: Capture) -> None:
    (folder / "runs").mkdir(mode=0o555)
    assert "make it writable" in refused(capsys)
