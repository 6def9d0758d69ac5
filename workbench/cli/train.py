"""Start a run in the background and follow it; Ctrl+C leaves it running.

Exit code 1 when red findings keep it from starting, as `workbench check` has it, and when it fails.
"""

import argparse
import time
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.prompts.survey.findings import Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`train PROJECT [--profile P] [--set key=value]... [--resume RUN | --from-oom RUN] [--detach]
    [--json]`."""
    add_project(parser)
    add_layers(parser, "training.max_steps=20")
    parser.add_argument("--resume", metavar="RUN", help="go on with a run from its last complete checkpoint")
    parser.add_argument(
        "--from-oom",
        metavar="RUN",
        help="start a run that ran out of memory anew, with the changes that make it fit",
    )
    parser.add_argument("--detach", action="store_true", help="start it and return at once")
    add_json(parser, "print the run, then every event, as JSON lines")


def run(args: argparse.Namespace) -> int:
    """Start, say which run it is, and follow it unless told to detach."""
    from workbench.cli.console import note, report, say, write_json
    from workbench.cli.follow import follow
    from workbench.cli.surveying import shares
    from workbench.runs.folder import find_run
    from workbench.runs.launch import start
    from workbench.runs.preflight import RedFindings

    project = changed(args.from_oom, opened(args)) if args.from_oom else opened(args)
    resume = find_run(args.resume, project.folder) if args.resume else None
    # A clock that was set back must not hide a new run's events
    since = time.time() if resume else 0.0
    try:
        with shares(f"checking {project.name}") as progress:
            started = start(project, resume=resume, progress=progress)
    except RedFindings as error:
        report(error)
        return 1
    for finding in _remarks(project) if not resume else ():
        note(finding.what)
    if args.json:
        write_json({"kind": "run", "id": started.id, "folder": str(started.folder)})
    else:
        say(started.id)
    if args.detach:
        note(f"running in the background; workbench watch {started.folder} follows it")
        return 0
    return follow(started, as_json=args.json, since=since)


def _remarks(project: "OpenProject") -> list["Finding"]:
    """What `workbench check` notes about settings; the rows were looked at before the run was started."""
    from workbench.prompts.survey.survey import survey_cached

    found = survey_cached(project)
    return [finding for finding in found.findings if finding.name == "setting"] if found else []


def changed(run: str, project: "OpenProject") -> "OpenProject":
    """The project of a run that ran out of memory, with the changes of its card, which are told."""
    from workbench.cli.console import note
    from workbench.errors import fault
    from workbench.runs.folder import find_run, require_own
    from workbench.runs.forecast.oom import changed_project, oom_card
    from workbench.ui.widgets.memory_bar import size

    found = find_run(run, project.folder)
    require_own(found, project.folder)
    card = oom_card(found)
    if card is None:
        raise fault("this run did not end for want of memory", found.id, "--resume goes on with it")
    made = changed_project(card)
    for change in card.plan:
        note(f"{change.name}: {size(change.saved)} less" + (f"; {change.cost}" if change.cost else ""))
    note("as " + " ".join(f"--set {key}={value}" for key, value in card.overrides.items()))
    if not card.fits:
        note("all of it together may still be too little")
    return made
