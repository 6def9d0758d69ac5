"""Going on after the memory ran out: the optimizer step is done anew, its micro-batches in smaller parts.

The gradient is a sum over examples, divided by the trained tokens of the whole step, so how they are grouped
changes nothing but rounding: the effective batch, the order of the data and the counting of steps stay.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor

from workbench.engine.memory import read_memory
from workbench.engine.meter import Held, Meter
from workbench.engine.micro_batches import Inputs, count_examples, count_tokens, cut
from workbench.engine.progress import Progress
from workbench.engine.reasons import OutOfMemory, out_of_memory
from workbench.errors import Problem
from workbench.project.training import TrainingSettings
from workbench.runs.events import EventWriter

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Mark:
    """The state of things before the first micro-batch of a step."""

    random: list[Tensor]
    held: Held


def tell_out_of_memory(
    events: EventWriter,
    step: int,
    batches: tuple[int, int],
    answer: Literal["halved", "none"],
    tokens: int = 0,
) -> None:
    """Write the `oom` event.

    Args:
        step: optimizer steps done.
        batches: micro-batch and accumulation.
        tokens: of the part that did not fit; 0 when it was something else.
    """
    micro_batch, accumulation = batches
    events.write(
        "oom",
        step=step,
        micro_batch=micro_batch,
        accumulation=accumulation,
        tokens=tokens,
        **asdict(read_memory()),
        answer=answer,
    )


class Recovery:
    """Runs micro-batches in as many parts as it takes.

    Args:
        settings: `[training]` of the project.
        progress: its `parts` are doubled each time.
        events: told of every time.
        meter: what was counted in a step that is done anew is taken back.
        step: optimizer steps done.
        forget: drops the gradients.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        progress: Progress,
        events: EventWriter,
        meter: Meter,
        step: Callable[[], int],
        forget: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._progress = progress
        self._events = events
        self._meter = meter
        self._step = step
        self._forget = forget
        self._seen: list[Inputs] = []
        self.begin_step()

    def begin_step(self) -> None:
        """A step begins: what follows can be taken back to here."""
        self._seen = []
        self._mark = _Mark(_random_states(), self._meter.held())

    def train(self, inputs: Inputs, run: Callable[[Inputs], Tensor]) -> Tensor:
        """Forward and backward of the next micro-batch of the step; returns its part of the loss.

        Args:
            inputs: the micro-batch.
            run: forward and backward of a part; gradients add up.

        Raises:
            OutOfMemory: one example does not fit; the step is taken back.
        """
        self._seen.append(inputs)
        todo = [inputs]
        while True:
            losses, failed = self._try(todo, run)
            if failed is None:
                return torch.stack(losses[-1]).sum() if len(losses[-1]) > 1 else losses[-1][0]
            self.take_back()
            self._answer(failed)
            todo = self._seen

    def score(self, inputs: Inputs, run: Callable[[Inputs], Result]) -> list[Result]:
        """The results of a batch's parts without gradients, such as of validation.

        Raises:
            OutOfMemory: one example does not fit.
        """
        while True:
            results, failed = self._try([inputs], run)
            if failed is None:
                return results[0]
            self._answer(failed)

    def take_back(self) -> None:
        """Undo what the step has done so far: gradients, counts, random numbers."""
        self._forget()
        self._meter.put_back(self._mark.held)
        _restore(self._mark.random)

    def _try(
        self, batches: list[Inputs], run: Callable[[Inputs], Result]
    ) -> tuple[list[list[Result]], Inputs | None]:
        """The results of each batch's parts, or the part that did not fit.

        Nothing that the failed pass made is alive when this returns: its traceback is gone.
        """
        results: list[list[Result]] = []
        part: Inputs = batches[0]
        try:
            for batch in batches:
                results.append([])
                for part in cut(batch, self._progress.parts):
                    results[-1].append(run(part))
            return results, None
        except Exception as error:
            # With several processes the others would wait for this one's gradients for ever
            if not out_of_memory(error) or _processes() > 1:
                raise
        return [], part

    def _answer(self, failed: Inputs) -> None:
        """Halve, or give up where one example was too much; say so."""
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        tokens = count_tokens(failed)
        what = f"out of memory after step {self._step()}, with {tokens} tokens at once"
        if count_examples(failed) == 1:
            # Of a validation, or at the end of the rows, it may be the first part that was ever cut
            size, accumulation = (
                self._settings.per_device_train_batch_size,
                self._settings.gradient_accumulation_steps,
            )
            tell_out_of_memory(self._events, self._step(), (1, size * accumulation), "none", tokens)
            raise OutOfMemory(
                Problem(f"{what}: one example by itself; the weights are those of step {self._step()}")
            )
        self.tell("halved", tokens)
        micro_batch, accumulation = self.batches
        self._progress.parts *= 2
        smaller, more = self.batches
        sys.stderr.write(
            f"{what}: from here on micro-batch {smaller}, not {micro_batch}, and accumulation {more}, not "
            f"{accumulation}; the effective batch stays\n"
        )
        sys.stderr.flush()

    def tell(self, answer: Literal["halved", "none"], tokens: int = 0) -> None:
        """As `tell_out_of_memory`, with the batches as they are now."""
        tell_out_of_memory(self._events, self._step(), self.batches, answer, tokens)

    @property
    def batches(self) -> tuple[int, int]:
        """Micro-batch and accumulation as they are now."""
        parts, size = self._progress.parts, self._settings.per_device_train_batch_size
        micro_batch = -(-size // parts)
        # A row of `bfd` holds many examples: even a single one comes in parts
        times = parts if self._settings.packing == "bfd" else -(-size // micro_batch)
        return micro_batch, self._settings.gradient_accumulation_steps * times


def _processes() -> int:
    distributed = torch.distributed
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def _random_states() -> list[Tensor]:
    """Of the CPU, then of each GPU: some bytes each, and no wait for the device."""
    states = [torch.get_rng_state()]
    return states + torch.cuda.get_rng_state_all() if torch.cuda.is_available() else states


def _restore(states: list[Tensor]) -> None:
    torch.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(states[1:])
