"""Counts of what rules touch in a source, and the rules that are offered for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.data.cleaning.survey import suggest, survey_rules
from workbench.data.dataset import Dataset, open_dataset
from workbench.errors import WorkbenchError
from workbench.project.source import CleaningRule
from workbench.project.store import open_project

SOURCE = '[[data.source]]\nkind = "fields"\npath = "rows.jsonl"\nuser = ["{q}"]\nassistant = "{a}"\n'


def dataset(folder: Path, answers: list[Any], more: str = "", question: str = "Why {}?") -> Dataset:
    """A project with one row for each answer."""
    rows = [{"q": question.format(i), "a": answer} for i, answer in enumerate(answers)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "project.toml").write_text(f'format = 1\nname = "x"\n{SOURCE}{more}')
    return open_dataset(open_project(folder))


def test_each_row_counts_once_for_each_rule(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["<b>&amp;amp;lt;</b>", "plain", "<i>x</i>  y", "", "redirect a"])
    reports = survey_rules(data, 0, ["html", "spaces", "redirects", "bom"], examples=1)
    assert [(r.label, r.touched, r.left_out, len(r.examples)) for r in reports] == [
        ("html", 2, 0, 1),
        ("spaces", 1, 0, 1),
        ("redirects", 1, 1, 1),
        ("bom", 0, 0, 0),
    ]
    stub = reports[2].examples[0]
    assert (stub.row, stub.role, stub.before, stub.reason) == (4, "assistant", "redirect a", "redirect stub")
    spaces = reports[1].examples[0]
    assert (spaces.row, spaces.before, spaces.after) == (2, "x  y", "x y")


def test_rows_are_seen_as_they_were_before_the_sources_own_rules(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["<b>x</b>"], more='clean = ["html"]\n')
    assert survey_rules(data, 0, ["html"])[0].touched == 1


def test_progress_and_an_early_end(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["a  b"] * 1200)
    shares: list[float] = []
    assert survey_rules(data, 0, ["spaces"], shares.append)[0].touched == 1200
    assert shares == [0.0, 500 / 1200, 1000 / 1200, 1.0]
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) == 2

    assert survey_rules(data, 0, ["spaces"], cancelled=cancelled)[0].touched == 500


def test_rules_are_offered_in_an_order_that_works(tmp_path: Path) -> None:
    article = "<p>Text</p>\n== A ==\nmore\n== See also ==\nx"
    data = dataset(
        tmp_path,
        [article, "Answer: a", "Answer: b", "Answer:  c", "Note: once"],
        question="Why {}? Share Prompt",
    )
    offers = suggest(data, 0)
    assert [(offer.label, offer.touched) for offer in offers] == [
        ("html", 1),
        ("wiki_links", 1),
        ("wiki_headings", 1),
        ("spaces", 1),
        ("prefix Answer: in assistant", 3),
        ("suffix Share Prompt", 5),
    ]
    reports = survey_rules(data, 0, [offer.rule for offer in offers])
    assert [report.touched for report in reports] == [1, 1, 1, 1, 3, 5]
    assert {offer.sample for offer in offers} == {5}


def test_the_sample_is_spread_over_the_source(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["plain"] * 500 + ["<b>x</b>"] * 500)
    (offer,) = suggest(data, 0, sample=100)
    assert (offer.label, offer.touched, offer.sample) == ("html", 50, 100)


def test_clean_rows_need_no_rules(tmp_path: Path) -> None:
    assert suggest(dataset(tmp_path, ["plain", "words"]), 0) == []


@pytest.mark.parametrize("source", [-1, 1])
def test_a_source_that_is_not_there_is_told(source: int, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="there is no source"):
        suggest(dataset(tmp_path, ["a"]), source)


def test_a_source_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    dataset(tmp_path, ["a"])
    (tmp_path / "rows.jsonl").unlink()
    with pytest.raises(WorkbenchError, match="no such file"):
        survey_rules(open_dataset(open_project(tmp_path)), 0, [CleaningRule(suffix=["x"])])
