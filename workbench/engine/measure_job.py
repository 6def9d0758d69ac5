"""`python -m workbench.engine.measure_job PROJECT [--profile P] [--set K=V]...`: what a run really takes.

Two optimizer steps on the longest rows and one validation batch, in a process of its own, with the trainer of
every run; nothing is kept. The result is one JSON object on stdout, `{"error": "..."}` when there is none.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.engine.train_job import prepare_environment

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.prompts.corpus import EncodedProject
    from workbench.prompts.encoding.encoded import Supervised

STEPS = 2
"""The first makes the optimizer's state, so that only the second has all of it."""

REMEDY = "`estimate` without --measure says what saves how much"


def measure(project: "OpenProject") -> dict[str, Any]:
    """Take the steps and say what they took: `workbench.runs.forecast.measure` reads it.

    Raises:
        WorkbenchError: as training itself.
        OutOfMemory: the micro-batch as it is set does not fit.
    """
    from workbench.engine.assembly import build
    from workbench.engine.commands import Commands
    from workbench.engine.measuring import took
    from workbench.engine.reasons import OutOfMemory
    from workbench.engine.trainer import Trainer
    from workbench.errors import Problem, fault
    from workbench.prompts.corpus import encode_project
    from workbench.runs.events import EventWriter
    from workbench.runs.folder import Run

    class Measured(Trainer):
        """Writes no checkpoints, and takes the rows as they come: the longest first."""

        def save(self) -> bool:
            self.last_saved = self.state.global_step
            return True

    encoded = encode_project(project)
    if not encoded.train:
        raise fault("no row is left to train on", "data.source", f"workbench check {project.folder} says why")
    settings = _two_steps(project)
    cut = _longest(encoded, settings)
    with tempfile.TemporaryDirectory(prefix="workbench-measure-") as folder:
        run = Run(Path(folder))
        run.control.mkdir()
        run.checkpoints.mkdir()
        events = EventWriter(run.events)
        commands = Commands(run, events)
        trainer, _ = build(run, _spec(settings), settings, cut, events, commands, kind=Measured)
        trainer.args.train_sampling_strategy = "sequential"
        trainer.train()
        events.close()
        if trainer.progress.parts > 1:  # what it took then is not what was asked for
            size = trainer.args.per_device_train_batch_size
            fits = -(-size // trainer.progress.parts)
            raise OutOfMemory(Problem(f"out of memory with micro-batch {size}; {fits} at a time fits"))
        return took(trainer, run)


def _two_steps(project: "OpenProject") -> "OpenProject":
    """Two steps, with gradients accumulated over two micro-batches at most: more take no more memory."""
    training = project.settings.training
    changed = training.model_copy(
        update={
            "max_steps": STEPS,
            "eval_steps": 0,
            "save_steps": 0,
            "logging_steps": 1,
            "gradient_accumulation_steps": min(2, training.gradient_accumulation_steps),
        }
    )
    return replace(project, settings=project.settings.model_copy(update={"training": changed}))


def _longest(encoded: "EncodedProject", project: "OpenProject") -> "EncodedProject":
    """The longest rows of each side: for every micro-batch of a step the same, and one of validation."""
    training = project.settings.training
    size, accumulated = training.per_device_train_batch_size, training.gradient_accumulation_steps
    rows = _first(encoded.train, size)
    if training.packing == "bfd":
        wanted, tokens, rows = size * project.settings.data.max_tokens, 0, []
        for example in _first(encoded.train, len(encoded.train)):
            if tokens >= wanted:
                break
            rows.append(example)
            tokens += len(example.ids)
    return replace(encoded, train=rows * accumulated, validation=_first(encoded.validation, size))


def _first(examples: "Sequence[Supervised]", count: int) -> "list[Supervised]":
    return sorted(examples, key=lambda example: len(example.ids), reverse=True)[:count]


def _spec(project: "OpenProject") -> Any:
    """What a run would be started with, without a folder of its own."""
    from workbench.project.base_model import locate
    from workbench.runs.spec import Spec, SpecBase, SpecTemplate

    base = locate(project.settings.model.base, project.folder)
    return Spec(
        id="measure",
        created=time.time(),
        project=project.settings,
        project_folder=project.folder,
        profile=project.profile,
        overrides=project.overrides,
        base_model=SpecBase(name=base.name, folder=str(base.folder)),
        template=SpecTemplate(name=project.settings.prompt.template, source=""),
    )


def main(words: Sequence[str]) -> int:
    """Measure the project that `words` name."""
    import argparse

    from workbench.engine.reasons import explain
    from workbench.project.store import open_project, parse_override

    parser = argparse.ArgumentParser(prog="measure_job")
    parser.add_argument("project", type=Path)
    parser.add_argument("--profile")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    args = parser.parse_args(words)
    try:
        project = open_project(args.project, args.profile, dict(map(parse_override, args.overrides)))
        found: dict[str, Any] = measure(project)
    except Exception as error:
        found = {"error": explain(error, REMEDY)}
    sys.stdout.write("\n" + json.dumps(found) + "\n")
    return 1 if "error" in found else 0


if __name__ == "__main__":
    prepare_environment()
    sys.exit(main(sys.argv[1:]))
