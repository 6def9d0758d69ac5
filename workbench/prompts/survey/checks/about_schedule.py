"""The finding about the run itself: rows really used, effective batch, steps, epochs."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from workbench.project.gpus import world_size
from workbench.project.schema import Project
from workbench.prompts.survey.checks.facts import Facts
from workbench.prompts.survey.checks.seen import Seen, rows
from workbench.prompts.survey.findings import Finding
from workbench.prompts.survey.statistics import packed_rows

FEWEST_EPOCHS, MOST_EPOCHS = 1, 10


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a run comes to.

    Attributes:
        rows: training rows that really train, each as often as it is repeated.
        exact: False when `rows` is estimated from a sample.
        batches_of: what a step is made of: `rows`, or the longer ones that packing makes of them.
        effective_batch: of those, in one optimizer step.
        steps_per_epoch: optimizer steps that see all of them once.
        steps: optimizer steps of the run.
        warmup: of those, with a rising learning rate.
    """

    rows: int
    exact: bool
    batches_of: int
    effective_batch: int
    steps_per_epoch: int
    steps: int
    warmup: int

    @property
    def epochs(self) -> float:
        """How often each row is seen."""
        return self.steps / self.steps_per_epoch


def schedule(facts: Facts, settings: Project) -> Schedule | None:
    """Steps as transformers' Trainer counts them (get_num_training_steps); None without rows."""
    used, exact = really_used(facts)
    if not used:
        return None
    training, batches_of = settings.training, used
    if training.packing == "bfd" and facts.statistics.train_lengths:
        lengths = facts.statistics.train_lengths
        batches_of = ceil(packed_rows(lengths, settings.data.max_tokens) / len(lengths) * used)
        exact = exact and len(lengths) == used
    micro, accumulated = training.per_device_train_batch_size, training.gradient_accumulation_steps
    world = world_size(settings.launch)
    per_epoch = ceil(ceil(batches_of / (micro * world)) / accumulated)
    steps = training.max_steps or ceil(per_epoch * training.num_train_epochs)
    warmup = training.warmup_steps
    rising = ceil(warmup * steps) if warmup < 1 else int(warmup)
    return Schedule(used, exact, batches_of, micro * accumulated * world, per_epoch, steps, rising)


def really_used(facts: Facts) -> tuple[int, bool]:
    """Training rows, each as often as its source repeats, that a run does not leave out; whether exactly."""
    parts = [part for part in facts.tokens.parts if part.side == "train"]
    exact = all(part.looked_at == part.rows for part in parts)
    return sum(part.left * part.repeat for part in parts), exact


def findings(seen: Seen) -> Iterator[Finding]:
    """One finding, yellow when the numbers are hardly what was meant."""
    found = schedule(seen.facts, seen.settings)
    if found is None:
        return
    training = seen.settings.training
    packed = f", packed into {found.batches_of:,}" if found.batches_of != found.rows else ""
    about = "" if found.exact else "about "
    repeated = " with `repeat`" if seen.facts.train_repeated > seen.facts.rows.get("train", 0) else ""
    what = (
        f"{about}{rows(found.rows)}{repeated}{packed}, effective batch {found.effective_batch:,}: "
        f"{found.steps_per_epoch:,} step{'' if found.steps_per_epoch == 1 else 's'} an epoch, "
        f"{found.steps:,} in all = {found.epochs:.3g} epochs"
    )
    doubts = []
    if found.epochs < FEWEST_EPOCHS:
        doubts.append("some rows are never seen")
    if found.epochs > MOST_EPOCHS:
        doubts.append("rows are seen so often that they are learnt by heart")
    if training.lr_scheduler_type != "constant" and found.warmup >= found.steps:
        doubts.append(f"the warm-up of {found.warmup:,} steps never ends")
    yield Finding("schedule", "yellow" if doubts else "note", what, "; ".join(doubts))
