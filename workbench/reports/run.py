"""What there is to say of one run: verdict, settings, data, curves, checkpoints, samples, notes."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench import __version__
from workbench.errors import WorkbenchError
from workbench.project.fields import format_value, usual
from workbench.project.schema import Project
from workbench.reports.data import data_parts
from workbench.reports.document import Block, Document, Line, Listing, Paragraph, Part, Plot, Quote, Table
from workbench.reports.ladder import ladder_parts
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.compare import METRICS, settings_of
from workbench.runs.describe import STATISTICS, describe_run
from workbench.runs.folder import Run, read_imported, read_spec
from workbench.runs.notes import read_notes
from workbench.runs.series import Series
from workbench.runs.spec import ImportedSpec, Spec
from workbench.runs.status import read_status
from workbench.runs.verdict.facts import Log, judge_run, read_log

CURVES: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    ("Loss", (("training", "loss"), ("validation", "validation_loss"))),
    (
        "Share of tokens and of whole answers that are right",
        (
            ("tokens", "token_accuracy"),
            ("whole answers", "sequence_accuracy"),
            ("tokens, validation", "validation_token_accuracy"),
            ("whole answers, validation", "validation_sequence_accuracy"),
        ),
    ),
    ("Learning rate", (("learning rate", "learning_rate"),)),
    ("Gradient norm", (("gradient norm", "grad_norm"),)),
)
SAMPLES = 6
"""The newest ones are in a report."""
JUDGED = "Each verdict names its rule in brackets."


def run_report(run: Run) -> Document:
    """Everything about one run. Raises WorkbenchError when its spec or its notes cannot be read."""
    spec: Spec | ImportedSpec = read_imported(run) or read_spec(run)
    log = read_log(run)
    parts = [
        Part("Verdict", [Listing(verdict_lines(run, log)), Paragraph(JUDGED)]),
        Part("Settings", [*settings_blocks(spec)]),
    ]
    if isinstance(spec, Spec):
        parts += data_parts(spec.open_project())
    parts.append(Part("Curves", curves(log.series) or [Paragraph("nothing was logged yet")]))
    parts.append(Part("Figures", [_figures(run)]))
    parts += ladder_parts(run.folder.parents[1], run.id)
    parts += _checkpoints(run)
    parts += sample_parts(log)
    parts += note_parts([run])
    return Document(run.id, f"Run {run.id}", made_now(), parts)


def made_now() -> str:
    """When a report is made, and by what."""
    return f"made {time.strftime('%Y-%m-%d %H:%M')} by workbench {__version__}"


def verdict_lines(run: Run, log: Log) -> list[str]:
    """The state and every finding, each with its rule."""
    status, verdict = read_status(run), judge_run(run, log)
    state = f"{status.state.value}, step {status.step:,} of {status.total_steps or '?'}"
    reason = f": {status.reason}" if status.reason else ""
    return [state + reason, verdict.line, *map(str, verdict.findings[1:])]


def settings_blocks(spec: Spec | ImportedSpec) -> Iterator[Block]:
    """What the run was set to otherwise than by default, and what it was made from."""
    if isinstance(spec, ImportedSpec):
        told = settings_of(spec)
        yield Table(
            ["told by its file", "value"], [[key, str(value)] for key, value in told.items()], words=2
        )
        return
    changed = changed_settings(spec.project)
    if changed:
        yield Table(["setting", "value", "default"], changed, words=3)
    else:
        yield Paragraph("every setting has its default")
    command = f"asked for as: {' '.join(spec.command)}" if spec.command else ""
    made_from = [f"base model {spec.base_model.name}, template {spec.template.name}", command]
    if spec.git is not None:
        made_from.append(f"commit {spec.git.commit}" + (" and changes to it" if spec.git.changed else ""))
    made_from.append(", ".join(f"{name} {version}" for name, version in spec.versions.items()))
    made_from += [f"{name}: sha256 {digest[:16]}" for name, digest in spec.fingerprints.items()]
    yield Listing([line for line in made_from if line])


def changed_settings(project: Project) -> list[list[str]]:
    """Settings of the forms that are not the default's or the preset's: key, value, what it would be."""
    plain: dict[str, Any] = project.model_dump()
    rows = []
    for key, default in usual(project.training.preset).items():
        value: Any = plain
        for part in key.split("."):
            value = value[part]
        if value != default.value:
            rows.append([key, format_value(value), format_value(default.value)])
    return rows


def curves(series: Series) -> list[Block]:
    """A plot for each kind of metric that was logged."""
    drawn: list[Block] = []
    for title, wanted in CURVES:
        lines = [Line(label, *series.curve(metric)) for label, metric in wanted]
        lines = [line for line in lines if len(line.x) and not np.isnan(line.y).all()]
        if lines:
            drawn.append(Plot(f"{title} over training steps", lines))
    return drawn


def _figures(run: Run) -> Block:
    described = describe_run(run)
    if not described:
        return Paragraph("nothing was logged yet")
    rows = [[name, *(f"{value:.5g}" for value in each.named().values())] for name, each in described.items()]
    return Table(["metric", *STATISTICS], rows, says=["As pandas' describe counts; std is that of a sample."])


def _checkpoints(run: Run) -> list[Part]:
    rows = [
        [f"step {each.step:,}" + (" (best)" if each.best else ""), f"{each.bytes / 2**20:,.1f}"]
        for each in list_checkpoints(run)
    ]
    says = ["Best: no validation of the run had a lower loss than the one at this step."]
    return [Part("Checkpoints", [Table(["checkpoint", "MiB"], rows, says=says)])] if rows else []


def sample_parts(log: Log) -> list[Part]:
    """What the run answered while it trained, the newest last."""
    samples = [event for event in log.others if event["kind"] == "sample"][-SAMPLES:]
    blocks: list[Block] = []
    for sample in samples:
        ended = "" if sample.get("stopped") else ", cut off"
        where = f"Step {sample['step']}, row {sample.get('row')}"
        blocks.append(Quote(f"{where}: asked", str(sample.get("prompt", ""))))
        blocks.append(Quote(f"answered{ended}", str(sample.get("answer", ""))))
    return [Part("Samples", blocks)] if blocks else []


def note_parts(runs: Sequence[Run]) -> list[Part]:
    """The journals of these runs, those that have one."""
    written = []
    for run in runs:
        try:
            notes = read_notes(run).strip()
        except WorkbenchError as error:
            notes = str(error)
        if notes:
            written.append(Quote(run.id, notes))
    return [Part("Notes", written)] if written else []


def curve_of(run: Run, metric: str) -> Line:
    """One metric of a run, named after it. Raises KeyError for one that is not in `METRICS`."""
    assert metric in METRICS
    return Line(run.id, *read_log(run).series.curve(metric))
