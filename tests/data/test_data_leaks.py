"""Leaks: each held-out row that is trained on is named with the training row, the worst likeness first."""

import json
from pathlib import Path

from workbench.data.dataset import open_dataset
from workbench.data.likeness.leaks import Leaks, find_leaks
from workbench.data.selection import select
from workbench.project.schema import Project
from workbench.project.store import OpenProject

LONG = (
    "It was built for the sailors of the north, who came home with colours that nobody knew. The museum of "
    "glass stands by the old harbour, has forty rooms, and shows lamps, bowls and windows."
)
TRAIN = [("Who?", "Mai."), ("Where is it?", "There."), ("Tell me of it", LONG), ("Far?", "Near.")]


def leaks(folder: Path, train: list[tuple[str, str]], held: list[tuple[str, str]], split: str) -> Leaks:
    tables = []
    for name, pairs in (("train", train), (split, held)):
        rows = [{"q": asked, "a": said} if said else {"q": asked} for asked, said in pairs]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        tables.append(
            {"kind": "fields", "path": f"{name}.jsonl", "user": ["{q}"], "assistant": "{a}", "split": name}
        )
    settings = Project.model_validate({"name": "test", "data": {"source": tables}})
    dataset = open_dataset(OpenProject(folder, folder / "project.toml", "", settings, None, {}))
    return find_leaks(dataset, select(dataset, settings.data))


def test_the_worst_likeness_of_each_held_out_row(tmp_path: Path) -> None:
    held = [
        ("Where is it?", "There."),
        ("WHERE is it", "Over the hills."),
        ("Tell me of it!", LONG.replace("forty", "fifty")),
        ("Tell about it", LONG),
        ("New?", "Yes, all of it."),
    ]
    found = leaks(tmp_path, TRAIN, held, "validation")
    assert [(leak.held_out.row, leak.trained.row, leak.likeness) for leak in found.found] == [
        (0, 1, "same"),
        (1, 1, "same question"),
        (2, 2, "same question"),
        (3, 2, "nearly the same"),
    ]
    assert (found.held_out, found.trained) == (5, 4)
    assert {leak.held_out.source for leak in found.found} == {1}


def test_rows_without_an_answer_are_compared_by_their_question(tmp_path: Path) -> None:
    found = leaks(tmp_path, TRAIN, [("where is it", ""), ("else?", "")], "test")
    assert [(leak.held_out.row, leak.likeness) for leak in found.found] == [(0, "same question")]


def test_nothing_is_held_out(tmp_path: Path) -> None:
    assert leaks(tmp_path, TRAIN, [("else?", "Yes.")], "train") == Leaks([], 0, 0)
