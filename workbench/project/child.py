"""A process of this program that does one piece of work for it, away from the screen: what it says, its end.

A busy thread keeps an event loop waiting for 200 ms at times; a process does not. It costs half a second to
start one.
"""

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_ASK_SECONDS = 0.1
_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        code: its exit code, negative for the signal that killed it.
        complaint: the last line it wrote to stderr.
        cancelled: it was killed because nobody waits for it any more.
    """

    code: int
    complaint: str
    cancelled: bool


def run(
    module: str,
    words: Sequence[str],
    hear: Callable[[str], None],
    cancelled: Callable[[], bool] | None = None,
    *,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    niceness: int = 0,
) -> Ended:
    """Run `python -m module words...` until it ends. Blocks: called from a worker thread.

    Args:
        module: what is run; it is found even where this program is not installed.
        words: its arguments.
        hear: told every whole line of its stdout, without the line end.
        cancelled: asked ten times a second; the process is killed when it says so.
        given: its stdin.
        environment: variables besides ours.
        folder: its working directory.
        niceness: how far it stands back for others.

    Raises OSError: it cannot be started.
    """
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as errors:
        stdin.write(given)
        stdin.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env=_importable({**os.environ, **(environment or {})}),
        )
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
        try:
            stopped = not _listen(process, hear, cancelled or (lambda: False))
            if not stopped:
                process.wait()
        finally:
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return Ended(process.returncode, lines[-1] if lines else "", stopped)


def _listen(
    process: "subprocess.Popen[bytes]", hear: Callable[[str], None], cancelled: Callable[[], bool]
) -> bool:
    """Hand on its lines until it closes its stdout; False when it was cancelled before."""
    assert process.stdout
    pipe, half = process.stdout.fileno(), b""
    while not cancelled():
        if not select.select([pipe], [], [], _ASK_SECONDS)[0]:
            continue
        if not (piece := os.read(pipe, _BYTES)):
            return True
        *lines, half = (half + piece).split(b"\n")
        for line in lines:
            hear(line.decode("utf-8", "replace"))
    return False


def _importable(environment: Mapping[str, str]) -> dict[str, str]:
    known = environment.get("PYTHONPATH")
    return {**environment, "PYTHONPATH": f"{_ROOT}{os.pathsep}{known}" if known else str(_ROOT)}
