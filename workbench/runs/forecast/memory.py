"""The peak of memory of a run, part by part."""

from dataclasses import dataclass, replace
from math import prod

from workbench.project.schema import Project
from workbench.runs.forecast.activations import (
    activation_bytes,
    attention_bytes,
    fused_logits_bytes,
    largest_linear,
    layer_bytes,
    logits_bytes,
)
from workbench.runs.forecast.batch import Batch
from workbench.runs.forecast.capacity import Capacity
from workbench.runs.forecast.shape import Shape
from workbench.runs.forecast.trained import optimiser_bytes, trained_tensors

PARTS = ("weights", "adapter", "gradients", "optimiser", "activations", "logits", "overhead")
EXACT = ("weights", "adapter", "gradients", "optimiser")
"""Known to the byte; what is measured corrects the others."""

UNCERTAINTY = 0.15
"""Half width of the range of a GPU until something was measured on this box: what is aimed at, no finding."""

HOST_UNCERTAINTY = 0.35
"""The same of a host. Without the term for holes the formulae were 8 to 32 % too low there; its factors were
fitted on those same runs, so nobody knows how much of that it takes away for other models."""

HOST_LIBRARIES = 560 * 2**20
"""Python with torch, transformers, datasets, TRL and peft loaded, on a CPU: measured with torch 2.13."""

HOLES_BELOW = 32 * 2**20
"""glibc gives tensors of this size and more back (M_MMAP_THRESHOLD_MAX, mallopt(3)); smaller leave holes."""

HOLES_OF_ADAPTERS, HOLES_OF_FULL = 0.75, 0.15
"""Holes as a share of what a forward pass makes. Measured on a Llama of 25 million parameters, against the
same steps with MALLOC_MMAP_THRESHOLD_ set to 1 MiB: 0.69, 0.80 and 0.86 with adapters; full by difference."""

CUDA_CONTEXT = 500 * 2**20
"""What the driver takes of a GPU for a process, outside torch's own count."""

CUDA_WORKSPACE = 256 * 2**20
FRAGMENTS = 0.05
"""torch's allocator holds blocks that no tensor fills: share of what comes and goes in a step."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the moment when most is in use.

    Attributes:
        parts: name of PARTS to bytes; they add up to the peak. Gradients count where they exist just then.
        moment: `loss`, `backward` or `update`, whichever is highest.
        batch: the micro-batch that it was computed for.
        trainable: trained parameters.
        parameters: all of the base model.
        precision: of the arithmetic.
        device: `cuda:0` or `host`.
        uncertainty: half width of the range, as a share of the total.
        remark: what measurements of this box it was corrected by; empty for none.
    """

    parts: dict[str, int]
    moment: str
    batch: Batch
    trainable: int
    parameters: int
    precision: str
    device: str
    uncertainty: float = UNCERTAINTY
    remark: str = ""

    @property
    def total(self) -> int:
        """The peak."""
        return sum(self.parts.values())

    @property
    def low(self) -> int:
        """The lower end of the range."""
        return round(self.total * (1 - self.uncertainty))

    @property
    def high(self) -> int:
        """The upper end of the range."""
        return round(self.total * (1 + self.uncertainty))

    @property
    def largest(self) -> str:
        """The name of the largest part."""
        return max(self.parts, key=self.parts.__getitem__)

    @property
    def exact(self) -> int:
        """Bytes of the parts that are known exactly."""
        return sum(self.parts[name] for name in EXACT)

    @property
    def estimated(self) -> int:
        """Bytes of the others."""
        return self.total - self.exact

    def corrected(self, factor: float, uncertainty: float, remark: str) -> "Memory":
        """With the estimated parts multiplied."""
        parts = {name: size if name in EXACT else round(size * factor) for name, size in self.parts.items()}
        return replace(self, parts=parts, uncertainty=uncertainty, remark=remark)


