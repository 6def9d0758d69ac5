"""How each process of a run with several ended, in `RUN/ranks/`, and which of them is the reason.

A rank that fails takes the others with it: they lose the connection to it, or are killed. So each writes down
its own end, the process that watches over them that of a rank which was killed, and the reason of the run is
the first cause, never a consequence.
"""

import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.project.files import write_atomic
from workbench.runs.folder import Run

FOLDER = "ranks"


@dataclass(frozen=True, slots=True)
class Word:
    """The last word of one rank, or on it.

    Attributes:
        state: finished, stopped or failed, as in an `ended` event.
        killed: a signal ended it; it could say nothing itself.
        time: in seconds since 1970.
    """

    rank: int
    state: str
    reason: str
    killed: bool = False
    time: float = 0.0


def leave_word(run: Run, word: Word) -> None:
    """Write `word` down, unless its rank left one already.

    Raises:
        WorkbenchError: the disk does not take it.
    """
    path = _path(run, word.rank)
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, json.dumps({"v": 1, **asdict(word), "time": word.time or time.time()}) + "\n")


def read_words(run: Run, ranks: Iterable[int]) -> list[Word]:
    """The words that `ranks` have left so far."""
    found = []
    for rank in ranks:
        try:
            fields = json.loads(_path(run, rank).read_bytes())
            del fields["v"]
            found.append(Word(**fields))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def forget_words(run: Run) -> None:
    """Those of an earlier attempt. Only for the holder of the lock."""
    shutil.rmtree(run.folder / FOLDER, ignore_errors=True)


def verdict(words: Iterable[Word]) -> Word:
    """How the run ended: as rank 0 says where it came to an orderly end, else by the first cause."""
    words = list(words)
    orderly = next((word for word in words if word.rank == 0 and word.state != "failed"), None)
    failed = [word for word in words if word.state == "failed"]
    if orderly is not None:
        return orderly
    if not failed:
        return Word(0, "failed", "its processes ended without a word: the log is in console.log")
    # No consequence: those that a failure leaves over are ended in silence
    first = min(failed, key=lambda word: (not word.killed, word.time))
    alike = len(failed) > 1 and all(word.reason == first.reason for word in failed)
    reason = first.reason if alike else f"rank {first.rank}: {first.reason}"
    return Word(0, "failed", reason, first.killed, first.time)


def _path(run: Run, rank: int) -> Path:
    return run.folder / FOLDER / f"{rank}.json"
