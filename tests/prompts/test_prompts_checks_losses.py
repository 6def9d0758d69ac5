"""Rows that are lost only when they are encoded: by source, by side, in a sample, in what is counted."""

from pathlib import Path

import pytest
from surveyed import facts_of, findings, project, rows

from workbench.prompts.corpus import encode_project
from workbench.prompts.survey.checks import gather
from workbench.prompts.survey.survey import survey

LIMIT = "[data]\nmax_tokens = 200\nvalidation = 0\n"
LONG = [row | {"assistant": row["assistant"] * 20} for row in rows(5, 3)]
NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.mark.parametrize("side", ["train", "validation"])
def test_a_source_too_long_whole_is_lost_in_red(tmp_path: Path, side: str) -> None:
    opened = project(tmp_path / "p", rows(150), LONG, source={1: f'split = "{side}"'}, more=LIMIT)
    found = findings(opened)
    assert facts_of(found["source-lost"]) == ("red", 5)
    assert "rows1.jsonl: all 5 rows are left out when encoded: 5 x too long" in found["source-lost"].what
    assert found["source-lost"].rows == [(1, row) for row in range(5)]
    assert "data.max_tokens" in found["source-lost"].hint
    encoded = encode_project(opened)
    assert (len(encoded.train), len(encoded.validation)) == (150, 0)
    assert "150 rows," in found["schedule"].what


@pytest.mark.parametrize("side", ["train", "validation", "test"])
def test_a_source_that_the_template_refuses_is_lost_in_red(tmp_path: Path, side: str) -> None:
    refused = {1: f'split = "{side}"\nsystem = "You are brief."'}
    opened = project(
        tmp_path / "p", rows(150), rows(6, 1), source=refused, more='[prompt]\ntemplate = "own.jinja"'
    )
    (opened.folder / "own.jinja").write_text(NO_SYSTEM)
    found = findings(opened)["source-lost"]
    assert facts_of(found) == ("red", 6) and "no system" in found.hint


def test_held_out_rows_that_are_left_out_are_told(tmp_path: Path) -> None:
    split = {1: 'split = "validation"'}
    found = findings(project(tmp_path / "p", rows(150), rows(20, 1) + LONG, source=split, more=LIMIT))
    assert facts_of(found["held-out-lost"]) == ("yellow", 5)
    assert "5 of 25 rows held out are left out when encoded: 5 x too long" in found["held-out-lost"].what
    assert not {"no-validation", "source-lost", "too-long"} & set(found)
    found = findings(project(tmp_path / "q", rows(150), LONG, source=split, more=LIMIT))
    assert facts_of(found["no-validation"]) == ("yellow", 5)
    error = f'{LIMIT}overlong = "error"\n'
    found = findings(project(tmp_path / "r", rows(150), rows(20, 1) + LONG, source=split, more=error))
    assert facts_of(found["too-long"]) == ("red", 5)
    cut = f'{LIMIT}overlong = "truncate"\n'
    assert "held-out-lost" not in findings(project(tmp_path / "s", rows(150), LONG, source=split, more=cut))


def test_test_rows_need_no_answer_and_have_no_limit(tmp_path: Path) -> None:
    asked = [*LONG, {"user": "What is it?"}]
    found = findings(project(tmp_path / "p", rows(150), asked, source={1: 'split = "test"'}, more=LIMIT))
    assert not {"held-out-lost", "source-lost"} & set(found)


def test_a_sample_looks_into_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "EXACT_CHARACTERS", 0)
    monkeypatch.setattr(gather, "SAMPLE_LEAST", 10)
    monkeypatch.setattr(gather, "SAMPLE_ROWS", 10)
    monkeypatch.setattr(gather, "EACH_SOURCE", 3)
    monkeypatch.setattr(gather, "EXTREMES", 1)
    found = survey(project(tmp_path / "p", rows(600), LONG, more=LIMIT))
    (lost,) = [finding for finding in found.findings if finding.name == "source-lost"]
    assert lost.level == "red" and "looked at are left out" in lost.what
    (planned,) = [finding for finding in found.findings if finding.name == "schedule"]
    assert planned.what.startswith("about 600 rows")


def test_losses_count_as_often_as_their_source_repeats(tmp_path: Path) -> None:
    sources = {0: "repeat = 1", 1: "repeat = 7"}
    opened = project(tmp_path / "p", rows(150), LONG + rows(2, 1), source=sources, more=LIMIT)
    assert len(encode_project(opened).train) == 164
    assert findings(opened)["schedule"].what.startswith("164 rows with `repeat`")
