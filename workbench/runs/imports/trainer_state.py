"""`trainer_state.json` of transformers' Trainer: its log history."""

import json
from pathlib import Path
from typing import Any

from workbench.errors import fault
from workbench.runs.imports.foreign import STEP, Foreign, role, whole

SETTINGS = (
    "max_steps",
    "num_train_epochs",
    "train_batch_size",
    "logging_steps",
    "eval_steps",
    "save_steps",
    "best_metric",
    "best_global_step",
    "best_model_checkpoint",
)
"""What it says of the run beside its log."""


def read_trainer_state(path: Path, text: str) -> Foreign:
    """The log history. The summary that ends it is no point: its `train_loss` is the mean of the whole run.

    Raises:
        WorkbenchError: no JSON, no log history, or an entry without a step.
    """
    try:
        state = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise fault(f"is no JSON: {getattr(error, 'msg', error)}", f"{path}:{line}") from error
    except RecursionError:
        raise fault("is no trainer state: nested too deeply", path) from None
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list):
        raise fault("has no log_history", path, "trainer_state.json of a checkpoint is meant")
    if not history:
        raise fault("its log_history is empty", path, "the run had logged nothing when it was written")
    found = Foreign("transformers trainer state")
    found.settings = {key: state[key] for key in SETTINGS if state.get(key) is not None}
    ignored: dict[str, None] = {}
    for index, entry in enumerate(history):
        where = f"{path}: log_history[{index}]"
        if not isinstance(entry, dict):
            raise fault("is no object", where)
        if "train_runtime" in entry:
            continue
        found.add(_step(entry, where), _figures(entry, where, ignored))
    found.ignored = list(ignored)
    return found


def _step(entry: dict[str, Any], where: str) -> int:
    try:
        return whole(float(entry["step"]))
    except (KeyError, TypeError, ValueError):
        raise fault(f"has no step: {entry.get('step')!r}", where) from None


def _figures(
    entry: dict[str, Any], where: str, ignored: dict[str, None]
) -> list[tuple[tuple[str, str], float]]:
    figures = []
    for name, value in entry.items():
        place = role(name)
        if place == STEP or value is None:
            continue
        if place is None:
            ignored[name] = None
            continue
        try:
            figures.append((place, float(value)))
        except (TypeError, ValueError, OverflowError):
            raise fault(f"{str(value)[:40]!r} is no number", f"{where}: {name}") from None
    if "eval_loss" not in entry and any(name.startswith("eval_") for name in entry):
        # Epochs beside other validation figures are no training point
        return [figure for figure in figures if figure[0][0] == "validation"]
    if "eval_loss" in entry and "loss" not in entry:
        return [(("validation" if key == "epoch" else event, key), value) for (event, key), value in figures]
    return figures
