"""The next rung of sweeps that halve: the best go on with more steps."""

import math
from collections.abc import Sequence

from workbench.project.store import open_project
from workbench.runs.queue.entries import Place, Queue, enqueue
from workbench.runs.sweep.store import Sweep, is_over, list_sweeps, results


def go_on(queue: Queue, places: Sequence[Place]) -> bool:
    """Put the next rung of every sweep in whose last one is over; whether there was any.

    Raises:
        WorkbenchError: the project cannot be read, or its queue cannot be written.
    """
    added = False
    for sweep in list_sweeps(queue):
        own = [place for place in places if place.entry.sweep == sweep.id]
        if sweep.halving is None or not own or not is_over(own):
            continue
        rung = max(place.entry.rung for place in own)
        for place in survivors(queue, sweep, rung):
            overrides = place.entry.overrides | {
                "training.max_steps": sweep.halving.steps * sweep.halving.factor ** (rung + 1)
            }
            project = open_project(queue.project_folder, place.entry.profile, overrides)
            enqueue(project, sweep=sweep.id, rung=rung + 1)
            added = True
    return added


def survivors(queue: Queue, sweep: Sweep, rung: int) -> list[Place]:
    """The best `1 / factor` of a rung, rounded up; none when one run was left, or none has a loss."""
    assert sweep.halving is not None
    tried = [each for each in results(queue, sweep) if each.place.entry.rung == rung]
    judged = [each for each in tried if not math.isnan(each.loss)]
    kept = -(-len(tried) // sweep.halving.factor)
    return [each.place for each in judged[:kept]] if len(tried) > 1 else []
