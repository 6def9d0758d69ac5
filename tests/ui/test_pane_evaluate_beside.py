"""Answers side by side: seen, rated blind, edited, remarked on, and written as rows to train on."""

import json
from collections import Counter
from pathlib import Path

import pytest
from desk import SIZES, Desk, at_desk, make_project
from textual.widgets import Static
from written_evaluations import evaluation

from workbench.evaluation.corrections import read_corrections
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.issues import IssueLog
from workbench.evaluation.votes import read_votes
from workbench.ui.panes.evaluate import EvaluatePane
from workbench.ui.panes.evaluate.beside import AnswerColumn, BesideView
from workbench.ui.widgets.message_input import MessageInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_project(tmp_path / "p")


@pytest.fixture
def made(folder: Path) -> Evaluation:
    return evaluation(folder)


def view(desk: Desk) -> BesideView:
    return desk.app.desk.query_one(BesideView)


def columns(desk: Desk) -> list[str]:
    """Name and answer of each column in view."""
    shown = [column for column in view(desk).query(AnswerColumn) if column.display]
    return ["\n".join(str(each.render()) for each in column.query(Static)) for column in shown]


@pytest.mark.parametrize("size", SIZES)
async def test_as_many_columns_as_can_be_read(made: Evaluation, size: tuple[int, int]) -> None:
    async with at_desk(made.folder.parents[1], size) as desk:
        await desk.press("5", "f")
        await desk.sees("row 1 of 4", "How is [/red] number 0?")
        if size[1] > 15:
            await desk.sees("reference", "It is number 0.")
        assert [text.split("\n")[0].split("  ppl")[0] for text in columns(desk)] == (
            ["> base", "step 10", "step 20"] if size[0] == 200 else ["> base", "step 20"]
        )
        assert "! not-stopped" in columns(desk)[0] and "step 20 says: number 0." in columns(desk)[-1]
        await desk.press("left")
        await desk.sees("row 4 of 4")
        await desk.press("right", "right")
        await desk.sees("row 2 of 4", "number 1?")


async def test_another_model_is_put_in(made: Evaluation) -> None:
    async with at_desk(made.folder.parents[1]) as desk:
        await desk.press("5", "f")
        await desk.sees("1 more do not fit")
        await desk.press("m")
        await desk.type("step 10")
        await desk.sees("[ ] step 10")  # there is no room for it: it is not in view
        await desk.press("enter")
        await desk.until(lambda: "step 10 says" in columns(desk)[1])
        assert "base" in columns(desk)[0]
        await desk.press("m")
        await desk.type("step 10")
        await desk.sees("[x] step 10")
        await desk.press("enter")
        await desk.until(lambda: len(columns(desk)) == 1)


async def test_rating_is_blind_and_goes_on_by_itself(made: Evaluation) -> None:
    async with at_desk(made.folder.parents[1]) as desk:
        await desk.press("5", "f")
        await desk.sees("row 1 of 4")
        await desk.press("a")
        await desk.hears("r starts rating")
        await desk.press("r")
        first: dict[str, str] = {}
        for left, key in zip((4, 3, 2, 1), ("a", "b", "equals_sign", "0"), strict=True):
            await desk.sees(f"Rating, {left} to go", "which answer is better?")
            drawn = columns(desk)
            assert [text.split("\n")[0].strip() for text in drawn] == ["A", "B"]
            assert not any("ppl" in text or "not-stopped" in text for text in drawn), "nothing gives it away"
            first[str(view(desk).row)] = "base" if "again" in drawn[0] else "step 20"
            for refused in ("e", "right", "m"):
                await desk.press(refused)
            await desk.hears("you are rating")
            await desk.press(key)
        await desk.sees("All of them are rated", "no winner yet: ", "1 as good, 1 both bad")
        await desk.press("escape", "r")
        await desk.sees("are rated")
    votes, broken = read_votes(made.votes)
    assert not broken and Counter(vote.vote for vote in votes) == Counter(("A", "B", "tie", "both bad"))
    assert {str(vote.row): vote.left for vote in votes} == first, "what was voted on is what was shown"


