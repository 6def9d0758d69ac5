"""`python -m workbench.engine.train_job RUN_FOLDER`: the process of one training.

It holds the run's lock as long as it lives, prepares the environment before torch is imported, and writes the
`ended` event whatever happens.
"""

import gc
import logging
import os
import sys
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.engine.commands import Commands
    from workbench.runs.events import EventWriter
    from workbench.runs.folder import Run

LESS = "`workbench train PROJECT --from-oom RUN` starts it with less, `estimate` says what saves how much"


def cores() -> int:
    """Cores this process may use: its affinity, cut to the quota of its container."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(available, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return available


def prepare_environment(*, offline: bool = True) -> None:
    """Set what the libraries read when they are imported. What the user has set stays, but for telemetry.

    Args:
        offline: a base model was fetched before: nothing is asked of the network.
    """
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # TRL reports every trainer it builds
    os.environ["DO_NOT_TRACK"] = "1"
    # Threads that spin while they wait take three times as long beside busy neighbours
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(cores()))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    _keep_hub_kernels_out()
    warnings.filterwarnings("ignore", ".*gradient_checkpointing` is deprecated", FutureWarning)
    warnings.filterwarnings("ignore", ".*past_key_values` is deprecated", FutureWarning)


def _keep_hub_kernels_out() -> None:
    """No compiled code from the hub: transformers asks for some on its own, bitsandbytes does on import.

    bitsandbytes has no switch for it, so the package that would fetch and load the code counts as missing.
    """
    os.environ["USE_HUB_KERNELS"] = "NO"
    sys.modules["kernels"] = None  # type: ignore[assignment]
    # It warns that the package is missing, which would read like the reason of a later failure
    logging.getLogger("bitsandbytes.backends.cpu.ops").addFilter(
        lambda record: "gemm_4bit_forward from kernels-community" not in record.getMessage()
    )


def run_training(folder: Path) -> int:
    """Train the run in `folder`; returns the process' exit code: 0 finished or stopped, 1 failed."""
    from workbench.engine.commands import Commands
    from workbench.runs.events import EventWriter
    from workbench.runs.folder import Run
    from workbench.runs.lock import adopt
    from workbench.runs.status import read_status

    adopt(Run(folder))
    run = from_inside(folder)
    events = EventWriter(run.events)
    events.keep_space()
    commands = Commands(run, events)
    commands.catch_signals()
    started = time.monotonic()
    state, reason = attempt(run, events, commands)
    # After a want of memory there is none for these words either, until the model is gone
    gc.collect()
    seconds = round(time.monotonic() - started, 3)
    try:
        step = read_status(run).step
    except MemoryError:
        step = None
    events.write_last("ended", state=state, step=step, reason=reason, seconds=seconds)
    return 1 if state == "failed" else 0


def from_inside(folder: Path) -> "Run":
    """The run in `folder`, which becomes the current folder.

    A project may be moved while it trains: from inside, the folder is found wherever it goes. Where `runs` is
    a link to another disk, the project could not be found from inside, so the folder is left as it is.
    """
    from workbench.runs.folder import Run

    if not os.path.samefile(folder.resolve().parents[1], folder.absolute().parents[1]):
        return Run(folder.absolute())
    os.chdir(folder)
    return Run(Path())


def attempt(run: "Run", events: "EventWriter", commands: "Commands") -> tuple[str, str]:
    """Train, whatever happens: how it ended, as state and reason of an `ended` event."""
    from workbench.engine.commands import StopNow
    from workbench.engine.reasons import explain
    from workbench.errors import WorkbenchError

    state = "failed"
    try:
        events.write("preparing", phase="importing torch", done=0, total=0)
        import transformers

        from workbench.engine.train import train

        transformers.utils.logging.disable_progress_bar()
        ending = train(run, events, commands)
        commands.ignore_signals()
        state, reason = ending.state, ending.reason
    except StopNow as order:
        state, reason = "stopped", f"{order}; a resume goes on from the last checkpoint"
    except BaseException as error:
        reason = explain(error, LESS)
        with suppress(OSError):  # the console lies on the same disk, which may be full
            if isinstance(error, WorkbenchError):
                sys.stderr.write(f"{reason}\n")
            else:
                traceback.print_exc()
    commands.ignore_signals()
    return state, reason


if __name__ == "__main__":
    prepare_environment()
    sys.exit(run_training(Path(sys.argv[1])))
