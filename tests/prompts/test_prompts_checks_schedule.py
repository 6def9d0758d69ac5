"""Rows, steps and epochs as the trainer will count them."""

from pathlib import Path

import pytest
from surveyed import findings, project, rows

from workbench.project.schema import Project
from workbench.prompts.survey.checks.about_schedule import schedule
from workbench.prompts.survey.checks.facts import Facts, Marked, Tokenised
from workbench.prompts.survey.statistics import Statistics


def facts(train: int, **tokens: object) -> Facts:
    found = Tokenised(looked_at=train, sample=train, **tokens)  # type: ignore[arg-type]
    return Facts(rows={"train": train}, train_repeated=train, tokens=found)


def settings(**training: object) -> Project:
    return Project(name="p", training=training)  # type: ignore[arg-type]


def test_the_seeds_own_figures() -> None:
    """Of 10,000 rows 7,976 are trained on: 10,000 steps of 16 are 20 epochs."""
    asked = settings(max_steps=10_000, per_device_train_batch_size=1, gradient_accumulation_steps=16)
    found = schedule(facts(7_976), asked)
    assert found and (found.effective_batch, found.steps_per_epoch, found.steps) == (16, 499, 10_000)
    assert found.epochs == pytest.approx(20.04, abs=0.01)


def test_rows_that_do_not_train_are_not_counted() -> None:
    seen = facts(100, too_long=Marked(10), no_supervised=Marked(5))
    found = schedule(seen, settings(per_device_train_batch_size=5, num_train_epochs=2))
    assert found and (found.rows, found.exact, found.steps_per_epoch, found.steps) == (85, True, 17, 34)
    cut = settings(per_device_train_batch_size=5)
    cut.data.overlong = "truncate"
    assert (again := schedule(seen, cut)) and again.rows == 95
    assert schedule(facts(3, no_supervised=Marked(3)), settings()) is None


def test_a_sample_gives_an_estimate_and_repeats_count() -> None:
    seen = Facts(
        rows={"train": 1_000_000},
        train_repeated=2_000_000,
        tokens=Tokenised(looked_at=20_000, sample=20_000, too_long=Marked(2_000)),
    )
    found = schedule(seen, settings())
    assert found and (found.rows, found.exact) == (1_800_000, False)


def test_packed_rows_make_fewer_steps() -> None:
    seen = facts(4)
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
        ('lr_scheduler_type = "constant"\nwarmup_steps = 0.03', "constant_with_warmup"),
    ],
)
def test_what_is_hardly_meant(tmp_path: Path, training: str, doubt: str) -> None:
    found = findings(project(tmp_path / "p", rows(150), more=f"[training]\n{training}"))["schedule"]
    assert (found.level, doubt in found.hint) == ("yellow" if doubt else "note", True)
    assert "effective batch 8" in found.what
