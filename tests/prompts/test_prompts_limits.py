"""Limits on prompt, answer and both: what stays; run, survey and preview say the same of every row."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from surveyed import facts_of, findings, project, rows
from test_prompts_encode import chatml, encoded, example, rejected, trained

from workbench.errors import WorkbenchError
from workbench.prompts.corpus import encode_project
from workbench.prompts.encoding.encode import make_encoder
from workbench.prompts.encoding.limits import Limits
from workbench.prompts.fingerprint import fingerprints
from workbench.prompts.preview import preview, view
from workbench.prompts.survey.survey import survey

MIXED = [
    *rows(30),
    *[row | {"user": row["user"] * 8} for row in rows(4, 1)],
    *[row | {"assistant": row["assistant"] * 8} for row in rows(3, 2)],
    *[{name: text * 8 for name, text in row.items()} for row in rows(2, 3)],
]
SETS = [(150, 90, 90), (110, 0, 70), (1024, 60, 0), (110, 90, 0)]
"""max_tokens, max_prompt_tokens, max_answer_tokens."""
OWN = "max_prompt_tokens = 90\nmax_answer_tokens = 90"


def limited(overlong: str, limits: str = OWN) -> str:
    return f'[data]\nvalidation = 0\noverlong = "{overlong}"\n{limits}\n'


limit = st.integers(0, 30)


@given(st.integers(1, 60), st.integers(-1, 59), st.integers(1, 60), limit, limit)
def test_prompt_and_answer_keep_their_first_tokens(
    tokens: int, answer: int, most: int, prompt_limit: int, answer_limit: int
) -> None:
    answer = min(answer, tokens - 1)
    limits = Limits(most, prompt_limit, answer_limit, "truncate")
    row = list(range(tokens))
    prompt, said = (row, []) if answer < 0 else (row[:answer], row[answer:])
    cut = (prompt[: prompt_limit or None] + said[: answer_limit or None])[:most]
    kept = limits.kept(tokens, answer)
    assert kept.of(row) == cut and kept.tokens == len(cut) <= limits.longest
    assert bool(limits.over(tokens, answer)) == (cut != row)


def test_a_prompt_and_an_answer_are_cut_as_by_qlora(folders: dict[str, Path]) -> None:
    row = example("what is the question " * 4, "answer " * 20)
    whole = encoded(chatml(folders), row)
    first = whole.mask.index(1)
    cut = encoded(chatml(folders, limits=Limits(1024, 10, 7, "truncate")), row)
    for name in ("ids", "mask", "spans"):
        column = getattr(whole, name)
        assert getattr(cut, name) == column[:10] + column[first : first + 7]
    assert (cut.prompt_cut, cut.truncated) == (first - 10, len(whole.ids) - 17) and not cut.stop_trained
    only_prompt = encoded(chatml(folders, limits=Limits(1024, 10, overlong="truncate")), row)
    assert only_prompt.stop_trained and trained(only_prompt) == trained(whole)
    said = view(chatml(folders, limits=Limits(1024, 10, 7, "truncate")), row).warnings
    assert f"the prompt loses its last {first - 10} tokens" in " ".join(said)
    assert any("cut off before its end-of-turn mark" in warning for warning in said)


def test_a_row_over_a_limit_of_its_own_is_left_out(folders: dict[str, Path]) -> None:
    row = example("question " * 9, "answer " * 9)
    assert rejected(chatml(folders, limits=Limits(1024, 10)), row).reason == "prompt too long"
    assert rejected(chatml(folders, limits=Limits(1024, 0, 10)), row).reason == "answer too long"
    both = rejected(chatml(folders, limits=Limits(20, 1000, 10, "error")), row)
    assert (both.reason, both.detail.split(", ")[1]) == ("answer too long", "data.max_answer_tokens is 10")


def test_a_conversation_has_its_answers_from_the_first_trained_token_on(folders: dict[str, Path]) -> None:
    row = example("a", "one", "b" * 40, "two")
    limits = Limits(1024, 0, 30, "truncate")
    assert encoded(chatml(folders, limits=limits), row).truncated > 0
    assert encoded(chatml(folders, limits=limits, train_on="last"), row).truncated == 0
    assert encoded(chatml(folders, limits=Limits(1024, 1, overlong="truncate"), train_on="all"), row)


def test_each_limit_has_its_finding(tmp_path: Path) -> None:
    found = findings(project(tmp_path / "drop", MIXED, more=limited("drop")))
    assert facts_of(found["prompt-too-long"]) == ("yellow", 6)
    assert facts_of(found["answer-too-long"]) == ("yellow", 5)
    assert (
        "with a prompt longer than data.max_prompt_tokens = 90 are left out" in found["prompt-too-long"].what
    )
    assert "30 rows, effective" in found["schedule"].what
    found = findings(project(tmp_path / "truncate", MIXED, more=limited("truncate")))
    assert facts_of(found["prompt-truncated"]) == ("yellow", 6)
    assert "lose their end, and with it what asks for the answer" in found["prompt-truncated"].what
    assert "data.max_prompt_tokens = " in found["prompt-truncated"].hint
    assert "5 lose the end of their answer" in found["answer-truncated"].what
    assert "39 rows, effective" in found["schedule"].what
    found = findings(project(tmp_path / "error", MIXED, more=limited("error")))
    assert found["prompt-too-long"].blocks and found["answer-too-long"].blocks
    few = findings(project(tmp_path / "few", MIXED[:31] + rows(200, 7), more=limited("truncate")))
    assert facts_of(few["prompt-truncated"]) == ("yellow", 1), "never a detail"
    accepted = limited("truncate", "max_prompt_tokens = 8\naccept = ['prompt-truncated']")
    found = findings(project(tmp_path / "red", MIXED, more=accepted))
    assert facts_of(found["prompt-truncated"]) == ("red", 39) and not found["prompt-truncated"].blocks


def test_held_out_rows_over_a_limit_of_their_own(tmp_path: Path) -> None:
    more = limited("error", "max_prompt_tokens = 90")
    split = {1: 'split = "validation"'}
    found = findings(project(tmp_path, rows(150), MIXED, source=split, more=more))
    assert facts_of(found["prompt-too-long"]) == ("red", 6)
    assert "held out: prompt longer than data.max_prompt_tokens = 90" in found["prompt-too-long"].what
    assert "data.max_prompt_tokens" in found["held-out-lost"].hint


def test_only_what_stays_of_a_row_has_to_fit_into_the_base_model(tmp_path: Path) -> None:
    long = [row | {"user": row["user"] * 400} for row in rows(3, 5)]
    more = "max_tokens = 100000\n"
    found = findings(project(tmp_path / "p", MIXED + long, more=limited("drop", more)))
    assert found["context"].blocks
    for way in ("drop", "truncate"):
        found = findings(project(tmp_path / way, MIXED + long, more=limited(way, more + OWN)))
        assert "context" not in found


@pytest.mark.parametrize("overlong", ["drop", "truncate"])
@pytest.mark.parametrize(("most", "prompt", "answer"), SETS)
def test_run_survey_and_preview_agree(
    tmp_path: Path, overlong: str, most: int, prompt: int, answer: int
) -> None:
    own = f"max_tokens = {most}\nmax_prompt_tokens = {prompt}\nmax_answer_tokens = {answer}"
    opened = project(tmp_path, MIXED, more=limited(overlong, own))
    trains = encode_project(opened)
    facts = survey(opened).facts
    lost = Counter({reason: len(lines) for reason, lines in trains.report[0].rejected.items()})
    told = {
        "cut off before the answer": "nothing to train",
        "the answer has no token of its own": "nothing to train",
    }
    expected: Counter[str] = Counter()
    for reason, mark in facts.tokens.parts[0].lost.items():
        expected[told.get(reason, reason)] += mark.count
    assert lost == expected
    assert sorted(facts.statistics.train_lengths) == sorted(len(row.ids) for row in trains.train)
    assert len(trains.train) > 9 and max(len(row.ids) for row in trains.train) <= most
    for row in trains.train[::7]:
        shown: dict[str, Any] = preview(opened, row.origin.row)
        assert (shown["ids"], shown["mask"]) == (list(row.ids), list(row.mask))
        assert (shown["truncated"], shown["prompt_cut"]) == (row.truncated, row.prompt_cut)
    encoder = make_encoder(opened)
    asked = example("question " * 900).messages
    assert len(encoder.prompt(asked)[0]) > most, "chat sends a prompt whole"


def test_rows_over_a_limit_can_be_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match=r"raise data\.max_prompt_tokens and data\.max_answer_tokens,"):
        encode_project(project(tmp_path, MIXED, more=limited("error")))


def test_a_resumed_run_has_the_same_limits(tmp_path: Path) -> None:
    plain = fingerprints(project(tmp_path / "p", MIXED, more=limited("drop", "")))["data"]
    own = [limited("drop", "max_prompt_tokens = 90"), limited("drop", "max_answer_tokens = 90")]
    others = [fingerprints(project(tmp_path / "p", MIXED, more=each))["data"] for each in own]
    assert len({plain, *others}) == 3
