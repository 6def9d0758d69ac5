"""A checkpoint is filled in a staging folder, then published whole; a full disk costs only a warning."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError

from workbench.errors import WorkbenchError
from workbench.prompts.tokenizer import FILES, TEMPLATE_FILE
from workbench.runs.checkpoints import STAGING, list_checkpoints, publish, rotate
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run


class CheckpointWriter:
    """Writes the checkpoints of one run.

    Args:
        run: whose `checkpoints/step-N` folders are written.
        events: told of every checkpoint, and of every one that could not be written.
        keep: checkpoints that stay, newest and best among them; 0 for all.
        base_folder: the base model, whose tokenizer files go along byte for byte.
        template: source of the chat template that the run is trained with.
        tokenizer: tokenizer.json with the run's special tokens; empty when it adds none.
    """

    def __init__(
        self,
        run: Run,
        events: EventWriter,
        keep: int,
        base_folder: Path,
        template: str,
        tokenizer: str = "",
    ) -> None:
        self._run = run
        self._events = events
        self._keep = keep
        # Read now: the base model may have been moved or removed when a checkpoint is due
        self._tokenizer_files = {
            name: (base_folder / name).read_bytes() for name in FILES if (base_folder / name).is_file()
        }
        if tokenizer:
            self._tokenizer_files["tokenizer.json"] = tokenizer.encode()
        self._template = template
        self._bytes = max((checkpoint.bytes for checkpoint in list_checkpoints(run)), default=0)

    def write(self, step: int, fill: Callable[[Path], None], best_step: int | None) -> bool:
        """Write `checkpoints/step-<step>`, then remove what is over the limit.

        Args:
            step: optimizer steps behind the weights.
            fill: puts weights and trainer state into the folder it is given.
            best_step: step of the lowest validation loss; its checkpoint is never removed.

        Returns:
            False when the disk did not take it: a warning is in the events, older checkpoints are untouched.
        """
        started = time.perf_counter()
        folder = self._run.checkpoints
        final = folder / f"step-{step}"
        if any(checkpoint.step == step for checkpoint in list_checkpoints(self._run)):
            return True
        staging = folder / f"{STAGING}step-{step}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._check_space(folder)
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
            self._copy_tokenizer(staging)
            fill(staging)
            publish(staging, final)
        except (OSError, RuntimeError, SafetensorError, WorkbenchError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            shutil.rmtree(staging, ignore_errors=True)
            self._events.write("warning", message=f"checkpoint of step {step} not written: {_reason(error)}")
            return False
        self._bytes = sum(file.stat().st_size for file in final.iterdir())
        self._events.write(
            "checkpoint",
            step=step,
            path=str(final.relative_to(self._run.folder)),
            bytes=self._bytes,
            seconds=round(time.perf_counter() - started, 3),
            best=step == best_step,
        )
        self._events.sync()
        rotate(self._run, self._keep, best_step)
        return True

    def _check_space(self, folder: Path) -> None:
        """Writing until the disk is full would take the space that the events need."""
        free = shutil.disk_usage(folder).free
        if free < self._bytes:
            raise OSError(
                f"the disk has {free / 1e6:.1f} MB left, the last one took {self._bytes / 1e6:.1f} MB"
            )

    def _copy_tokenizer(self, folder: Path) -> None:
        for name, content in self._tokenizer_files.items():
            (folder / name).write_bytes(content)
        (folder / TEMPLATE_FILE).write_text(self._template, encoding="utf-8")


def _reason(error: Exception) -> str:
    """torch reports a full disk as an assertion on the position in its zip file."""
    text = str(error).strip().partition("\n")[0]
    return "the disk is full" if "unexpected pos" in text or "No space left" in text else text
