"""Blind votes: chance decides the sides, the last vote counts, and no winner is called too early."""

from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.evaluation.votes import (
    Ballot,
    Choice,
    Vote,
    ballots,
    read_votes,
    said_of,
    still_open,
    tally,
    vote,
)

KEYS = [(0, row) for row in range(200)]


def votes_of(wins: int, losses: int, ties: int = 0, bad: int = 0) -> list[Vote]:
    choices = ["A"] * wins + ["B"] * losses + ["tie"] * ties + ["both bad"] * bad
    return [
        Vote(source=0, row=i, time=float(i), left="a", right="b", vote=choice)  # type: ignore[arg-type]
        for i, choice in enumerate(choices)
    ]


def test_the_seed_alone_decides_sides_and_order() -> None:
    drawn = ballots(KEYS, ["base", "tuned"], 7)
    assert drawn == ballots(KEYS, ["tuned", "base"], 7)
    assert drawn != ballots(KEYS, ["base", "tuned"], 8)
    assert {(each.source, each.row) for each in drawn} == set(KEYS)
    assert [each.row for each in drawn] != sorted(each.row for each in drawn)
    lefts = Counter(each.left for each in drawn)
    assert 70 < lefts["base"] < 130, "neither contestant is always on one side"


def test_sides_stay_when_rows_are_added() -> None:
    few = set(ballots(KEYS[:50], ["base", "tuned"], 7))
    assert few < set(ballots(KEYS, ["base", "tuned"], 7))


def test_every_two_of_several_contestants_meet() -> None:
    drawn = ballots([(0, 1), (1, 1)], ["a", "b", "c"], 0)
    assert len(drawn) == 6
    assert Counter(frozenset((each.left, each.right)) for each in drawn).most_common(1)[0][1] == 2


def test_the_last_vote_on_two_answers_counts(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    assert read_votes(path) == ([], 0)
    vote(path, Ballot(0, 1, "a", "b"), "A", "Ada")
    vote(path, Ballot(0, 2, "a", "b"), "tie", "Ada")
    vote(path, Ballot(0, 1, "b", "a"), "A", "Ada")
    vote(path, Ballot(0, 1, "a", "b"), "A", "Bob")
    votes, broken = read_votes(path)
    assert [(each.row, each.winner, each.rater) for each in votes] == [
        (1, "b", "Ada"),
        (2, "", "Ada"),
        (1, "a", "Bob"),
    ]
    assert broken == 0
    drawn = [Ballot(0, 1, "a", "b"), Ballot(0, 2, "b", "a"), Ballot(0, 3, "a", "b"), Ballot(1, 1, "a", "b")]
    assert still_open(drawn, votes, "Ada") == drawn[2:]
    assert still_open(drawn, votes, "Bob") == drawn[1:]


def test_a_torn_line_is_left_out_and_counted_once_something_follows(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    vote(path, Ballot(0, 1, "a", "b"), "A")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])
    assert [each.row for each in read_votes(path)[0]] == [1] and read_votes(path)[1] == 0
    vote(path, Ballot(0, 2, "a", "b"), "B")
    votes, broken = read_votes(path)
    assert [each.row for each in votes] == [1, 2] and broken == 1
    assert "left out: 1 row" in said_of(tally(votes), broken)[-1]
    path.write_bytes(whole.rstrip(b"\n"))
    assert len(read_votes(path)[0]) == 1, "an editor left out the last line break"


def test_a_vote_that_cannot_be_kept_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="cannot be written"):
        vote(tmp_path / "none" / "votes.jsonl", Ballot(0, 1, "a", "b"), "A")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WorkbenchError, match="cannot be read"):
        read_votes(tmp_path / "folder")


@pytest.mark.parametrize(
    ("counts", "winner"),
    [((6, 4), ""), ((8, 2, 3), ""), ((10, 0), "a"), ((0, 12, 2, 1), "b"), ((59, 41), ""), ((60, 40), "a")],
)
def test_a_winner_is_called_only_when_the_interval_is_past_a_half(
    counts: tuple[int, ...], winner: str
) -> None:
    (found,) = tally(votes_of(*counts))
    assert found.winner == winner
    assert found.votes == sum(counts)
    assert found.verdict.startswith(f"{winner} is better" if winner else "no winner yet")


@given(st.lists(st.tuples(st.sampled_from(get_args(Choice)), st.booleans()), min_size=1, max_size=40))
def test_sides_do_not_matter(given_votes: list[tuple[str, bool]]) -> None:
    turned = {"A": "B", "B": "A"}
    straight, crossed = [], []
    for i, (choice, cross) in enumerate(given_votes):
        sides = {"left": "a", "right": "b", "vote": choice}
        straight.append(Vote(source=0, row=i, time=0.0, **sides))  # type: ignore[arg-type]
        if cross:
            sides = {"left": "b", "right": "a", "vote": turned.get(choice, choice)}
        crossed.append(Vote(source=0, row=i, time=0.0, **sides))  # type: ignore[arg-type]
    assert tally(straight) == tally(crossed)
    (found,) = tally(straight)
    assert found.interval[0] <= found.share <= found.interval[1]


def test_several_raters_are_said() -> None:
    votes = votes_of(10, 0)
    votes += [each.model_copy(update={"rater": "Bob"}) for each in votes]
    assert "several people voted" in said_of(tally(votes), 0)[-1]
