"""Which tensors a run trains, and their sizes: peft's and the optimiser's own arithmetic, without either."""

import re
from math import prod

from workbench.project.training import TrainingSettings
from workbench.runs.forecast.shape import Linear, Shape, Size

ALL_LINEAR = "all-linear"
_TIED_HEAD = "lm_head"
_8BIT_FROM = 4096
_8BIT_BLOCK = 256


def trained_tensors(shape: Shape, settings: TrainingSettings, *, grown: bool = False) -> list[Size]:
    """Sizes of all trained tensors.

    For an adapter these are A (r, d_in) and B (d_out, r) of every target (LoRA, arXiv 2106.09685), with DoRA
    one magnitude for each output (arXiv 2402.09353), and whole copies of `modules_to_save`.

    Args:
        grown: the vocabulary has new tokens: embeddings and head are trained as well.
    """
    if settings.method == "full":
        return [size for _, size in shape.tensors]
    rank, tensors = settings.rank, list[Size]()
    for target in targets(shape, settings, grown=grown):
        tensors += [(rank, target.d_in), (target.d_out, rank)]
        if settings.use_dora:
            tensors.append((target.d_out,))
    saved = _saved(shape, settings, grown)
    if shape.tied and _TIED_HEAD in saved and not grown:
        tensors.append((shape.vocabulary, shape.hidden))  # its copy is no longer tied
    return tensors + [size for name, size in shape.tensors if _kept(name, saved)]


def targets(shape: Shape, settings: TrainingSettings, *, grown: bool = False) -> list[Linear]:
    """The layers that get an adapter, found as peft's `check_target_module_exists` does, 0.21.

    `all-linear` leaves the head out; another text is a pattern for the whole name, a list has last parts.
    """
    wanted = settings.target_modules
    if wanted == ALL_LINEAR:
        found = list(shape.linears)
    else:
        head = [Linear(shape.head or _TIED_HEAD, shape.hidden, shape.vocabulary)]
        embedded = [Linear(name, size[0], size[1]) for name, size in shape.embeddings]
        found = [each for each in (*shape.linears, *embedded, *head) if _matches(each.name, wanted)]
    saved = _saved(shape, settings, grown)
    return [each for each in found if not _kept(each.name, saved)]


def _matches(name: str, wanted: str | list[str]) -> bool:
    if isinstance(wanted, str):
        try:
            return re.fullmatch(wanted, name) is not None
        except re.error:
            return False
    return any(name == each or name.endswith(f".{each}") for each in wanted)


def _saved(shape: Shape, settings: TrainingSettings, grown: bool) -> list[str]:
    """`modules_to_save`, with the layers of a grown vocabulary; a tied head is one with the embeddings."""
    ours = [shape.embeddings[0][0].rpartition(".")[2], *([] if shape.tied else [shape.head])] if grown else []
    return [*settings.modules_to_save, *ours]


def _kept(name: str, saved: list[str]) -> bool:
    parts = name.split(".")
    return any(each == name or each in parts for each in saved)


def optimiser_bytes(tensors: list[Size], optim: str) -> int:
    """State between two steps.

    AdamW has two fp32 moments. bitsandbytes keeps them in 8 bits with one fp32 constant for 256 numbers, for
    tensors of 4,096 numbers and more (`min_8bit_size`, bitsandbytes/optim/optimizer.py; 8-bit optimizers,
    arXiv 2110.02861). Adafactor has a row and a column for a matrix (arXiv 1804.04235). SGD as transformers
    sets it has no momentum. Paged states count in full: they leave the GPU only when it is full.
    """
    if optim == "sgd":
        return 0
    if optim == "adafactor":
        return sum(4 * sum(size[-2:]) if len(size) > 1 else 4 * prod(size) for size in tensors)
    if "8bit" not in optim:
        return 8 * sum(map(prod, tensors))
    return sum(
        2 * (count + 4 * -(-count // _8BIT_BLOCK)) if count >= _8BIT_FROM else 8 * count
        for count in map(prod, tensors)
    )
