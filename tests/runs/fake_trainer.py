"""`fake_trainer.py RUN_FOLDER OPTIONS`: behaves as the training process does, and learns nothing.

Options: judge (validates at the end: the loss is one by its rank), fail_rank (a run of this rank fails),
steps (ends finished after so many), deaf (takes up no command), die_before (ends without an event).
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from workbench.runs import lock
from workbench.runs.checkpoints import list_checkpoints, publish
from workbench.runs.control import pending
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run


def save(run: Run, events: EventWriter, step: int) -> None:
    """Publish a checkpoint that holds its own step."""
    staging = run.checkpoints / f".staging-step-{step}"
    staging.mkdir()
    (staging / "weights").write_text(str(step))
    publish(staging, run.checkpoints / f"step-{step}")
    events.write("checkpoint", step=step, path=f"checkpoints/step-{step}", bytes=1, seconds=0.0, best=False)


def main() -> None:
    """Step until told otherwise."""
    run, options = Run(Path(sys.argv[1])), json.loads(sys.argv[2])
    if options.get("die_before"):
        sys.exit(1)
    lock.adopt(run)
    if options.get("helper"):
        # Outlives its parent, and must not keep the run's lock
        helper = subprocess.Popen(["sleep", "60"], close_fds=False)
        (run.folder / "helper").write_text(str(helper.pid))
    events = EventWriter(run.events)
    resumed = max((checkpoint.step for checkpoint in list_checkpoints(run)), default=None)
    total = options.get("steps", 1_000_000)
    sys.stdout.write("console output\n")
    sys.stdout.flush()
    (run.folder / "environment.json").write_text(
        json.dumps(dict(os.environ) | {"sid": os.getsid(0), "pid": os.getpid()})
    )
    events.write("started", attempt=1 if resumed is None else 2, resumed_from=resumed, total_steps=total)
    step, stopping = resumed or 0, False
    while step < total and not stopping:
        time.sleep(options.get("pause", 0.002))
        step += 1
        events.write("step", step=step, epoch=0.0, loss=1 / step, learning_rate=1e-3)
        for command in () if options.get("deaf") else pending(run):
            name = command.name
            events.write("command", name=name, acknowledged=True, reason="")
            while name == "pause":
                events.write("paused", step=step)
                while not (name := next((asked.name for asked in pending(run)), "")):
                    time.sleep(0.005)
                events.write("command", name=name, acknowledged=True, reason="")
                events.write("continued", step=step, seconds=0.0)
            if name == "stop-now":
                events.write("ended", state="stopped", step=step, reason="at once", seconds=0.0)
                return
            if name == "checkpoint":
                save(run, events, step)
            stopping = stopping or name == "stop"
    rank = json.loads(run.spec.read_text())["project"]["training"]["rank"]
    if options.get("judge"):
        events.write("evaluated", step=step, epoch=1.0, validation_loss=1 / rank)
    if options.get("fail_rank") == rank:
        events.write("ended", state="failed", step=step, reason="out of luck", seconds=0.0)
        return
    save(run, events, step)
    events.write("ended", state="finished" if step == total else "stopped", step=step, reason="", seconds=0.0)


main()
