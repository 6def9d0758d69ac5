"""The reason a training ended, in words that say what to do."""

import errno

from workbench.errors import WorkbenchError


class OutOfMemory(WorkbenchError):
    """One example by itself does not fit; the weights are those of the last step that was done."""


def explain(error: BaseException, remedy: str) -> str:
    """What ended a training, in one line.

    Args:
        remedy: what to do where the memory ran out.
    """
    if isinstance(error, OutOfMemory):
        return f"{error}; {remedy}"
    if isinstance(error, WorkbenchError):
        return str(error)
    text = str(error).strip().partition("\n")[0]
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"the disk is full: {text}"
    if out_of_memory(error):
        return f"out of memory; {remedy}"
    return f"{type(error).__name__}: {text} (the traceback is in console.log)"


def out_of_memory(error: BaseException) -> bool:
    """torch raises a class of its own on a GPU and a plain RuntimeError on a CPU."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
