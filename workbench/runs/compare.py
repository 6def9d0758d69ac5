"""Runs side by side: what they were set to otherwise, how far each came, and whether that can be compared."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.errors import fault
from workbench.runs import same_rows
from workbench.runs.folder import Run, read_imported, read_spec
from workbench.runs.notes import read_notes
from workbench.runs.series import TRAINING, VALIDATION
from workbench.runs.spec import ImportedSpec, Spec
from workbench.runs.status import RunStatus, read_status
from workbench.runs.verdict.facts import Log, judge_run, read_log
from workbench.runs.verdict.finding import Verdict

METRICS = (*TRAINING, *VALIDATION)
HIGHER_IS_BETTER = {name for name in METRICS if name.endswith(("_accuracy", "_per_second"))}
LAST_SHARE = 10
"""The last loss is the median of the last tenth of the points: a single batch says little."""

_TRAINING_NAMES = ("max_steps", "num_train_epochs", "logging_steps", "eval_steps", "save_steps")


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one run.

    Attributes:
        best: the lowest, or highest where that is better.
        step: where that was.
        last: median of the last tenth of the training points; the last one of the validation.
    """

    best: float
    step: int
    last: float


@dataclass(frozen=True)
class Compared:
    """One run of a comparison; `settings` by dotted key."""

    run: Run
    status: RunStatus
    settings: dict[str, Any]
    figures: dict[str, Figure]
    epoch: float | None
    verdict: Verdict
    notes: str


@dataclass(frozen=True)
class Comparison:
    """Runs, the best by `metric` first; those that have not measured it last.

    Attributes:
        differences: dotted key to the value of each run, for what differs; None where a run does not tell.
        warnings: what keeps the runs from being compared.
    """

    metric: str
    runs: list[Compared]
    differences: dict[str, list[Any]]
    warnings: list[str]


def compare(runs: Sequence[Run], metric: str = "") -> Comparison:
    """Compare at least two runs.

    Args:
        metric: one of `METRICS` to sort by; the validation loss where a run has one, else the loss.

    Raises:
        WorkbenchError: fewer than two runs, an unknown metric, or a spec that cannot be read.
    """
    if len(set(runs)) < 2:
        raise fault("wants two runs at least", "compare")
    if metric and metric not in METRICS:
        raise fault(f"no metric {metric!r}", "--metric", f"one of {', '.join(METRICS)}")
    compared, measured = [], []
    for run in dict.fromkeys(runs):
        log = read_log(run)
        spec = read_imported(run) or read_spec(run)
        each = _compared(run, spec, log)
        compared.append(each)
        if "validation_loss" in each.figures:
            measured.append(same_rows.measured(run.id, spec, log.started))
    metric = metric or ("validation_loss" if measured else "loss")
    return _arranged(compared, metric, same_rows.warnings(measured))


def sorted_by(comparison: Comparison, metric: str) -> Comparison:
    """The same runs in the order of another of `METRICS`; no log is read again."""
    return _arranged(comparison.runs, metric, comparison.warnings)


def as_named(comparison: Comparison, runs: Sequence[Run]) -> Comparison:
    """The same runs in the order of `runs`."""
    order = {run: place for place, run in reversed([*enumerate(runs)])}
    compared = sorted(comparison.runs, key=lambda each: order[each.run])
    return replace(comparison, runs=compared, differences=_differences(compared))


def _arranged(runs: Sequence[Compared], metric: str, warnings: list[str]) -> Comparison:
    arranged = sorted(runs, key=lambda each: _rank(each, metric))
    return Comparison(metric, arranged, _differences(arranged), warnings)


def _compared(run: Run, spec: Spec | ImportedSpec, log: Log) -> Compared:
    epoch = log.step.get("epoch")
    return Compared(
        run,
        read_status(run),
        settings_of(spec),
        {name: figure for name in METRICS if (figure := _figure(log, name)) is not None},
        float(epoch) if isinstance(epoch, int | float) else None,
        judge_run(run, log),
        read_notes(run),
    )


def _figure(log: Log, metric: str) -> Figure | None:
    steps, values = log.series.curve(metric)
    finite = np.isfinite(values)
    if not finite.any():
        return None
    steps, known = steps[finite], values[finite]
    at = int(known.argmax() if metric in HIGHER_IS_BETTER else known.argmin())
    share = 1 if metric in VALIDATION else max(1, len(known) // LAST_SHARE)
    # A last value that is not a number is the news, not what came before it
    last = float(np.median(known[-share:])) if finite[-1] else float(values[-1])
    return Figure(float(known[at]), int(steps[at]), last)


def _rank(each: Compared, metric: str) -> tuple[bool, float]:
    figure = each.figures.get(metric)
    if figure is None:
        return True, 0.0
    return False, -figure.best if metric in HIGHER_IS_BETTER else figure.best


def settings_of(spec: Spec | ImportedSpec) -> dict[str, Any]:
    """Every setting by dotted key; of an imported run what its file told, by our names where we have them."""
    if isinstance(spec, ImportedSpec):
        told = spec.settings.items()
        named = {(f"training.{key}" if key in _TRAINING_NAMES else key): value for key, value in told}
        return {"imported from": spec.imported.format} | named
    flat: dict[str, Any] = {}
    _flatten("", spec.project.model_dump(mode="json", exclude={"format", "name", "about", "profile"}), flat)
    flat |= {f"fingerprint of {name}": value[:12] for name, value in spec.fingerprints.items()}
    return flat | {f"version of {name}": value for name, value in spec.versions.items()}


def _flatten(prefix: str, values: dict[str, Any], into: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            _flatten(f"{prefix}{key}.", value, into)
        elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            labels = _labels(value)
            into[prefix + key] = labels
            for label, each in zip(labels, value, strict=True):
                _flatten(f"{prefix}{key}[{label}].", each, into)
        else:
            into[prefix + key] = value


def _labels(tables: list[dict[str, Any]]) -> list[str]:
    """What tells tables of a list apart, such as sources: a run with one more is not one place off in all."""
    labels: list[str] = []
    for index, table in enumerate(tables):
        named = next((str(table[key]) for key in ("name", "path", "title") if table.get(key)), str(index))
        labels.append(f"{named} (of place {index})" if named in labels else named)
    return labels


def _differences(runs: Sequence[Compared]) -> dict[str, list[Any]]:
    """Settings of which at least two runs tell, and tell otherwise."""
    keys = dict.fromkeys(key for each in runs for key in each.settings)
    found = {}
    for key in keys:
        told = {json.dumps(each.settings[key]) for each in runs if key in each.settings}
        if len(told) > 1:
            found[key] = [each.settings.get(key) for each in runs]
    return found