def weight_bytes(shape: Shape, quantization: str, double: bool, width: int) -> int:
    """The base model in memory, `width` bytes for each number that is not quantised.

    Linear layers but the head are quantised. nf4: half a byte, and for each block of 64 one fp32 constant,
    0.5 + 4/64 = 0.5625; double quantization keeps these in 8 bits, with one fp32 for 256 of them: 0.516
    (QLoRA, arXiv 2305.14314). int8: one byte, and one fp32 for each output (LLM.int8, arXiv 2208.07339).
    """
    if quantization == "none":
        return width * shape.parameters
    linear = sum(each.size for each in shape.linears)
    rest = width * (shape.parameters - linear)
    if quantization == "int8":
        return rest + linear + 4 * sum(each.d_out for each in shape.linears)
    blocks = linear / 64
    return rest + round(linear / 2 + (blocks + 4 * blocks / 256 if double else 4 * blocks))


def forecast_memory(
    project: Project, shape: Shape, batch: Batch, capacity: Capacity, *, grown: bool = False
) -> Memory:
    """The peak of a run with these settings, before any correction.

    Trained numbers, their gradients and AdamW's two moments are fp32: 4 + 4 + 8 = 16 bytes each. Where all
    weights train in 16 bits they have 16-bit copies besides (Micikevicius et al., arXiv 1710.03740). A
    forward pass fills memory until the loss; gradients then replace what was kept, layer by layer, so that
    the two count together only where gradients are accumulated over several micro-batches.

    Args:
        grown: the vocabulary has new tokens; embeddings and head train as well.
    """
    training = project.training
    precision = capacity.precision(training.precision)
    width = 4 if precision == "fp32" else 2
    full, host = training.method == "full", capacity.device == "host"
    tensors = trained_tensors(shape, training, grown=grown)
    trainable = sum(map(prod, tensors))
    linear = sum(each.size for each in shape.linears)
    quantization, double = project.model.quantization, project.model.double_quantization
    weights = weight_bytes(shape, quantization, double, 4 if full else width)
    if full and width == 2:
        copied = linear // max(shape.layers, 1) if training.gradient_checkpointing else linear
        weights += width * copied
    kept = activation_bytes(shape, training, batch, width)
    if not training.gradient_checkpointing:
        kept += attention_bytes(shape, batch, width, project.model.attn_implementation)
    head_trains = full or grown or "lm_head" in training.modules_to_save
    logits = (
        logits_bytes(batch, shape.vocabulary, width)
        if host
        else fused_logits_bytes(shape, batch, width, head_trains=head_trains)
    )
    gradients = 4 * trainable
    layer = layer_bytes(shape, training, batch, width)
    # A tied matrix gets one gradient from the head and one from the embeddings before they are added
    double_gradient = 4 * shape.vocabulary * shape.hidden if full and shape.tied else 0
    held = gradients if training.gradient_accumulation_steps > 1 else 0
    moments = {
        "loss": (held, kept, logits),
        "backward": (max(held, gradients // max(shape.layers, 1)), kept + layer, 0)
        if training.gradient_checkpointing
        else (held, kept, 0),
        "update": (gradients + double_gradient, 0, 0),
    }
    moment = max(moments, key=lambda name: sum(moments[name]))
    gradients, kept, logits = moments[moment]
    if host:
        made = layer * shape.layers if batch.tokens * shape.hidden * width < HOLES_BELOW else 0
        overhead = HOST_LIBRARIES + round(made * (HOLES_OF_FULL if full else HOLES_OF_ADAPTERS))
    else:
        overhead = CUDA_WORKSPACE + round(FRAGMENTS * (kept + logits))
    if quantization != "none":
        overhead += largest_linear(shape).size * width
    sizes = (
        weights,
        0 if full else 4 * trainable,
        gradients,
        optimiser_bytes(tensors, training.optim),
        kept,
        logits,
        overhead,
    )
    return Memory(
        parts=dict(zip(PARTS, sizes, strict=True)),
        moment=moment,
        batch=batch,
        trainable=trainable,
        parameters=shape.parameters,
        precision=precision,
        device=capacity.device,
        uncertainty=HOST_UNCERTAINTY if host else UNCERTAINTY,
    )


def room(capacity: Capacity) -> int:
    """Bytes that a run can have: what is free, on a GPU without what the driver takes for it."""
    return max(0, capacity.free - (CUDA_CONTEXT if capacity.device != "host" else 0))
