"""`python -m workbench.machine.queue_job PROJECT_FOLDER`: the process that works a project's queue off."""

import os
import signal
import sys
from pathlib import Path

from workbench.machine.gpu_turn import GpuTurn
from workbench.runs import lock
from workbench.runs.queue.entries import Queue
from workbench.runs.queue.worker import Worker


def main(folder: Path) -> int:
    """Adopt the lock that the launcher handed on, and work."""
    queue = Queue(folder)
    lock.adopt(queue)
    worker = Worker(queue, gpu=GpuTurn())
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.work()
    return 0


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    sys.exit(main(Path(sys.argv[1])))
