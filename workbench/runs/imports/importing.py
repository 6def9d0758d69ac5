"""A foreign run becomes a run folder like ours, whole or not at all."""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError, fault
from workbench.project.files import write_atomic
from workbench.runs.events import event_line
from workbench.runs.folder import RUNS, Run, list_runs, read_imported
from workbench.runs.imports.foreign import Foreign
from workbench.runs.imports.table import read_table
from workbench.runs.imports.tensorboard import is_event_file, read_tensorboard
from workbench.runs.imports.trainer_state import read_trainer_state
from workbench.runs.spec import ImportedSpec, Origin

LONGEST_NAME = 60
_HEAD_BYTES = 12


def import_run(
    project_folder: Path, path: Path, *, name: str = "", rows: int | None = None, batch: int | None = None
) -> Run:
    """Make a run of the project from what another program logged.

    Args:
        project_folder: the project that the run is listed with.
        path: a table of losses, a trainer_state.json, a TensorBoard event file or the folder of several.
        name: what follows the date in the run's id; the file's name when empty.
        rows: rows of its training set, where known: gives epochs.
        batch: its effective batch; read from the file where that counts examples.

    Raises:
        WorkbenchError: the file cannot be read or holds no loss; it was imported before; the run's folder
            cannot be written. Nothing is left of it then.
    """
    files = _files(path)
    digest = _digest(files)
    _require_new(project_folder, path, digest)
    found = read_foreign(path, files)
    batch = batch or _batch(found)
    _count_epochs(found, rows, batch)
    created = time.time()
    title = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(created))}-{_title(name or path.resolve().stem)}"
    origin = Origin(file=str(path.resolve()), format=found.format, sha256=digest, remarks=found.remarks)
    given = {"effective_batch": batch, "rows": rows}
    settings = found.settings | {key: value for key, value in given.items() if value}
    return _write(project_folder, title, found, origin, settings, created)


def read_foreign(path: Path, files: list[Path]) -> Foreign:
    """The run that `path`, of which these are the files, holds; raises as `import_run` does."""
    try:
        with files[0].open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if is_event_file(head):
            found = read_tensorboard(files)
        else:
            text = files[0].read_text(encoding="utf-8-sig")
            json_like = text.lstrip().startswith(("{", "["))
            found = read_trainer_state(path, text) if json_like else read_table(path, text)
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise fault("is neither UTF-8 text nor a TensorBoard event file", f"{path}:{line}") from error
    found.finish(path)
    return found


def _files(path: Path) -> list[Path]:
    """A file, or the event files of a folder in the order of the times in their names."""
    if not path.is_dir():
        if not path.exists():
            raise fault("no such file", path)
        return [path]
    files = sorted(file for file in path.iterdir() if "tfevents" in file.name and file.is_file())
    if files:
        return files
    if (state := path / "trainer_state.json").is_file():
        return [state]
    raise fault("holds no TensorBoard event file and no trainer_state.json", path, "name the file itself")


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise fault(f"cannot be read: {error.strerror or error}", file) from error
    return digest.hexdigest()


def _require_new(project_folder: Path, path: Path, digest: str) -> None:
    for run in list_runs(project_folder):
        before = None
        with suppress(WorkbenchError):
            before = read_imported(run)
        if before is not None and before.imported.sha256 == digest:
            raise fault(f"was imported before, as {run.id}", path, f"to import it anew, delete {run.folder}")


def _batch(found: Foreign) -> int | None:
    """Examples of a step, where the file counts them and all steps have as many."""
    each = {
        figures["elapsed_examples"] / step
        for step, figures in found.training.items()
        if step and "elapsed_examples" in figures
    }
    only = each.pop() if len(each) == 1 else 0.0
    return int(only) if only >= 1 and only == int(only) else None


def _count_epochs(found: Foreign, rows: int | None, batch: int | None) -> None:
    """epoch = examples seen / rows of the training set, where the file tells no epochs itself."""
    if not rows or any("epoch" in figures for figures in found.training.values()):
        return
    for points in (found.training, found.validation):
        for step, figures in points.items():
            seen = figures.get("elapsed_examples", step * batch if batch else None)
            if seen is not None:
                figures["epoch"] = seen / rows


def _title(name: str) -> str:
    """A name that is safe in a file system and on a command line."""
    title = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:LONGEST_NAME]
    if not title:
        raise fault("is no name for a run", repr(name), "--name NAME gives one")
    return title


def _write(
    project_folder: Path, title: str, found: Foreign, origin: Origin, settings: dict[str, Any], created: float
) -> Run:
    parent = project_folder / RUNS
    staging = None
    try:
        parent.mkdir(exist_ok=True)
        # A folder within a hidden one is listed by nobody until it takes its name
        staging = Path(tempfile.mkdtemp(prefix=".import-", dir=parent))
        made = Run(staging / title)
        made.folder.mkdir()
        made.control.mkdir()
        made.checkpoints.mkdir()
        _write_events(made, found, origin, settings)
        final, count = Run(parent / title), 1
        while final.folder.exists():
            count += 1
            final = Run(parent / f"{title}-{count}")
        spec = ImportedSpec(id=final.id, created=created, imported=origin, settings=settings)
        write_atomic(made.spec, spec.model_dump_json(indent=2) + "\n")
        made.folder.rename(final.folder)
    except OSError as error:
        raise fault(f"cannot be written: {error.strerror or error}", parent) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
    return final


def _write_events(run: Run, found: Foreign, origin: Origin, settings: dict[str, Any]) -> None:
    modified = Path(origin.file).stat().st_mtime
    begun = {"attempt": 1, "resumed_from": None, "total_steps": _total(found)}
    if "effective_batch" in settings:
        begun["effective_batch"] = settings["effective_batch"]
    if "rows" in settings:
        begun["train_rows"] = settings["rows"]
    lines: list[tuple[str, dict[str, Any], float]] = [("started", begun, modified)]
    for step in sorted({*found.training, *found.validation}):
        moment = found.times.get(step, modified)
        figures = found.training.get(step, {})
        if figures:
            lines.append(("step", {"step": step, **figures}, moment))
        if step in found.validation:
            measured = found.validation[step]
            epoch = {"epoch": figures["epoch"]} if "epoch" in figures else {}
            lines.append(("evaluated", {"step": step, **epoch, **measured}, moment))
    lines += [("warning", {"message": remark}, modified) for remark in found.remarks]
    reason = f"from {Path(origin.file).name} ({origin.format})"
    lines.append(("ended", {"state": "imported", "step": found.last_step, "reason": reason}, modified))
    with run.events.open("xb") as file:
        file.writelines(event_line(kind, {"time": moment, **fields}) for kind, fields, moment in lines)
        file.flush()
        os.fsync(file.fileno())


def _total(found: Foreign) -> int:
    """The steps that were meant, where the file says."""
    meant = found.settings.get("max_steps")
    return max(meant, found.last_step) if type(meant) is int else found.last_step
