"""`workbench augment` as its user types it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Workbench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def asked(folder: Path) -> Path:
    """The small project with two ways to put a question."""
    with (folder / "project.toml").open("a") as file:
        file.write('[augmentation]\nparaphrases = ["Tell me: {text}", "{text} Thanks."]\n')
    return folder


def test_rows_are_shown_written_and_added(asked: Path, workbench: Workbench) -> None:
    done = workbench("augment", "small", "--target", "10")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()[:4]]
    assert lines == [
        ["originals", "trained", "on", "6"],
        ["made", "by", "template", "4"],
        ["in", "training", "10"],
        ["held", "out,", "nothing", "made", "from", "them", "2"],
    ]
    assert "rows.jsonl row " in done.stdout and "added to project.toml" in done.stderr
    assert len((asked / "data/augmented.jsonl").read_text().splitlines()) == 4
    assert 'path = "data/augmented.jsonl"' in (asked / "project.toml").read_text()
    again = workbench("augment", "small", "--target", "10")
    assert again.returncode == 0 and "already" in again.stderr


def test_dry_writes_nothing(asked: Path, workbench: Workbench) -> None:
    before = (asked / "project.toml").read_bytes()
    done = workbench("augment", "small", "--dry", "--json")
    made = json.loads(done.stdout)
    assert done.returncode == 0
    assert (made["originals"], made["made"], made["total"], made["held_out"]) == (6, 12, 18, 2)
    assert made["kinds"] == {"template": 12} and not made["written"]
    assert made["examples"][0]["made_from"]["by"]
    assert (asked / "project.toml").read_bytes() == before and not (asked / "data").exists()


def test_a_target_out_of_reach_is_a_finding(asked: Path, workbench: Workbench) -> None:
    done = workbench("augment", "small", "--target", "100")
    assert done.returncode == 1
    assert "only 12 rows can be made, 82 fewer than the target of 100" in done.stderr
    assert (asked / "data/augmented.jsonl").exists()


def test_an_edited_file_needs_force(asked: Path, workbench: Workbench) -> None:
    workbench("augment", "small")
    file = asked / "data/augmented.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    refused = workbench("augment", "small")
    assert refused.returncode == 2 and "--force" in refused.stderr and "Traceback" not in refused.stderr
    assert workbench("augment", "small", "--force").returncode == 0


def test_without_anything_to_do_it_says_what_is_missing(folder: Path, workbench: Workbench) -> None:
    done = workbench("augment", "small")
    assert done.returncode == 1 and "[augmentation]" in done.stderr
    assert not (folder / "data").exists()


def test_breaking_names_the_setting_that_goes_with_it(folder: Path, workbench: Workbench) -> None:
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"text {n}"} for n in range(6)]
    (folder / "rows.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    (folder / "project.toml").write_text(
        'format = 1\nname = "small"\n[data]\nvalidation = 0\n'
        '[[data.source]]\nkind = "messages"\npath = "rows.jsonl"\n'
        "[augmentation]\nbreak_conversations = true\n"
    )
    done = workbench("augment", "small", "--dry")
    assert done.returncode == 0 and "train_on" in done.stderr
    last = workbench("augment", "small", "--dry", "--set", "data.train_on=last")
    assert last.returncode == 0 and "train_on" not in last.stderr


def test_near_duplicates_that_are_dropped_are_warned_of(asked: Path, workbench: Workbench) -> None:
    assert "near_duplicates" not in workbench("augment", "small", "--dry").stderr
    done = workbench("augment", "small", "--dry", "--set", "data.near_duplicates=drop")
    assert done.returncode == 0 and "near_duplicates" in done.stderr
