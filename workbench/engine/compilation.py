"""torch.compile, block by block: a repeated block is compiled once, and no name in a checkpoint changes.

Compiled whole, a model would become a graph of minutes, recompiled for every count of trained positions, and
its weights would be called `_orig_mod.*`.
"""

from collections.abc import Iterator
from typing import Any

from torch import nn

from workbench.engine.attention import keep_out_of_graphs
from workbench.errors import fault


def compile_blocks(model: Any) -> None:
    """Compile the repeated blocks of a transformers model, in or outside of a PEFT model, in place.

    Raises:
        WorkbenchError: the architecture does not say what its blocks are.
    """
    blocks = list(_blocks(model))
    if not blocks:
        raise fault(
            f"torch_compile: {type(model).__name__} does not name its blocks",
            "training.torch_compile",
            "set it to false",
        )
    keep_out_of_graphs()
    for block in blocks:
        # Rows have another length in every step
        block.compile(dynamic=True)


def _blocks(model: Any) -> Iterator[nn.Module]:
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    names = set(base._no_split_modules or ())
    return (part for part in base.modules() if type(part).__name__ in names)
