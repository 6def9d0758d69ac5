"""The reason a training ended, in words that say what to do."""

import errno

from workbench.errors import WorkbenchError
from workbench.project.schema import Project


class OutOfMemory(WorkbenchError):
    """One example by itself does not fit; the weights are those of the last step that was done."""


def explain(error: BaseException, project: Project | None) -> str:
    """One line for the `ended` event.

    Args:
        error: what ended the training.
        project: the resolved project, as far as it was read; settings are named with their values.
    """
    if isinstance(error, OutOfMemory) and project is not None:
        return f"{error}; try {_ways(project, 1)}"
    if isinstance(error, WorkbenchError):
        return str(error)
    text = str(error).strip().partition("\n")[0]
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"the disk is full: {text}"
    if out_of_memory(error):
        return _less_memory(project)
    return f"{type(error).__name__}: {text} (the traceback is in console.log)"


def out_of_memory(error: BaseException) -> bool:
    """torch raises a class of its own on a GPU and a plain RuntimeError on a CPU."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _less_memory(project: Project | None) -> str:
    if project is None:
        return "out of memory"
    batch, limit = project.training.per_device_train_batch_size, project.data.max_tokens
    return f"out of memory with {batch} examples of up to {limit} tokens; try {_ways(project, batch)}"


def _ways(project: Project, batch: int) -> str:
    """What a micro-batch of `batch` examples would save by."""
    settings = project.training
    accumulation = settings.gradient_accumulation_steps
    ways = []
    if batch > 1:
        ways.append(
            f"per_device_train_batch_size = {batch // 2} with "
            f"gradient_accumulation_steps = {accumulation * 2} (the same effective batch)"
        )
    if not settings.gradient_checkpointing:
        ways.append("gradient_checkpointing = true")
    if settings.method == "full":
        ways.append("method = lora")
    elif project.model.quantization == "none":
        ways.append("quantization = nf4")
    ways.append(f"data.max_tokens below {project.data.max_tokens}")
    return ", or ".join(ways)
