"""The projects that come along: they open, their rows are counted as their READMEs say, and they train."""

import runpy
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from workbench.cli import main
from workbench.data.dataset import open_dataset
from workbench.data.selection import select
from workbench.engine.commands import Commands
from workbench.engine.train import train
from workbench.errors import WorkbenchError
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.lexicon import read_lexicon
from workbench.evaluation.planning import make_plan
from workbench.evaluation.rows import true_label, write_rows
from workbench.project.store import find_projects, open_project
from workbench.prompts.preview import preview, preview_variants
from workbench.prompts.survey.survey import survey
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import create_run

PROJECTS = Path(__file__).parents[2] / "projects"
MADE = ["data", "imports"]
"""Folders that `make_data.py` writes to."""


class Documented(NamedTuple):
    """What a README says of one profile: for each source rows read, trained, validation, test, and those left
    out; names of the findings of `workbench check` beside the notes."""

    sources: dict[str, tuple[int, int, int, int, int]]
    yellow: tuple[str, ...] = ()


TINY = {
    ("classical-chinese", "tiny"): Documented(
        {"train": (161, 124, 36, 0, 1), "public test": (20, 0, 0, 20, 0), "private test": (20, 0, 0, 20, 0)}
    ),
    ("emotion-dialogue", "tiny"): Documented(
        {"train": (158, 154, 0, 0, 4), "validation": (30, 0, 30, 0, 0), "test": (30, 0, 0, 30, 0)},
        ("labels-misaligned",),
    ),
    ("fika-assistant", "tiny"): Documented(
        {
            "FineTome": (86, 84, 0, 0, 2),
            "ShareGPT": (78, 61, 0, 0, 17),
            "ultrachat": (75, 68, 0, 0, 7),
            "held out": (40, 0, 40, 0, 0),
        },
        ("roles", "leak-near"),
    ),
    ("fika-assistant", "tiny-task1"): Documented(
        {"FineTome": (86, 84, 0, 0, 2), "held out": (40, 0, 40, 0, 0)}
    ),
    ("thai-wiki-qa", "tiny"): Documented({"wiki": (104, 76, 11, 0, 17), "test": (12, 0, 0, 12, 0)}),
    ("thai-wiki-qa", "tiny-as-it-was"): Documented(
        {"as it was": (104, 104, 0, 0, 0)},
        ("duplicates", "no-validation", "literal-escapes", "special-token-text"),
    ),
    ("vietnamese-customer-chat", "tiny"): Documented(
        {"conversations": (40, 38, 0, 0, 2), "held out": (30, 0, 29, 0, 1)},
        ("roles", "imbalance", "schedule"),
    ),
}
NAMES = sorted({name for name, _ in TINY})
TRAINED = [("emotion-dialogue", "tiny"), ("thai-wiki-qa", "tiny-as-it-was")]
"""The two that ask most of training: own tokens, and text without a template. Each costs a process."""
EACH = pytest.mark.parametrize(("name", "profile"), TINY, ids=map(" ".join, TINY))


@pytest.fixture
def copy(tmp_path: Path, name: str) -> Path:
    """A copy of the project, as a person has it who has done nothing yet."""
    ignored = shutil.ignore_patterns("runs", "chats", "queue", ".workbench", "__pycache__")
    return Path(shutil.copytree(PROJECTS / name, tmp_path / name, ignore=ignored))


def test_all_projects_are_looked_at() -> None:
    assert [folder.name for folder in find_projects(PROJECTS)] == sorted([*NAMES, "tea-house"])


@pytest.mark.parametrize("name", NAMES)
def test_the_original_experiment_is_what_the_file_holds(name: str) -> None:
    project = open_project(PROJECTS / name)
    assert "/" in project.settings.model.base and project.settings.model.quantization == "nf4"
    assert project.settings.training.preset != "none" and "corrected:" in project.text


@EACH
def test_every_row_is_in_the_documented_count(copy: Path, name: str, profile: str) -> None:
    project = open_project(copy, profile)
    dataset = open_dataset(project)
    reports = select(dataset, project.settings.data).reports
    dataset.close()
    assert {
        report.name: (
            report.read,
            report.train,
            report.validation,
            report.test,
            report.read - report.train - report.validation - report.test,
        )
        for report in reports
    } == TINY[name, profile].sources


@EACH
def test_checks_find_what_is_documented(copy: Path, name: str, profile: str) -> None:
    found = survey(open_project(copy, profile), exact=True)
    assert [finding.name for finding in found.findings if finding.level == "red"] == []
    yellow = [finding.name for finding in found.findings if finding.level == "yellow"]
    assert sorted(yellow) == sorted(TINY[name, profile].yellow)


@EACH
def test_check_lets_a_run_start(copy: Path, name: str, profile: str) -> None:
    assert main(["check", str(copy), "--profile", profile]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_makes_the_files_that_are_there(copy: Path, name: str) -> None:
    def held() -> dict[Path, bytes]:
        folders = (copy / folder for folder in MADE)
        return {file: file.read_bytes() for folder in folders for file in sorted(folder.glob("*.*"))}

    before = held()
    for file in before:
        if file.suffix != ".sh":  # written by hand
            file.unlink()
    runpy.run_path(str(copy / "make_data.py"), run_name="__main__")
    assert held() == before


@EACH
def test_templates_write_the_first_row(copy: Path, name: str, profile: str) -> None:
    project = open_project(copy, profile)
    written = preview(project, None)
    assert any(written["mask"]) and written["text"]
    for variant in preview_variants(project, None)["variants"]:
        assert not variant["error"], variant


@EACH
def test_the_held_out_rows_are_evaluated(copy: Path, name: str, profile: str, tmp_path: Path) -> None:
    project = open_project(copy, profile)
    counts = TINY[name, profile].sources.values()
    held_out = sum(tested for *_, tested, _ in counts) or sum(validated for _, _, validated, *_ in counts)
    if not held_out:
        with pytest.raises(WorkbenchError, match="no row is held out"):
            make_plan(project)
        return
    plan = make_plan(project)
    dataset = open_dataset(project)
    rows = write_rows(Evaluation(tmp_path), plan, dataset, select(dataset, project.settings.data))
    dataset.close()
    assert len(rows) == held_out
    if classifier := project.settings.evaluation.classifier:
        words = read_lexicon(copy / classifier)
        label = project.settings.evaluation.label
        assert [words.classify(row.reference or "").label for row in rows] == [
            true_label(row, label) for row in rows
        ]


@pytest.mark.parametrize(("name", "profile"), TRAINED, ids=map(" ".join, TRAINED))
def test_a_few_steps_train(copy: Path, name: str, profile: str) -> None:
    few = {"training.max_steps": 3, "training.eval_steps": 3, "training.save_steps": 3}
    run = create_run(open_project(copy, profile, few), ["test"], {}, "")
    events = EventWriter(run.events)
    assert train(run, events, Commands(run, events)).state == "finished"
    kinds = [event["kind"] for event in EventTail(run.events).read(max_records=1000, max_seconds=60)]
    assert kinds.count("step") == 3 and "checkpoint" in kinds
    assert ("evaluated" in kinds) == any(counts[2] for counts in TINY[name, profile].sources.values())
