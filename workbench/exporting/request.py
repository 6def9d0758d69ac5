"""What a person asks for when a model is taken out, and what of a project that means."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import fault
from workbench.project.base_model import EMBEDDED
from workbench.runs.checkpoints import Checkpoint, list_checkpoints, verify
from workbench.runs.folder import Run, read_spec
from workbench.runs.spec import Spec

Kind = Literal["adapter", "merged", "gguf"]
Dtype = Literal["bf16", "fp16", "fp32", "q8_0"]
Way = Literal["original", "dequantised", "whole"]
"""Into which weights an adapter is merged: those of the base model's files, or those that it was trained on,
which the quantization has changed. `whole`: there is no adapter, all weights were trained."""

KINDS: dict[Kind, str] = {
    "adapter": "the LoRA adapter for peft, vLLM and others; the base model is needed beside it",
    "merged": "a whole model for transformers, vLLM and others",
    "gguf": "one file for llama.cpp and Ollama",
}
NEWEST, BEST = "newest", "best"


class ExportRequest(BaseModel):
    """One export, as it is handed to the process that does it.

    Attributes:
        project: the project's folder; its `[chat]` gives the generation settings.
        run: the run's folder.
        step: of the checkpoint.
        kind: what is made.
        to: the folder that is made.
        dtype: of the written weights; None for the usual one.
        merge: the way to merge; None takes the one that comes closest to the model as it was trained.
        replace: an earlier export in `to` gives way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = 1
    project: Path
    run: Path
    step: int
    kind: Kind
    to: Path
    dtype: Dtype | None = None
    merge: Literal["original", "dequantised"] | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """A request that can be carried out.

    Attributes:
        request: as it was made.
        run: the run.
        spec: what it was started with.
        checkpoint: complete.
        dtype: of the written weights; None for an adapter, which keeps its own.
        ways: how the weights can be merged; empty for an adapter.
    """

    request: ExportRequest
    run: Run
    spec: Spec
    checkpoint: Checkpoint
    dtype: Dtype | None
    ways: tuple[Way, ...]

    @property
    def name(self) -> str:
        """What the model is called."""
        return f"{self.spec.project.name}-{self.run.id}-step-{self.checkpoint.step}"


def choose_checkpoint(run: Run, wanted: str) -> Checkpoint:
    """The checkpoint that a person means.

    Args:
        wanted: a step, `best` (lowest validation loss), or `newest`.

    Raises:
        WorkbenchError: there is none, or not that one.
    """
    read_spec(run)  # what is wrong with it, an imported run above all
    found = list_checkpoints(run)
    if not found:
        raise fault("this run has no complete checkpoint", run.id, "there is nothing to take out yet")
    if wanted == NEWEST:
        return found[-1]
    if wanted == BEST:
        if best := [each for each in found if each.best]:
            return best[0]
        hint = "name a step, or `newest`"
        raise fault("no checkpoint of this run is known to be its best: it has no validation", run.id, hint)
    for each in found:
        if str(each.step) == wanted:
            return each
    steps = ", ".join(str(each.step) for each in found)
    raise fault(f"no checkpoint {wanted!r}", run.id, f"there are {steps}; or `{BEST}`, or `{NEWEST}`")


def plan(request: ExportRequest) -> Export:
    """Hold a request against its run; the checkpoint is read whole.

    Raises:
        WorkbenchError: settings that exclude each other, a checkpoint that is gone or damaged.
    """
    run = Run(request.run)
    spec = read_spec(run)
    checkpoint = choose_checkpoint(run, str(request.step))
    verify(checkpoint)
    full = spec.project.training.method == "full"
    quantized = spec.project.model.quantization != "none"
    if request.kind == "adapter" and full:
        raise fault("there is no adapter: this run trained all weights", run.id, "take --as merged")
    if request.kind == "adapter" and request.dtype:
        raise fault("an adapter keeps the precision it was trained in", "--dtype", "leave it out")
    if request.kind == "merged" and request.dtype == "q8_0":
        raise fault("q8_0 is a type of GGUF files", "--dtype", "take bf16, fp16 or fp32, or --as gguf")
    if request.merge and (request.kind == "adapter" or not quantized):
        what = "nothing is merged" if request.kind == "adapter" else "this run's base model is not quantized"
        raise fault(f"there is no choice: {what}", "--merge", "leave it out")
    return Export(request, run, spec, checkpoint, _dtype(request, spec), _ways(request, full, quantized))


def _dtype(request: ExportRequest, spec: Spec) -> Dtype | None:
    if request.kind == "adapter" or request.dtype:
        return request.dtype
    if spec.base_model.name == EMBEDDED:  # small enough to lose nothing
        return "fp32"
    return "bf16" if request.kind == "merged" else "fp16"


def _ways(request: ExportRequest, full: bool, quantized: bool) -> tuple[Way, ...]:
    if request.kind == "adapter":
        return ()
    if full:
        return ("whole",)
    if request.merge:
        return (request.merge,)
    return ("original", "dequantised") if quantized else ("original",)
