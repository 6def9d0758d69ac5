"""A run that ended for want of memory: its card, and the changed run."""

from pathlib import Path
from typing import Any

import pytest

from workbench.errors import WorkbenchError
from workbench.project.store import open_project
from workbench.prompts.survey.survey import survey
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, create_run
from workbench.runs.forecast.oom import changed_project, oom_card

MIB = 2**20
SETTINGS = """\
format = 1
name = "p"
[data]
validation = 0
[[data.source]]
kind = "fields"
path = "train.jsonl"
user = ["{instruction}"]
[training]
per_device_train_batch_size = 8
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "project.toml").write_text(SETTINGS)
    rows = "".join(f'{{"instruction": "{"word " * (n * 4 + 1)}", "output": "yes"}}\n' for n in range(40))
    (folder / "train.jsonl").write_text(rows)
    project = open_project(folder, None, {"training.rank": 4})
    survey(project)
    return create_run(project, ["test"], {}, "the template")


def write(run: Run, *events: tuple[str, dict[str, Any]]) -> None:
    writer = EventWriter(run.events)
    for kind, fields in events:
        writer.write(kind, **fields)
    writer.close()


def oom(**changed: Any) -> tuple[str, dict[str, Any]]:
    fields = {
        "step": 0,
        "micro_batch": 8,
        "accumulation": 1,
        "tokens": 1100,
        "peak_bytes": 700 * MIB,
        "capacity_bytes": 760 * MIB,
        "answer": "none",
    }
    return "oom", {**fields, **changed}


STARTED = ("started", {"attempt": 1, "device": "CPU, 2 threads", "precision": "fp32", "total_steps": 9})


def test_other_runs_have_no_card(run: Run) -> None:
    assert oom_card(run) is None
    write(run, STARTED, oom(answer="halved"))
    assert oom_card(run) is None, "it went on with half"
    write(run, oom(), ("step", {"step": 1, "loss": 1.0}))
    assert oom_card(run) is None
    write(run, oom(tokens="many"))
    assert oom_card(run) is None, "half understood is not understood"


def test_what_helps_is_computed_for_what_ran_out(run: Run) -> None:
    write(run, STARTED, oom())
    card = oom_card(run)
    assert card is not None
    assert card.memory.total == pytest.approx(1.02 * 760 * MIB, rel=1e-3), "more than there was"
    assert card.memory.batch.tokens == 1100
    names = [change.name for change in card.changes]
    assert "micro-batch 4, the same effective batch" in names and "gradient checkpointing" in names
    assert all(change.saved > 0 for change in card.changes)
    assert card.fits and card.plan[0].name.startswith("micro-batch")
    made = changed_project(card).settings
    assert made.training.per_device_train_batch_size * made.training.gradient_accumulation_steps >= 8
    assert made.training.per_device_train_batch_size < 8 and made.training.rank == 4


def test_what_was_halved_already_stays_so(run: Run) -> None:
    halved = oom(micro_batch=1, accumulation=8, tokens=155)
    write(run, STARTED, oom(answer="halved"), halved)
    card = oom_card(run)
    assert card is not None and card.micro_batch == 1
    assert not any("micro-batch" in change.name for change in card.changes)
    overrides = changed_project(card).overrides if card.plan else card.overrides
    assert overrides["training.per_device_train_batch_size"] == 1
    assert overrides["training.gradient_accumulation_steps"] == 8


def test_too_little_for_any_change(run: Run) -> None:
    write(run, STARTED, oom(micro_batch=1, capacity_bytes=5 * MIB, tokens=100))
    card = oom_card(run)
    assert card is not None and not card.fits
    if not card.plan:
        with pytest.raises(WorkbenchError, match="no setting is known"):
            changed_project(card)


@pytest.mark.parametrize("events", [(STARTED,), ()])
def test_without_a_survey_rows_count_as_the_limit(run: Run, events: Any) -> None:
    for file in (run.folder.parents[1] / ".workbench").rglob("*"):
        if file.is_file():
            file.unlink()
    write(run, *events, ("memory", {"peak_bytes": 1, "capacity_bytes": 1, "device": "host"}), oom(tokens=0))
    card = oom_card(run)
    assert card is not None and card.memory.batch.tokens == 8 * 1024


def test_the_device_is_known_before_the_run_began(run: Run) -> None:
    write(run, oom(device="cuda:0"))
    card = oom_card(run)
    assert card is not None and card.memory.device == "cuda:0"
