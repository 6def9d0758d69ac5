"""What is used of all sources: every row in one count, and no side knows what another one says."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.dataset import open_dataset
from workbench.data.digest import digest_bytes, digest_of, group_bytes, group_of
from workbench.data.example import Example, Message, Origin
from workbench.data.selection import SIDES, Selection, _among, select
from workbench.project.schema import Project
from workbench.project.store import OpenProject

Choose = Callable[..., Selection]


@pytest.fixture
def choose(tmp_path: Path) -> Choose:
    """Selects from sources, each a list of (question, answer) or rows with its further keys."""

    def chosen(*sources: tuple[list[Any], dict[str, Any]], **data: Any) -> Selection:
        tables = []
        for number, (rows, keys) in enumerate(sources):
            file = tmp_path / f"{number}.jsonl"
            plain = [{"q": row[0], "a": row[1]} if isinstance(row, tuple) else row for row in rows]
            file.write_text("".join(json.dumps(row) + "\n" for row in plain))
            tables.append({"kind": "fields", "path": file.name, "user": ["{q}"], "assistant": "{a}", **keys})
        settings = Project.model_validate({"name": "test", "data": {"source": tables, **data}})
        dataset = open_dataset(OpenProject(tmp_path, tmp_path / "project.toml", "", settings, None, {}))
        try:
            return select(dataset, settings.data)
        finally:
            dataset.close()

    return chosen


def pairs(count: int, word: str = "") -> list[tuple[str, str]]:
    return [(f"{word} question {i}", f"answer {i}") for i in range(count)]


def rows(selection: Selection, side: Any) -> list[tuple[int, int]]:
    return [(origin.source, origin.row) for origin in selection.sides[side]]


def test_every_row_is_in_one_count(choose: Choose) -> None:
    broken = [{"q": "no answer"}, {"q": "", "a": "no question"}]
    selection = choose(
        (pairs(50) + pairs(5) + broken, {"where": {"q": {"max_chars": 11}}, "take": 7, "repeat": 3}),
        (pairs(30, "other"), {}),
        duplicates="drop",
        validation=0.2,
    )
    for report in selection.reports:
        left_out = sum(map(len, (*report.filtered.values(), *report.rejected.values())))
        assert report.read == report.kept + left_out
    first, second = selection.reports
    assert (first.read, first.kept) == (57, 15)
    assert sum(map(len, first.rejected.values())) == 2 and sum(map(len, first.filtered.values())) == 40
    assert (len(first.duplicate), first.not_taken) == (5, 3)
    assert first.train % 3 == 0 and first.train // 3 + first.validation == 7
    assert second.train + second.validation == 30 and second.validation
    assert first.used == first.train + first.validation


def test_the_rows_of_the_sides_are_in_order_and_apart(choose: Choose) -> None:
    selection = choose((pairs(200), {}), (pairs(20, "own"), {"split": "train", "repeat": 2}), validation=0.3)
    train, held = rows(selection, "train"), rows(selection, "validation")
    assert train == sorted(train) and held == sorted(held)
    assert not set(train) & set(held) and len(train) + len(held) == 220
    assert {source for source, _ in held} == {0} and selection.repeats == [1, 2]


def test_what_take_draws_stays_when_rows_are_appended(choose: Choose) -> None:
    before = choose((pairs(100), {"take": 30}), validation=0)
    again = choose((pairs(100), {"take": 30}), validation=0)
    other = choose((pairs(100), {"take": 30}), validation=0, seed=1)
    assert rows(before, "train") == rows(again, "train") != rows(other, "train")
    more = choose((pairs(120), {"take": 30}), validation=0)
    assert len(set(rows(before, "train")) - set(rows(more, "train"))) < 15


def test_a_group_stays_on_one_side(choose: Choose) -> None:
    parts = [{"q": f"part {i}", "a": "yes", "talk": i // 10} for i in range(300)]
    selection = choose((parts, {"group": "talk"}), validation=0.3)
    held = {row // 10 for _, row in rows(selection, "validation")}
    assert held and not held & {row // 10 for _, row in rows(selection, "train")}


def test_what_a_training_source_says_is_not_held_out(choose: Choose) -> None:
    selection = choose((pairs(100), {}), (pairs(50), {"split": "train"}), validation=0.5)
    assert rows(selection, "validation")
    assert all(row >= 50 for _, row in rows(selection, "validation"))


def test_a_source_for_validation_leaves_nothing_to_divide(choose: Choose) -> None:
    selection = choose(
        (pairs(40), {}),
        (pairs(5, "held"), {"split": "validation"}),
        ([*pairs(3, "test"), {"q": "for prediction only"}], {"split": "test"}),
    )
    assert [len(selection.sides[side]) for side in SIDES] == [40, 5, 4]


def test_equal_rows_are_named_and_only_left_out_when_asked(choose: Choose) -> None:
    kept = choose((pairs(3) + pairs(2), {}), validation=0)
    assert [(o.source, o.row) for o in kept.duplicates] == [(0, 3), (0, 4)]
    assert kept.reports[0].train == 5 and not kept.reports[0].duplicate
    dropped = choose((pairs(3) + pairs(2), {}), validation=0, duplicates="drop")
    assert list(dropped.reports[0].duplicate) == [3, 4] and rows(dropped, "train") == [(0, 0), (0, 1), (0, 2)]


def test_tags_are_counted_for_each_side(choose: Choose) -> None:
    tags = {"way": {"up": "climb", "down": "fall"}}
    said = [("climb", "1"), ("fall", "2"), ("fall again", "3"), ("rest", "4")]
    selection = choose((said, {"tags": tags}), validation=0)
    assert selection.tags["way"]["train"] == {"up": 1, "down": 2, "": 1}
    assert not selection.tags["way"]["validation"]


def test_a_source_that_loses_all_its_rows_says_so(choose: Choose) -> None:
    wrong = [{"messages": [1, 2]}] * 4
    lost, fine = choose((wrong, {}), (pairs(4), {})).reports
    assert lost.lost and not fine.lost
    assert {reason: len(rows) for reason, rows in lost.rejected.items()} == {'no column "q"': 4}


def test_a_cancelled_selection_decides_nothing(choose: Choose, tmp_path: Path) -> None:
    choose((pairs(4), {}))
    settings = Project.model_validate(
        {"name": "test", "data": {"source": [{"kind": "fields", "path": "0.jsonl", "user": ["{q}"]}]}}
    )
    dataset = open_dataset(OpenProject(tmp_path, tmp_path / "project.toml", "", settings, None, {}))
    selection = select(dataset, settings.data, cancelled=lambda: True)
    assert not selection.complete and not any(selection.sides.values())


def test_near_duplicates_go_when_asked(choose: Choose) -> None:
    said = "The shop opens at nine in the morning and closes at six in the evening on all days but Sunday."
    talks = [
        ("When is it open?", said),
        ("when is it open", said.replace("all days", "every day")),
        ("Where?", "Here."),
    ]
    assert rows(choose((talks, {}), validation=0), "train") == [(0, 0), (0, 1), (0, 2)]
    dropped = choose((talks, {}), validation=0, near_duplicates="drop")
    assert rows(dropped, "train") == [(0, 0), (0, 2)] and list(dropped.reports[0].duplicate) == [1]


def test_cleaning_rules_are_carried_out_and_counted(choose: Choose) -> None:
    said = [("one", "答案：1"), ("two", "2"), ("three", "答案：")]
    selection = choose((said, {"clean": [{"on": "assistant", "prefix": ["答案："]}]}), validation=0)
    [report] = selection.reports
    assert (report.read, report.kept, report.train) == (3, 2, 2)
    assert sum(report.cleaned.values()) == 2 and sum(map(len, report.rejected.values())) == 1


@given(st.lists(st.integers(0, 20)), st.lists(st.integers(0, 20)))
def test_what_two_sides_share_is_found_as_numpy_finds_it(values: list[int], some: list[int]) -> None:
    keys, few = np.array(values, np.uint64), np.array(some, np.uint64)
    assert _among(keys, few).tolist() == np.isin(keys, few).tolist()


@given(st.text(max_size=9))
def test_a_row_without_a_group_and_one_made_from_it_are_of_one_group(text: str) -> None:
    example = Example((Message("user", text), Message("assistant", "yes")), Origin(0, 0))
    for each in (example, replace(example, group="g")):
        own = int.from_bytes(group_bytes(each, digest_bytes(each)), "little")
        assert own == digest_of(group_of(each))


def test_near_duplicates_are_looked_for_on_each_side_alone(choose: Choose) -> None:
    said = "The shop opens at nine in the morning and closes at six in the evening on all days but Sunday."
    talk, alike = ("When is it open?", said), ("when is it open", said.replace("all days", "every day"))
    for sources in (([talk], "train"), ([alike], "test")), (([alike], "test"), ([talk], "train")):
        chosen = choose(*((rows, {"split": side}) for rows, side in sources), near_duplicates="drop")
        assert [len(chosen.sides[side]) for side in SIDES] == [1, 0, 1]


def test_a_group_on_two_sides_is_named(choose: Choose) -> None:
    def part(number: int, talk: str) -> dict[str, str]:
        return {"q": f"part {number}", "a": "yes", "talk": talk}

    selection = choose(
        ([part(1, "a"), part(2, "b")], {"group": "talk"}),
        ([part(3, "b"), part(4, "c"), part(1, "a")], {"group": "talk", "split": "validation"}),
    )
    assert selection.straddling == [(Origin(1, 0), Origin(0, 1))]
    assert selection.leaked == [(Origin(1, 2), Origin(0, 0))]
