"""Rows, steps and epochs as the trainer will count them."""

from pathlib import Path

import pytest
from surveyed import findings, project, rows

from workbench.project.schema import Project
from workbench.prompts.survey.checks.about_schedule import schedule
from workbench.prompts.survey.checks.facts import Facts, Marked, Part, Tokenised
from workbench.prompts.survey.statistics import Statistics


def facts(*parts: Part) -> Facts:
    return Facts(tokens=Tokenised(parts=list(parts)))


def part(rows: int, lost: int = 0, source: int = 0, repeat: int = 1) -> Part:
    """Training rows that were all encoded."""
    return Part(source, "train", rows, repeat, rows, rows, lost, {"too long": Marked(lost)} if lost else {})


def settings(**training: object) -> Project:
    return Project(name="p", training=training)  # type: ignore[arg-type]


def test_the_seeds_own_figures() -> None:
    """Of 10,000 rows 7,976 are trained on: 10,000 steps of 16 are 20 epochs."""
    asked = settings(max_steps=10_000, per_device_train_batch_size=1, gradient_accumulation_steps=16)
    found = schedule(facts(part(7_976)), asked)
    assert found and (found.effective_batch, found.steps_per_epoch, found.steps) == (16, 499, 10_000)
    assert found.epochs == pytest.approx(20.04, abs=0.01)


def test_rows_that_do_not_train_are_not_counted() -> None:
    held_out = Part(0, "validation", 10, looked_at=10, sample=10)
    found = schedule(facts(part(100, 15), held_out), settings(per_device_train_batch_size=5))
    assert found and (found.rows, found.exact, found.steps_per_epoch) == (85, True, 17)
    assert schedule(facts(part(3, 3)), settings()) is None


def test_what_a_source_loses_counts_as_often_as_it_repeats() -> None:
    found = schedule(facts(part(100, 90, repeat=10), part(400, 0, 1)), settings())
    assert found and (found.rows, found.exact) == (500, True)


def test_a_sample_gives_an_estimate_and_repeats_count() -> None:
    """Rows chosen for their length say nothing about how many are too long."""
    drawn = Part(0, "train", 1_000_000, 2, 20_200, 20_000, 2_000, {"too long": Marked(2_200)})
    found = schedule(facts(drawn), settings())
    assert found and (found.rows, found.exact) == (1_800_000, False)
    assert facts(Part(0, "train", 50)).left("train") == 50


def test_packed_rows_make_fewer_steps() -> None:
    seen = facts(part(4))
    seen.statistics = Statistics(train_lengths=[512, 512, 512, 512])
    found = schedule(seen, settings(packing="bfd", per_device_train_batch_size=1))
    assert found and (found.batches_of, found.steps_per_epoch, found.rows) == (2, 2, 4)


@pytest.mark.parametrize(
    ("training", "doubt"),
    [
        ("num_train_epochs = 3", ""),
        ("max_steps = 5", "never seen"),
        ("num_train_epochs = 50", "by heart"),
        ("warmup_steps = 500", "never ends"),
        ('lr_scheduler_type = "constant"', ""),
        ('lr_scheduler_type = "constant"\nwarmup_steps = 500', ""),
    ],
)
def test_what_is_hardly_meant(tmp_path: Path, training: str, doubt: str) -> None:
    found = findings(project(tmp_path / "p", rows(150), more=f"[training]\n{training}"))["schedule"]
    assert (found.level, doubt in found.hint) == ("yellow" if doubt else "note", True)
    assert "effective batch 8" in found.what
