"""One survey of all rows: kept, found again, never trusted when broken; of many rows a sample."""

import json
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surveyed import project, rows

from workbench.data.report import SourceReport
from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.prompts.survey import survey_process
from workbench.prompts.survey.checks import gather
from workbench.prompts.survey.survey import survey, survey_cached
from workbench.prompts.survey.survey_cache import KEPT, load, plain_report, read_report, store
from workbench.prompts.survey.survey_process import run_survey, survey_words


def kept(opened: OpenProject) -> list[Path]:
    return sorted((opened.folder / ".workbench").glob("survey-*.json"))


def test_it_is_made_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = project(tmp_path / "p", [*rows(60), {"user": "x", "assistant": ""}])
    assert survey_cached(opened) is None
    shares: list[float] = []
    made = survey(opened, shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert made.facts.used == 60 and made.statistics.exact
    monkeypatch.setattr("workbench.prompts.survey.survey.gather", lambda *_: pytest.fail("looked again"))
    again = survey(opened)
    assert (again.facts, again.findings, again.reports) == (made.facts, made.findings, made.reports)
    assert survey_cached(opened) == again
    assert (opened.folder / ".workbench" / ".gitignore").read_text() == "*\n"


def test_settings_of_the_run_need_no_second_look(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(60))
    survey(opened)
    other = {"training.max_steps": 1, "chat.system": "Be brief.", "data.accept": ["leak"]}
    found = survey_cached(open_project(opened.folder, None, other))
    assert (
        found
        and {"schedule": "yellow", "system-differs": "yellow"}.items()
        <= {finding.name: finding.level for finding in found.findings}.items()
    )


@pytest.mark.parametrize(
    "key, value",
    [
        ("data.seed", 1),
        ("data.max_tokens", 99),
        ("data.validation", 0.5),
        ("prompt.system", "Be brief."),
        ("prompt.template", "chatml"),
    ],
)
def test_what_the_facts_depend_on_needs_a_new_look(tmp_path: Path, key: str, value: Any) -> None:
    opened = project(tmp_path / "p", rows(60))
    survey(opened)
    assert survey_cached(open_project(opened.folder, None, {key: value})) is None


def test_changed_rows_need_a_new_look_and_few_surveys_stay(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(40))
    survey(opened)
    with (opened.folder / "rows0.jsonl").open("a") as file:
        file.write(json.dumps(rows(1, 5)[0]) + "\n")
    assert survey_cached(opened) is None
    assert survey(opened).facts.used == 41
    for seed in range(KEPT + 2):
        survey(open_project(opened.folder, None, {"data.seed": seed}))
    assert len(kept(opened)) == KEPT


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"v": 2}', b'{"v": 1, "exact": true}', b"\xff" * 9])
def test_a_broken_file_is_as_if_it_were_not_there(tmp_path: Path, broken: bytes) -> None:
    opened = project(tmp_path / "p", rows(40))
    made = survey(opened)
    kept(opened)[0].write_bytes(broken)
    assert survey_cached(opened) is None
    assert survey(opened).findings == made.findings
    assert survey_cached(opened)


def test_parts_of_a_kept_file_that_are_of_another_kind(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(40))
    survey(opened)
    (file,) = kept(opened)
    good = json.loads(file.read_text())
    for key in ("facts", "reports", "exact"):
        file.write_text(json.dumps({name: value for name, value in good.items() if name != key}))
        assert key == "exact" or survey_cached(opened) is None
    for value in (3, {"rows": "many"}, None):
        file.write_text(json.dumps(good | {"facts": value}))
        assert survey_cached(opened) is None


@given(st.lists(st.integers(0, 60), unique=True).map(sorted), st.lists(st.text()))
def test_a_report_is_kept_whole(places: list[int], reasons: list[str]) -> None:
    report = SourceReport(Path("a/b"), "name", 90, 80, cleaned=Counter({"strip": 3}))
    report.rejected = {reason: array("q", places) for reason in reasons}
    report.duplicate = array("q", places)
    plain = json.loads(json.dumps(plain_report(report)))

    assert read_report(plain) == report


def test_a_folder_that_cannot_be_written_to_keeps_nothing(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(40))
    (opened.folder / ".workbench").write_text("a file is in the way")
    assert survey(opened).facts.used == 40
    assert survey_cached(opened) is None


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(40))
    for after in range(4):
        asked = iter([False] * after)
        with pytest.raises(WorkbenchError, match="cancelled"):
            survey(opened, cancelled=lambda asked=asked: next(asked, True))
    assert not kept(opened)


def test_names_that_no_finding_has_are_refused(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(40), more='[data]\naccept = ["leek", "zzz"]')
    with pytest.raises(WorkbenchError) as caught:
        survey(opened)
    assert "did you mean leak?" in str(caught.value) and "there are: source-lost" in str(caught.value)


