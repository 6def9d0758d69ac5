"""`python -m workbench.engine.rank_job RUN_FOLDER`: one of several processes of a training.

torchrun starts it, under the watch of `ranks_job`, which holds the run's lock and writes the `ended` event.
"""

import ctypes
import os
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from workbench.engine.train_job import attempt, from_inside, prepare_environment

WATCHER = "WORKBENCH_WATCHER"
"""Environment variable: process number of the watcher."""

_PR_SET_PDEATHSIG = 1
"""prctl(2): the kernel sends this process a signal when its parent ends."""


def die_with_parent() -> None:
    """The watcher holds the lock: where it is killed, no rank may train on, or a second run could begin."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(os.environ[WATCHER]):  # it was killed before this process could ask
        os.kill(os.getpid(), signal.SIGKILL)


def run_rank(folder: Path) -> int:
    """Train as one rank of the run in `folder`; exit code 1 makes torchrun end the others."""
    from workbench.engine.shared_commands import SharedCommands
    from workbench.errors import WorkbenchError
    from workbench.runs.events import EventWriter
    from workbench.runs.ranks import Word, leave_word

    rank = int(os.environ["RANK"])
    run = from_inside(folder)
    events = EventWriter(run.events if rank == 0 else Path(os.devnull))
    commands = SharedCommands(run, events)
    commands.catch_signals()
    state, reason = attempt(run, events, commands)
    events.sync()
    with suppress(WorkbenchError):  # on a full disk the console alone has it
        leave_word(run, Word(rank, state, reason))
    at_once = state == "stopped" and bool(reason)
    if state == "failed" or at_once:
        return 1
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    die_with_parent()
    prepare_environment()
    # transformers knows it by its old name
    warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
    # At once: tearing down what is connected to ranks that are gone can wait for them for ever
    code = run_rank(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
