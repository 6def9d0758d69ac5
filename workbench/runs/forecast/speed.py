"""How long a run takes: its steps and tokens are counted, its speed is measured or not known."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from workbench.errors import WorkbenchError
from workbench.project.schema import Project
from workbench.prompts.survey.checks.about_schedule import schedule
from workbench.prompts.survey.survey import Survey
from workbench.runs.events import EventTail
from workbench.runs.folder import Run, read_spec
from workbench.runs.forecast.measurements import Measurement

_RUNS_LOOKED_AT = 5
_STEPS_READ = 5000


@dataclass(frozen=True, slots=True)
class Duration:
    """What the run comes to.

    Attributes:
        steps: optimizer steps; None without a survey of the rows.
        tokens: tokens it reads, padding left out; None as `steps`.
        tokens_per_second: None until it was measured.
        measured_by: where that speed is from.
    """

    steps: int | None
    tokens: int | None
    tokens_per_second: float | None
    measured_by: str

    @property
    def seconds(self) -> float | None:
        """Of training alone, without loading, validation and checkpoints; None where it is not known."""
        if not self.tokens or not self.tokens_per_second:
            return None
        return self.tokens / self.tokens_per_second


def forecast_duration(settings: Project, survey: Survey | None, speed: tuple[float, str] | None) -> Duration:
    """Steps as `workbench check` counts them; tokens by the mean length of the rows that fit."""
    per_second, origin = speed or (None, "")
    planned = schedule(survey.facts, settings) if survey else None
    if survey is None or planned is None:
        return Duration(None, None, per_second, origin)
    limit, cut = settings.data.max_tokens, settings.data.overlong == "truncate"
    lengths = [min(each, limit) for each in survey.statistics.train_lengths if cut or each <= limit]
    mean = sum(lengths) / len(lengths) if lengths else 0
    return Duration(planned.steps, round(planned.rows * planned.epochs * mean), per_second, origin)


def method(settings: Project) -> str:
    """What decides, beside the model, how fast a run is."""
    training = settings.training
    checkpointing = "-checkpointing" if training.gradient_checkpointing else ""
    return f"{training.method}-{settings.model.quantization}-{training.packing}{checkpointing}"


def known_speed(
    settings: Project, base: str, folder: str, model: str, runs: Sequence[Run], known: Sequence[Measurement]
) -> tuple[float, str] | None:
    """Tokens per second and where they are from: the newest run of the project with this base model and
    method, else the newest measurement of this box of a model of this shape. None: not measured yet.

    Args:
        base: the base model's name in the project.
        folder: where the base model lies.
        model: `Shape.key`.
        runs: the project's runs, newest first.
    """
    wanted = method(settings)
    for run in runs[:_RUNS_LOOKED_AT]:
        with suppress(WorkbenchError):
            spec = read_spec(run)
            same = base == spec.base_model.name or folder == spec.base_model.folder
            if same and method(spec.project) == wanted and (speed := speed_of(run)):
                return speed, f"run {run.id}"
    for each in reversed(known):
        if each.tokens_per_second and (each.model, each.method) == (model, wanted):
            return each.tokens_per_second, "a measurement of this box" if each.origin == "measure" else (
                f"run {each.origin} on this box"
            )
    return None


def speed_of(run: Run) -> float | None:
    """Median of the steps after the first, in which everything is made for the first time."""
    speeds = [
        event["tokens_per_second"]
        for event in EventTail(run.events).read(_STEPS_READ, 0.2)
        if event["kind"] == "step" and isinstance(event.get("tokens_per_second"), int | float)
    ]
    return median(speeds[1:]) if len(speeds) > 1 else None
