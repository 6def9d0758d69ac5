"""Work that may end its process, done in a fork: nothing is imported anew."""

import gc
import os
import traceback
from collections.abc import Callable
from pathlib import Path


def exit_code(work: Callable[[], object], console: Path) -> int:
    """Do `work` in a fork that writes to `console`; minus the signal that ended it, 4 for an exception."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 4
    try:
        output = os.open(console, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        gc.freeze()  # accelerate collects garbage at every start, and this process has seen a whole test run
        returned = work()
        code = returned if isinstance(returned, int) else 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)