def test_of_many_rows_a_sample_is_tokenised_and_the_longest_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("EXACT_CHARACTERS", 1_000),
        ("SAMPLE_ROWS", 200),
        ("SAMPLE_LEAST", 50),
        ("EXTREMES", 3),
    ):
        monkeypatch.setattr(gather, name, value)
    long = [row | {"assistant": row["assistant"] * 40} for row in rows(2, 1)]
    opened = project(tmp_path / "p", rows(900) + long, more="[data]\nmax_tokens = 512\nvalidation = 0.1")
    found = survey(opened)
    train = found.statistics.sides["train"]
    assert not found.statistics.exact
    assert (found.facts.tokens.sample, train.encoded) == (200, 200) and train.rows > 700
    assert found.statistics.sides["validation"].encoded == 40
    assert {(source, row) for source, row, _ in train.longest[:2]} == {(0, 900), (0, 901)}
    (too_long,) = [finding for finding in found.findings if finding.name == "too-long"]
    assert "of 200 rows drawn at random" in too_long.what and too_long.count == 2
    assert found.statistics.sides["train"].question_characters.count == train.rows, (
        "texts are looked at whole"
    )
    assert survey_cached(opened)
    exact = survey(opened, exact=True)
    assert exact.statistics.exact and exact.statistics.sides["train"].encoded == train.rows
    assert survey(opened).statistics.exact, "an exact one serves for both"


def test_marks_stand_in_every_row_however_small_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "EXACT_CHARACTERS", 0)
    monkeypatch.setattr(gather, "SAMPLE_LEAST", 10)
    monkeypatch.setattr(gather, "SAMPLE_ROWS", 10)
    odd = [row | {"assistant": f"{row['assistant']} \ue000"} for row in rows(7, 2)]
    found = survey(project(tmp_path / "p", rows(300) + odd))
    assert found.facts.writing.marks["private_use"].count == 7


# Made by another process


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the rows were many."""
    monkeypatch.setattr(survey_process, "_FEW_BYTES", -1)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Puts a program in place of the one that makes the survey."""
    monkeypatch.setattr(survey_process, "_MODULE", "stand_in")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return (tmp_path / "stand_in.py").write_text


@pytest.mark.usefixtures("elsewhere")
def test_another_process_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey_process, "survey", lambda *_: pytest.fail("made here"))
    folder = project(tmp_path / "a project", rows(60), more="[profile.short]\ntraining.max_steps = 1").folder
    layers = {"prompt.system": 'Say "yes"\nor no', "data.accept": ["leak"], "data.validation": 0.25}
    opened = open_project(folder, "short", layers)
    shares: list[float] = []
    found = run_survey(opened, shares.append)
    assert shares and shares == sorted(shares) and shares[-1] == 1.0
    assert found.facts.used == 60 and found == survey_cached(opened)
    assert "--profile" in survey_words(opened)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("how", ["file", "link"])
def test_another_process_brings_what_it_cannot_keep(tmp_path: Path, how: str) -> None:
    opened = project(tmp_path / "p", rows(60))
    cache, other = opened.folder / ".workbench", tmp_path / "other"
    other.mkdir()
    if how == "file":
        cache.write_text("a file is in the way")
    else:
        cache.symlink_to(other)
    found = run_survey(opened)
    assert found.facts.used == 60 and found == survey(opened)
    assert survey_cached(opened) is None and not list(other.iterdir())


@pytest.mark.usefixtures("elsewhere")
def test_cancelling_ends_the_process(tmp_path: Path, stand_in: Callable[[str], object]) -> None:
    opened = project(tmp_path / "p", rows(40))
    stand_in("import time; print('{\"progress\": 0.5}', flush=True); time.sleep(600)")
    seen: list[float] = []
    with pytest.raises(WorkbenchError, match="cancelled"):
        run_survey(opened, seen.append, lambda: bool(seen))
    assert seen == [0.5]


@pytest.mark.usefixtures("elsewhere")
def test_what_went_wrong_there_is_told_here(tmp_path: Path, stand_in: Callable[[str], object]) -> None:
    opened = project(tmp_path / "p", rows(40))
    for script, said in (
        ('print(\'{"error": "no such thing"}\')', "no such thing"),
        ("import sys; sys.exit('it broke')", "it broke"),
        ("pass", "ended with 0"),
    ):
        stand_in(script)
        with pytest.raises(WorkbenchError, match=said):
            run_survey(opened)


@pytest.mark.usefixtures("elsewhere")
def test_a_source_that_cannot_be_read_is_told_and_not_kept(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(40), rows(3, 1))
    (opened.folder / "rows1.jsonl").unlink()
    with pytest.raises(WorkbenchError, match="no such file"):
        run_survey(opened)
    assert survey(opened).findings[0].name == "source-lost" and not kept(opened)


def test_store_and_load_are_of_one_mind(tmp_path: Path) -> None:
    made = survey(project(tmp_path / "p", rows(40)))
    file = tmp_path / "kept" / "survey-0.json"
    store(file, made.facts, made.reports, exact=False)
    assert load(file, exact=False) == (made.facts, made.reports)
    assert load(file, exact=True) is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=12))
def test_any_text_can_be_surveyed(told: list[tuple[str, str]]) -> None:
    """Lone surrogates, blanks, special tokens: rows are used or told of, nothing else happens."""
    with tempfile.TemporaryDirectory() as folder:
        opened = project(Path(folder) / "p", [{"user": asked, "assistant": said} for asked, said in told])
        found = survey(opened)
        (report,) = found.reports
        assert report.read == len(told) and report.kept == found.facts.used
        assert survey_cached(opened) == found
        assert all(finding.count >= len(finding.rows) for finding in found.findings)
