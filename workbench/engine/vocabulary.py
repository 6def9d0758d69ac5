"""A vocabulary that grows by special tokens: rows in embeddings and head, both trained and saved whole."""

from torch import nn
from transformers import PreTrainedModel

from workbench.errors import fault


def grow_vocabulary(model: PreTrainedModel, size: int, *, start: bool = True) -> None:
    """Give embeddings and head `size` rows; a model that has as many keeps what it has.

    New rows are drawn around the mean of the old ones, from torch's global generator: seed it first.

    Args:
        model: the base model, before it gets an adapter.
        size: one more than the tokenizer's highest id.
        start: choose start values; without it the rows are to be loaded.

    Raises WorkbenchError: embeddings or head are quantized, or the architecture has none to grow.
    """
    if model.get_input_embeddings().num_embeddings >= size:
        return
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        if layer is None or not layer.weight.is_floating_point():
            raise fault(
                "the embeddings of this base model cannot grow: they are "
                + ("not there" if layer is None else "quantized"),
                "prompt.special_tokens",
                "set model.quantization to none, or leave the tokens out",
            )
    model.resize_token_embeddings(size, mean_resizing=start)


def vocabulary_layers(model: nn.Module) -> list[str]:
    """Names of the embeddings and of the head, as peft's `modules_to_save` takes them."""
    wanted = (model.get_input_embeddings(), model.get_output_embeddings())  # type: ignore[operator]
    return [
        name.rpartition(".")[2] for layer in wanted for name, part in model.named_modules() if part is layer
    ]
