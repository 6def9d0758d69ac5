"""`python -m workbench.engine.evaluate_job EVALUATION_FOLDER`: the process of one evaluation.

It holds the evaluation's lock as long as it lives, and writes the `ended` event whatever happens.
"""

import os
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.engine.train_job import prepare_environment

if TYPE_CHECKING:
    from workbench.evaluation.folder import Evaluation
    from workbench.runs.events import EventWriter


def run_evaluation(folder: Path) -> int:
    """Work the evaluation in `folder` off; returns the exit code: 0 finished or stopped, 1 failed."""
    from workbench.evaluation.folder import Evaluation
    from workbench.runs.events import EventWriter
    from workbench.runs.lock import adopt

    evaluation = Evaluation(folder.absolute())
    adopt(evaluation)
    events = EventWriter(evaluation.events)
    events.keep_space()
    started = time.monotonic()
    state, reason = attempt(evaluation, events)
    seconds = round(time.monotonic() - started, 3)
    events.write_last("ended", state=state, reason=reason, seconds=seconds)
    return 1 if state == "failed" else 0


def attempt(evaluation: "Evaluation", events: "EventWriter") -> tuple[str, str]:
    """Measure what is missing, whatever happens: how it ended, as state and reason of an `ended` event."""
    from workbench.engine.reasons import explain
    from workbench.errors import WorkbenchError
    from workbench.evaluation.jobs import read_plan

    try:
        plan = read_plan(evaluation)
        if plan.device == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        import transformers

        from workbench.engine.evaluation.batches import Stopped
        from workbench.engine.evaluation.job import Job
        from workbench.engine.evaluation.orders import Orders

        transformers.utils.logging.disable_progress_bar()
        orders = Orders(evaluation, events)
        orders.catch_signals()
        try:
            return "finished", Job(evaluation, plan, events, orders).run()
        except Stopped as order:
            return "stopped", f"{order}; a resume goes on from there"
    except BaseException as error:
        with suppress(OSError):  # the console lies on the same disk, which may be full
            if isinstance(error, WorkbenchError):
                sys.stderr.write(f"{error}\n")
            else:
                traceback.print_exc()
        return "failed", explain(error, "end what else uses the memory")


if __name__ == "__main__":
    prepare_environment(offline=False)
    sys.exit(run_evaluation(Path(sys.argv[1])))
