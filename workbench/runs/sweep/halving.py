"""The next rung of sweeps that halve: the best go on with more steps."""

import math
from collections.abc import Sequence

from workbench.project.store import open_project
from workbench.runs.queue.entries import Place, Queue, enqueue
from workbench.runs.sweep.store import STEPS, Halving, Sweep, is_over, list_sweeps, results, write_sweep


def go_on(queue: Queue, places: Sequence[Place]) -> bool:
    """Put the next rung of every sweep in whose last one is over; whether there was any.

    One that was put in by half, by a worker that was killed, is made whole first.

    Raises:
        WorkbenchError: the project cannot be read, or its queue cannot be written.
    """
    added = False
    for sweep in list_sweeps(queue):
        own = [place for place in places if place.entry.sweep == sweep.id]
        if sweep.halving is None or not own or not is_over(own):
            continue
        last = max(place.entry.rung for place in own)
        coming = range(sweep.rungs + 1, last + 2)
        added |= any(_put_in(queue, sweep, sweep.halving, own, rung) for rung in coming)
    return added


def _put_in(queue: Queue, sweep: Sweep, halving: Halving, own: Sequence[Place], rung: int) -> bool:
    """Put in what a rung lacks, then write down that it is whole; whether it lacked anything."""
    steps = {STEPS: halving.steps * halving.factor**rung}
    chosen = [
        (place.entry.profile, place.entry.overrides | steps) for place in survivors(queue, sweep, rung - 1)
    ]
    there = [(place.entry.profile, place.entry.overrides) for place in own if place.entry.rung == rung]
    lacking = [each for each in chosen if each not in there]
    for profile, overrides in lacking:
        enqueue(open_project(queue.project_folder, profile, overrides), sweep=sweep.id, rung=rung)
    if chosen:
        write_sweep(queue, sweep.model_copy(update={"rungs": rung}))
    return bool(lacking)


def survivors(queue: Queue, sweep: Sweep, rung: int) -> list[Place]:
    """The best `1 / factor` of a rung, rounded up; none when one run was left, or none has a loss."""
    assert sweep.halving is not None
    tried = [each for each in results(queue, sweep) if each.place.entry.rung == rung]
    judged = [each for each in tried if not math.isnan(each.loss)]
    kept = -(-len(tried) // sweep.halving.factor)
    return [each.place for each in judged[:kept]] if len(tried) > 1 else []
