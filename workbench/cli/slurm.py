"""Write the sbatch script of a new run, and hand it to Slurm with --submit.

`workbench train` does both at once where the project says launch.launcher = "slurm".
"""

import argparse
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.runs.folder import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`slurm PROJECT [--profile P] [--set key=value]... [--resume RUN] [--submit]`."""
    add_project(parser)
    add_layers(parser, "launch.nodes=2")
    parser.add_argument("--resume", metavar="RUN", help="go on with a run from its last complete checkpoint")
    parser.add_argument("--submit", action="store_true", help="hand it to sbatch at once")


def run(args: argparse.Namespace) -> int:
    """Make the run, write its script, say where it is or as which job it waits."""
    from workbench.cli.console import note, report, say
    from workbench.cli.surveying import shares
    from workbench.runs.folder import find_run
    from workbench.runs.launch import start
    from workbench.runs.preflight import RedFindings
    from workbench.runs.slurm import SCRIPT, require_slurm, submit, waiting_job, write_script

    args.overrides.append("launch.launcher=slurm")
    project = opened(args)
    if args.submit:
        require_slurm()
    resume = find_run(args.resume, project.folder) if args.resume else None
    options = project.settings.launch.slurm_options

    def hand_over(run: "Run", warnings: list[str]) -> None:
        if args.submit:
            submit(run, options, warnings)
            return
        write_script(run, options)
        for message in warnings:
            note(message)

    try:
        with shares(f"checking {project.name}") as progress:
            made = start(project, resume=resume, progress=progress, hand_over=hand_over)
    except RedFindings as error:
        report(error)
        return 1
    script = made.folder.absolute() / SCRIPT
    say(str(script))
    if job := waiting_job(made):
        note(f"handed to Slurm as job {job}; workbench runs shows where it stands")
    else:
        note(f"sbatch {script} starts it")
    return 0
