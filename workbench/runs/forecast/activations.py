"""What a forward pass keeps for the backward pass: counted tensor by tensor for layers that are known.

`width` is bytes of a number in the arithmetic: 4 for fp32, 2 for bf16 and fp16 (under autocast).
"""

from workbench.project.training import TrainingSettings
from workbench.runs.forecast.batch import Batch
from workbench.runs.forecast.shape import Linear, Shape
from workbench.runs.forecast.trained import targets

FUSED_ROWS, FUSED_COLUMNS = 4096, 32768
"""Tile of logits that TRL's fused head holds at once (trl/kernels/chunked_logprob.py, 1.16)."""

_UNKNOWN_LAYER = 1.2
"""A layer of an unknown family against input and output of its linear layers: 22h + 6i bytes in bf16 for a
Llama without grouped queries, of which 8i + 24h were measured."""

_QKV, _GATE_UP = ("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj")


def activation_bytes(shape: Shape, settings: TrainingSettings, batch: Batch, width: int) -> int:
    """Kept by all layers at the end of the forward pass.

    With gradient checkpointing only the input of each layer is kept: layers x tokens x hidden (arXiv
    1604.06174).
    """
    last = 3 * 4 * shape.hidden * batch.tokens  # final norm
    if settings.gradient_checkpointing:
        return shape.layers * batch.tokens * shape.hidden * width + last
    return layer_bytes(shape, settings, batch, width) * shape.layers + last


def layer_bytes(shape: Shape, settings: TrainingSettings, batch: Batch, width: int) -> int:
    """Kept by one layer, which gradient checkpointing computes anew one layer at a time."""
    return round(_per_token(shape, settings, width) * batch.tokens)


def _per_token(shape: Shape, settings: TrainingSettings, width: int) -> float:
    """Bytes that one layer keeps of one token.

    Counted with `torch.autograd.graph.saved_tensors_hooks` on a Llama of transformers 5.23 in fp32: each norm
    keeps its input, and its output where its weight trains; a linear layer keeps its input where its weight
    or its adapter trains; rotated queries, keys, values and the result of attention are kept, so are both
    sides of the product in the MLP. For bf16 this comes to 8i + 20..27h (measured: 57-63 kB at hidden 896,
    intermediate 4,864).
    """
    full = settings.method == "full"
    adapted = [] if full else targets(shape, settings)
    if shape.block is None:
        ends = sum(each.d_in + each.d_out for each in shape.linears) / max(shape.layers, 1)
        return _UNKNOWN_LAYER * width * ends
    block, hidden = shape.block, shape.hidden
    normalised = block.norms * hidden + (block.queries + block.keys if block.head_norms else 0)
    # Norms compute in fp32, so that under autocast they keep copies of their own
    kept = 4.0 * normalised * (2 if full else 1)
    kept += width * (2 * block.queries + 2 * block.keys + 3 * block.intermediate)
    trained = {each.kind for each in (shape.linears if full else adapted)}
    widths = {each.kind: each.d_in for each in shape.linears[:7]}
    if width == 4:
        # Layers that read the same tensor share it
        kept += 4 * hidden * (bool(trained & {*_QKV}) + bool(trained & {*_GATE_UP}))
        kept += 4 * sum(widths[kind] for kind in trained & {"o_proj", "down_proj"})
    else:
        # Autocast makes each of them a copy
        kept += width * sum(widths[kind] for kind in trained & widths.keys())
    layers = max(shape.layers, 1)
    if settings.dropout and not full:
        kept += sum(each.d_in for each in adapted) / layers * (width + 4)
    if settings.use_dora and not full:
        kept += sum(each.d_out for each in adapted) / layers * 2 * width
    return kept + (0 if full else settings.rank * width * len(adapted) / layers)


def attention_bytes(shape: Shape, batch: Batch, width: int, implementation: str) -> int:
    """Kept by attention that is computed as a whole square of scores: only `eager` does.

    Softmax in fp32, its copy in the arithmetic, and the scores: heads x rows x longest squared.
    """
    if implementation != "eager":
        return 0
    rows = batch.rows if batch.padded else 1
    length = batch.longest if batch.padded else batch.tokens
    return shape.layers * shape.heads * rows * length**2 * (4 + width)


def logits_bytes(batch: Batch, vocabulary: int, width: int) -> int:
    """The plain head on the trained positions: 14 bytes a logit in bf16, 12 in fp32.

    At the begin of the backward pass there are the log-probabilities, their gradient and the gradient of the
    logits, all fp32, and in bf16 the logits themselves (measured: 14 x tokens x vocabulary). Rows that are
    padded are scored in all columns of which any is trained, then picked out: one copy more.
    """
    bytes_each = 12 if width == 4 else 14
    return batch.trained * vocabulary * (bytes_each + (2 * width if batch.padded else 0))


def fused_logits_bytes(shape: Shape, batch: Batch, width: int, *, head_trains: bool) -> int:
    """TRL's fused head, on a GPU: one tile of logits, the fp32 gradient of the hidden states, and that of the
    head where it trains. Source: `_ChunkedLogProbFunction`, trl 1.16."""
    tile = min(batch.trained, FUSED_ROWS) * min(shape.vocabulary, FUSED_COLUMNS) * width
    head = 4 * shape.vocabulary * shape.hidden if head_trains else 0
    return tile + batch.trained * shape.hidden * (4 + width) + head


def largest_linear(shape: Shape) -> Linear:
    """The widest layer: as much is unpacked at a time of a quantised model."""
    return max(shape.linears, key=lambda each: each.size)
