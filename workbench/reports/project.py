"""What a project came to: what it is set to, what it trains on, its runs and sweeps, its evaluations."""

import math

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject
from workbench.reports.data import data_parts
from workbench.reports.document import Block, Document, Listing, Paragraph, Part, Plot, Table
from workbench.reports.ladder import ladder_parts
from workbench.reports.run import changed_settings, curve_of, made_now, note_parts
from workbench.reports.sweep import DRAWN
from workbench.runs.folder import Run, list_runs
from workbench.runs.queue.entries import Queue
from workbench.runs.status import read_status
from workbench.runs.sweep.store import list_sweeps, results
from workbench.runs.verdict.facts import judge_run


def project_report(project: OpenProject) -> Document:
    """Everything about one project. Raises WorkbenchError when a run's notes cannot be read."""
    runs = list_runs(project.folder)
    changed = changed_settings(project.settings)
    settings: Block = Paragraph("every setting has its default")
    if changed:
        settings = Table(["setting", "value", "default"], changed, words=3)
    about = [Paragraph(project.settings.about)] if project.settings.about else []
    parts = [Part("Settings", [*about, settings]), *data_parts(project), *_runs(runs)]
    parts += [*_sweeps(project), *ladder_parts(project.folder), *note_parts(runs)]
    return Document(project.folder.name, f"Project {project.name}", made_now(), parts)


def _runs(runs: list[Run]) -> list[Part]:
    if not runs:
        return [Part("Runs", [Paragraph("none yet")])]
    rows, verdicts = [], []
    for run in runs:
        status = read_status(run)
        loss = "" if status.best_loss is None else f"{status.best_loss:.4f}"
        at = "" if status.best_step is None else f"{status.best_step:,}"
        rows.append([run.id, status.state.value, f"{status.step:,}", loss, at])
        try:
            verdicts.append(f"{run.id}: {judge_run(run).line}")
        except WorkbenchError as error:
            verdicts.append(f"{run.id}: {error}")
    titles = ["run", "state", "step", "lowest validation loss", "at step"]
    says = ["Runs may have been measured on other rows: workbench compare says whether they were."]
    drawn = [line for run in runs[:DRAWN] if len((line := curve_of(run, "validation_loss")).x)]
    blocks: list[Block] = [Table(titles, rows, words=2, says=says), Listing(verdicts)]
    return [Part("Runs", [*blocks, *([Plot("Validation loss of the newest runs", drawn)] if drawn else [])])]


def _sweeps(project: OpenProject) -> list[Part]:
    queue = Queue(project.folder)
    lines = []
    for sweep in list_sweeps(queue):
        best = next(iter(results(queue, sweep)), None)
        line = f"{sweep.id}: {sweep.runs} runs over {', '.join(sweep.keys)}"
        if best is not None and not math.isnan(best.loss):
            choice = ", ".join(f"{key} = {value}" for key, value in best.choice.items())
            line += f"; lowest validation loss {best.loss:.4f} with {choice}"
        lines.append(line)
    return [Part("Sweeps", [Listing(lines)])] if lines else []
