"""All that can be said about a run before it starts, for the command line, the form, and runs that ran out of
memory."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from workbench.errors import WorkbenchError
from workbench.project.base_model import locate
from workbench.project.schema import Project
from workbench.project.store import OpenProject
from workbench.prompts.survey.statistics import Statistics
from workbench.prompts.survey.survey import Survey
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.continuing import Adapter, find_adapter
from workbench.runs.folder import list_runs
from workbench.runs.forecast.batch import Batch, largest_batch
from workbench.runs.forecast.capacity import Capacity
from workbench.runs.forecast.changes import Change, enough, helping_changes
from workbench.runs.forecast.disk import Disk, forecast_disk
from workbench.runs.forecast.measurements import Measurement, correct
from workbench.runs.forecast.memory import Memory, forecast_memory, room
from workbench.runs.forecast.shape import Shape, read_shape
from workbench.runs.forecast.speed import Duration, forecast_duration, known_speed, method

FITS, TIGHT, TOO_MUCH = "fits", "tight", "does not fit"


@dataclass(frozen=True, slots=True)
class Forecaster:
    """What does not change while a form is filled in: one base model, its rows, this box.

    Attributes:
        shape: of the base model, with the vocabulary as it will have grown.
        grown: the vocabulary has tokens that are new.
        statistics: of the rows; None where they were not looked at.
        known: measurements of this box.
        adapter: the one that the project goes on from.
    """

    shape: Shape
    grown: bool
    statistics: Statistics | None
    capacity: Capacity
    known: Sequence[Measurement]
    adapter: Adapter | None = None

    def of_batch(self, settings: Project, batch: Batch) -> Memory:
        """The forecast of one micro-batch by formulae alone."""
        trained = self._as_trained(settings)
        return forecast_memory(trained, self.shape, batch, self.capacity, grown=self.grown)

    def _as_trained(self, settings: Project) -> Project:
        """An adapter to go on from keeps the rank and the layers that it has."""
        adapter = self.adapter
        if adapter is None or settings.training.continue_from != adapter.name:
            return settings
        own = adapter.config
        training = settings.training.model_copy(
            update={
                "rank": own.get("r", settings.training.rank),
                "target_modules": own.get("target_modules") or settings.training.target_modules,
                "modules_to_save": own.get("modules_to_save") or [],
                "use_dora": bool(own.get("use_dora")),
            }
        )
        return settings.model_copy(update={"training": training})

    def plain(self, settings: Project) -> Memory:
        """The forecast by formulae alone."""
        return self.of_batch(settings, largest_batch(settings, self.statistics))

    def memory(self, settings: Project) -> Memory:
        """The forecast, corrected by what was measured on this box."""
        plain = self.plain(settings)
        return correct(
            plain,
            self.known,
            capacity_bytes=self.capacity.total,
            model=self.shape.key,
            method=method(settings),
        )

    def changes(self, settings: Project) -> list[Change]:
        """What would save memory, each by itself."""
        fits = four_bits(self.shape, self.capacity)
        return helping_changes(settings, self.memory, self.statistics, four_bits=fits)

    @property
    def room(self) -> int:
        """Bytes a run can have now."""
        return room(self.capacity)

    def verdict(self, memory: Memory) -> str:
        """`fits` when even the upper end of the range does, `does not fit` when the forecast does not."""
        if memory.total > self.room:
            return TOO_MUCH
        return FITS if memory.high <= self.room else TIGHT


def forecaster(
    project: OpenProject,
    capacity: Capacity,
    statistics: Statistics | None,
    known: Sequence[Measurement] = (),
) -> Forecaster:
    """Read the base model's shape; it is not loaded, nor are its weights needed for a family that is known.

    Raises:
        WorkbenchError: there is no such base model here, or its architecture cannot be told.
    """
    settings = project.settings
    folder = locate(settings.model.base, project.folder, weights=False).folder
    shape, grown = read_shape(folder), False
    if settings.prompt.special_tokens:
        tokenizer = load_tokenizer(folder, settings.prompt.special_tokens)
        grown = bool(tokenizer.added)
        if grown and tokenizer.size > shape.vocabulary:
            shape = _with_vocabulary(shape, tokenizer.size)
    adapter = None
    with suppress(WorkbenchError):  # a start refuses what is wrong with it; until then the settings count
        adapter = find_adapter(project)
    return Forecaster(shape, grown, statistics, capacity, known, adapter)


def four_bits(shape: Shape, capacity: Capacity) -> bool:
    """On a CPU bitsandbytes packs 4-bit weights in blocks of 64 x 32, and others cannot be trained."""
    return capacity.device != "host" or all(
        each.d_in % 64 == 0 and each.d_out % 32 == 0 for each in shape.linears
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answer.

    Attributes:
        room: bytes that a run can have now.
        verdict: `fits`, `tight` or `does not fit`.
        changes: what would save memory, each by itself.
        plan: those of them that together make it fit; empty when it fits.
    """

    memory: Memory
    capacity: Capacity
    room: int
    verdict: str
    changes: list[Change]
    plan: list[Change]
    duration: Duration
    disk: Disk


def estimate(
    project: OpenProject,
    capacity: Capacity,
    survey: Survey | None,
    known: Sequence[Measurement],
) -> Estimate:
    """Memory, time and disk of a run of `project`. Raises as `forecaster`."""
    settings = project.settings
    statistics = survey.statistics if survey else None
    made = forecaster(project, capacity, statistics, known)
    memory = made.memory(settings)
    changes = made.changes(settings)
    base = locate(settings.model.base, project.folder, weights=False)
    speed = known_speed(
        settings, base.name, str(base.folder), made.shape.key, list_runs(project.folder), known
    )
    duration = forecast_duration(settings, survey, speed)
    return Estimate(
        memory=memory,
        capacity=capacity,
        room=made.room,
        verdict=made.verdict(memory),
        changes=changes,
        plan=enough(settings, changes, made.memory, made.room),
        duration=duration,
        disk=forecast_disk(settings, memory, duration.steps, project.folder, base.folder),
    )


def _with_vocabulary(shape: Shape, size: int) -> Shape:
    (name, (_, width)), *others = shape.embeddings
    return replace(shape, vocabulary=size, embeddings=((name, (size, width)), *others))
