"""Checkpoints are complete or invisible.

One is filled in a hidden folder, gets a manifest with the size and SHA-256 of every file, is written through
to the disk and only then takes its name. One that is removed loses its name first. Whatever moment a process
is killed at, every visible `step-N` folder is whole; `sweep` clears what was left of the others.
"""

import hashlib
import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import Problem, WorkbenchError, fault
from workbench.runs.folder import Run
from workbench.runs.status import best_step

MANIFEST = "manifest.json"
STAGING = ".staging-"
TRASH = ".trash-"
DAMAGED = "-damaged"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete checkpoint.

    Attributes:
        step: optimizer steps behind its weights.
        path: its folder.
        bytes: size of its files.
        best: no validation of the run had a lower loss than the one at this step.
    """

    step: int
    path: Path
    bytes: int
    best: bool


def publish(staging: Path, final: Path) -> None:
    """Make the checkpoint in `staging` visible as `final`, which lies on the same disk.

    Raises:
        WorkbenchError: `final` is a complete checkpoint already.
        OSError: the disk is full or fails; `final` is not there then.
    """
    files = {}
    for path in sorted(staging.rglob("*")):
        if path.is_file() and path != staging / MANIFEST:
            files[path.relative_to(staging).as_posix()] = {
                "bytes": path.stat().st_size,
                "sha256": _digest(path),
            }
    manifest = json.dumps({"v": 1, "files": files}, indent=1)
    (staging / MANIFEST).write_text(manifest, encoding="utf-8")
    for path in (*staging.rglob("*"), staging):
        _fsync(path)
    if final.exists():
        if _complete(final) is not None:
            raise fault("is there already", final)
        _discard(final)
    staging.rename(final)
    _fsync(final.parent)


def list_checkpoints(run: Run) -> list[Checkpoint]:
    """The complete checkpoints of a run by step, the oldest first."""
    best = best_step(run)
    found = []
    for step, path in _steps(run.checkpoints):
        size = _complete(path)
        if size is not None:
            found.append(Checkpoint(step, path, size, step == best))
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def verify(checkpoint: Checkpoint) -> None:
    """Read a checkpoint whole and hold it against its manifest.

    Raises:
        WorkbenchError: names every file that is missing, of another size, or of other content.
    """
    problems = []
    for name, entry in (_manifest(checkpoint.path) or {}).items():
        path = checkpoint.path / name
        try:
            size = path.stat().st_size
            if size != entry["bytes"]:
                problems.append(Problem(f"has {size} bytes, it was written with {entry['bytes']}", str(path)))
            elif _digest(path) != entry["sha256"]:
                problems.append(Problem("its content has changed since it was written", str(path)))
        except OSError as error:
            problems.append(Problem(f"cannot be read: {error.strerror or error}", str(path)))
    if _manifest(checkpoint.path) is None:
        problems.append(Problem("is missing or broken", str(checkpoint.path / MANIFEST)))
    if problems:
        raise WorkbenchError(*problems)


def newest_whole(run: Run) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint of which every byte is what was written; a word on each newer, damaged one.

    A damaged one becomes `step-N-damaged`: the run will write its step again, and rotation must not take it
    for the newest. Only for the holder of the lock.

    Raises:
        WorkbenchError: there are checkpoints, and all of them are damaged.
        OSError: a damaged one cannot be renamed.
    """
    damaged: list[tuple[Checkpoint, WorkbenchError]] = []
    for step, path in sorted(_steps(run.checkpoints), reverse=True):
        checkpoint = Checkpoint(step, path, _complete(path) or 0, step == best_step(run))
        try:
            verify(checkpoint)
        except WorkbenchError as error:
            damaged.append((checkpoint, error))
            continue
        return checkpoint, [_set_aside(each, error, step) for each, error in damaged]
    if damaged:
        problems = [problem for _, error in damaged for problem in error.problems]
        hint = f"remove {run.checkpoints} to begin anew, or start a new run"
        raise WorkbenchError(*problems, Problem("no checkpoint of this run is whole", run.id, hint))
    return None, []


def _set_aside(checkpoint: Checkpoint, error: WorkbenchError, instead: int) -> str:
    aside = checkpoint.path.with_name(f"{checkpoint.path.name}{DAMAGED}")
    shutil.rmtree(aside, ignore_errors=True)
    checkpoint.path.rename(aside)
    what = ", ".join(
        f"{Path(problem.where).relative_to(checkpoint.path)} {problem.what}" for problem in error.problems
    )
    return (
        f"the checkpoint of step {checkpoint.step} is damaged ({what}) and was renamed to {aside.name}; "
        f"the run goes on from step {instead}"
    )


def rotate(run: Run, keep: int, best: int | None) -> None:
    """Remove the oldest complete checkpoints until `keep` are left; 0 keeps all.

    The newest and the one of step `best` always stay. A checkpoint that cannot be removed stays too, for the
    next time.
    """
    if keep <= 0:
        return
    present = [checkpoint.step for checkpoint in list_checkpoints(run)]
    protected = {*present[-1:], *(step for step in present if step == best)}
    free = max(0, keep - len(protected))
    others = [step for step in present if step not in protected]
    for step in others[: max(0, len(others) - free)]:
        with suppress(OSError):
            _discard(run.checkpoints / f"step-{step}")


def sweep(run: Run) -> None:
    """Remove what a killed process left half written or half removed. Only for the holder of the lock."""
    with suppress(OSError):
        for path in list(run.checkpoints.iterdir()):
            if path.name.startswith((STAGING, TRASH)):
                shutil.rmtree(path, ignore_errors=True)


def _discard(folder: Path) -> None:
    """Remove a visible folder. Its name goes before the first of its files, which takes no disk space."""
    trash = folder.with_name(TRASH + folder.name)
    shutil.rmtree(trash, ignore_errors=True)
    folder.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)


def _steps(folder: Path) -> list[tuple[int, Path]]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = [(re.fullmatch(r"step-(0|[1-9][0-9]*)", name), name) for name in names]
    return [(int(match[1]), folder / name) for match, name in found if match]


def _manifest(folder: Path) -> dict[str, dict[str, Any]] | None:
    """File name to size and digest; None when there is no readable manifest."""
    try:
        entries = json.loads((folder / MANIFEST).read_bytes())["files"]
        return {
            str(name): {"bytes": int(e["bytes"]), "sha256": str(e["sha256"])} for name, e in entries.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _complete(folder: Path) -> int | None:
    """Bytes of a checkpoint whose files are all there in full size; None for anything else."""
    entries = _manifest(folder)
    if entries is None:
        return None
    try:
        if any((folder / name).stat().st_size != entry["bytes"] for name, entry in entries.items()):
            return None
    except OSError:
        return None
    return sum(int(entry["bytes"]) for entry in entries.values())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
