"""Stop a run: it finishes its step, writes a checkpoint and ends; --now ends it without.

A run that waits in Slurm is taken out of the queue.
"""

import argparse

from workbench.cli.arguments import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`stop RUN [--now]`."""
    add_run(parser)
    parser.add_argument("--now", action="store_true", help="end at once, without a checkpoint")


def run(args: argparse.Namespace) -> int:
    """Send the command; the run acknowledges it in its events."""
    from workbench.cli.console import busy, note
    from workbench.runs import control
    from workbench.runs.folder import find_run
    from workbench.runs.slurm import cancel, waiting_job

    found = find_run(args.run)
    if waiting_job(found):
        note(f"{found.id} was taken out of Slurm's queue, job {cancel(found)}")
    elif args.now:
        with busy(f"ending {found.id}"):
            control.stop_now(found)
        note(f"{found.id} was ended")
    else:
        control.send(found, "stop")
        note(f"{found.id} stops after its step, with a checkpoint")
    return 0
