"""The selection of a large project made by a process of its own: a screen stays quick meanwhile.

A busy thread keeps an event loop waiting for 200 ms at times; a process does not. It costs half a second
to start one, so what takes less is done in the calling thread. `python -m workbench.data.selection_process`
is that process: it reads a pickled project from stdin, writes its progress line by line to stdout, and then
the pickled selection, or the error.
"""

import os
import pickle
import select as waiting
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from workbench.data.dataset import Dataset, open_dataset
from workbench.data.rows import Cancelled, Progress
from workbench.data.selection import Selection, select
from workbench.errors import WorkbenchError, fault
from workbench.project.store import OpenProject

SMALL = 16 * 2**20
"""Bytes of data that are looked at in a second or so."""
_ROOT = Path(__file__).parents[2]
_ASK_SECONDS = 0.1
_BYTES = 2**20
_END = b"done\n"


def selected(
    project: OpenProject, dataset: Dataset, progress: Progress, cancelled: Cancelled
) -> Selection | None:
    """As `select`; None when it was cancelled. Called from a worker thread, blocks until it is done.

    Args:
        project: with profile and overrides laid in.
        dataset: its sources.
        progress: told the share of the rows that is done.
        cancelled: asked ten times a second.

    Raises WorkbenchError: the process ended without a result.
    """
    if _bytes(dataset) <= SMALL:
        selection = select(dataset, project.settings.data, progress, cancelled)
        return None if cancelled() else selection
    command = [sys.executable, "-m", __name__]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *_python_path()])}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        pickle.dump(project, given)
        given.seek(0)
        process = subprocess.Popen(
            command, stdin=given, stdout=subprocess.PIPE, stderr=errors, env=environment
        )
        try:
            answer = _answer(process, progress, cancelled)
        finally:
            process.kill()
            process.wait()
        if cancelled():
            return None
        errors.seek(0)
        last = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    if answer is None:
        what = "; ".join(last) or f"ended with {process.returncode}"
        raise fault(f"counting the rows brought no result: {what}", project.folder)
    result = pickle.loads(answer)
    if isinstance(result, WorkbenchError):
        raise result
    assert isinstance(result, Selection)
    return result


def _bytes(dataset: Dataset) -> int:
    """Of all files; what went away meanwhile counts nothing."""
    total = 0
    for state in dataset.sources:
        for file in state.rows.files if state.rows else ():
            with suppress(OSError):
                total += file.stat().st_size
    return total


def _python_path() -> list[str]:
    return [path] if (path := os.environ.get("PYTHONPATH")) else []


def _answer(process: "subprocess.Popen[bytes]", progress: Progress, cancelled: Cancelled) -> bytes | None:
    """Hand on the progress; what stands behind it, None when it ended before or was cancelled."""
    assert process.stdout
    pipe, said = process.stdout.fileno(), b""
    answer: list[bytes] | None = None
    while not cancelled():
        if not waiting.select([pipe], [], [], _ASK_SECONDS)[0]:
            continue
        if not (piece := os.read(pipe, _BYTES)):
            return b"".join(answer) if answer is not None else None
        if answer is not None:
            answer.append(piece)
            continue
        *lines, said = (said + piece).split(b"\n")
        for number, line in enumerate(lines):
            if line + b"\n" == _END:
                answer = [b"\n".join([*lines[number + 1 :], said])]
                break
            progress(float(line))
    return None


def main() -> None:
    """The process."""
    project = pickle.load(sys.stdin.buffer)
    out = sys.stdout.buffer

    def tell(share: float) -> None:
        out.write(f"{share:.4f}\n".encode())
        out.flush()

    result: Selection | WorkbenchError
    try:
        dataset = open_dataset(project)
        result = select(dataset, project.settings.data, tell)
        dataset.close()
    except WorkbenchError as error:
        result = error
    out.write(_END)
    pickle.dump(result, out)
    out.flush()


if __name__ == "__main__":
    main()
