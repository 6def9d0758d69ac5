"""What a sweep came to: its runs, the lowest validation loss first, their curves in one frame, notes."""

import math

from workbench.reports.document import Bars, Block, Document, Listing, Paragraph, Part, Plot, Table
from workbench.reports.run import JUDGED, curve_of, made_now, note_parts, verdict_lines
from workbench.runs.queue.entries import Queue
from workbench.runs.sweep.store import Result, Sweep, changed_meanwhile, results
from workbench.runs.verdict.facts import read_log

DRAWN = 6
"""Curves in one frame, of the best runs; more could not be told apart."""


def sweep_report(queue: Queue, sweep: Sweep) -> Document:
    """Everything about one sweep. Raises WorkbenchError when a run of it cannot be read."""
    found = results(queue, sweep)
    runs = [each.place.run for each in found if each.place.run is not None]
    warnings = []
    if sweep.moves_validation:
        moved = ", ".join(sweep.moves_validation)
        warnings.append(f"{moved} changes what validation measures: losses are not comparable across it")
    if changed := changed_meanwhile(sweep, found):
        warnings.append(f"changed while the sweep ran, not comparable: {', '.join(changed)}")
    parts = [Part("Results", [*([Listing(warnings)] if warnings else []), *_results(sweep, found)])]
    if runs:
        best = runs[:DRAWN]
        drawn: list[Block] = [Plot("Validation loss", [curve_of(run, "validation_loss") for run in best])]
        drawn.append(Plot("Training loss", [curve_of(run, "loss") for run in best]))
        if len(runs) > DRAWN:
            drawn.append(Paragraph(f"The {DRAWN} best of {len(runs)} runs."))
        parts.append(Part("Curves", drawn))
        judged = [Part(run.id, [Listing(verdict_lines(run, read_log(run)))], level=3) for run in runs]
        parts += [Part("Verdicts", [Paragraph(JUDGED)]), *judged, *note_parts(runs)]
    title = f"Sweep {sweep.id}: {', '.join(sweep.keys)}"
    return Document(f"sweep-{sweep.id}", title, made_now(), parts)


def _results(sweep: Sweep, found: list[Result]) -> list[Block]:
    rows, values = [], []
    for each in found:
        name = each.place.run.id if each.place.run else f"entry {each.place.entry.number}"
        loss = "not measured" if math.isnan(each.loss) else f"{each.loss:.4f}"
        choice = [str(each.choice[key]) for key in sweep.keys]
        rows.append(
            [name, each.place.turn.value, *choice, loss, "" if each.step is None else f"{each.step:,}"]
        )
        values.append((" ".join(choice), each.loss))
    titles = ["run", "state", *sweep.keys, "validation loss", "at step"]
    says = ["Validation loss: the lowest of the run, in nats per trained token of the held-out rows."]
    return [
        Table(titles, rows, words=2 + len(sweep.keys), says=says),
        Bars("Lowest validation loss", values),
    ]