async def test_rating_can_be_left_and_taken_up(made: Evaluation) -> None:
    async with at_desk(made.folder.parents[1]) as desk:
        await desk.press("5", "f")
        await desk.sees("row 1 of 4")
        await desk.press("r", "a", "escape")
        await desk.sees("What was rated so far")
        await desk.press("escape", "escape")
        await desk.hears("r starts rating")
        assert "ppl" in desk.text
    async with at_desk(made.folder.parents[1]) as desk:
        await desk.press("5", "f")
        await desk.sees("row 1 of 4")
        await desk.press("r")
        await desk.sees("Rating, 3 to go")


async def test_an_answer_is_edited_and_written_as_a_row(made: Evaluation) -> None:
    project = made.folder.parents[1]
    async with at_desk(project, (100, 40)) as desk:
        await desk.press("5", "f")
        await desk.sees("row 1 of 4")
        await desk.press("w", "enter")
        await desk.hears("there are no preferences rows to write")
        await desk.press("e")
        await desk.until(lambda: desk.app.screen.query(MessageInput))
        text = desk.app.screen.query_one(MessageInput)
        assert text.text.startswith("again and again")
        text.text = "It is\nthe first."
        await desk.press("enter")
        await desk.sees("✎ edited: It is")
        await desk.press("w", "down", "enter")
        await desk.hears("1 row written to")
    corrections, _ = read_corrections(made.corrections)
    assert [(each.key, each.contestant) for each in corrections] == [((0, 0), "base")]
    (row,) = map(json.loads, (project / "data" / f"edited-{made.id}.jsonl").read_text().splitlines())
    assert [turn["content"] for turn in row["messages"]] == ["How is [/red] number 0?", "It is\nthe first."]
    assert row["tags"] == {"emotion": "happy"}


async def test_votes_are_written_as_preferences(made: Evaluation) -> None:
    project = made.folder.parents[1]
    async with at_desk(project) as desk:
        await desk.press("5", "f")
        await desk.sees("row 1 of 4")
        await desk.press("r")
        better = columns(desk)[0]
        await desk.press("a", "escape", "escape", "w", "enter")
        await desk.hears("1 row written to")
    (row,) = map(json.loads, (project / "data" / f"preferences-{made.id}.jsonl").read_text().splitlines())
    assert row["chosen"][0]["content"] in better and row["rejected"][0]["content"] not in better
    assert row["prompt"][0]["role"] == "user"


async def test_an_issue_is_noted_reworded_and_settled(made: Evaluation) -> None:
    log = IssueLog(made.issues)
    async with at_desk(made.folder.parents[1]) as desk:
        await desk.press("5", "f")
        await desk.sees("row 1 of 4")
        await desk.press("tab", "i")
        await desk.type("wrong number")
        await desk.press("enter")
        await desk.until(lambda: desk.app.screen.query(MessageInput))
        await desk.type("says 0")
        await desk.press("enter")
        await desk.sees("◆ wrong number: says 0")
        (issue,) = log.read()
        assert issue.contestant == "step 20" and issue.open, "the column that has the keys"
        await desk.press("i")
        await desk.type("settle")
        await desk.press("enter")
        await desk.until(lambda: not log.read()[0].open)
        await desk.until(lambda: "◆" not in desk.text)


async def test_without_answers_there_is_nothing_to_judge(made: Evaluation) -> None:
    for number in range(3):
        made.contestant(number).answers.unlink()
    async with at_desk(made.folder.parents[1]) as desk:
        await desk.press("5", "f")
        await desk.sees("no answer yet")
        for key in ("e", "i"):
            await desk.press(key)
            await desk.hears("there is no answer of this model")
        await desk.press("r")
        await desk.sees("are rated", "nothing yet")


async def test_one_model_has_nothing_beside_it(folder: Path) -> None:
    evaluation(folder, ("base",))
    async with at_desk(folder) as desk:
        await desk.press("5", "f")
        await desk.sees("row 1 of 4")
        await desk.press("r")
        await desk.hears("nothing to hold it against")
        assert len(columns(desk)) == 1 and desk.app.desk.query_one(EvaluatePane).in_view
