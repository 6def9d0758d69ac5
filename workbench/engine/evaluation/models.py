"""The models of an evaluation, one after the other: a base model is loaded once for all adapters on it."""

import gc

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from workbench.chat.protocol import Target
from workbench.engine.chat_model import (
    adapter_of,
    load_base,
    model_folder,
    require_base,
    with_adapter,
)


class Models:
    """Holds one base model at a time, with an adapter on it or without."""

    def __init__(self) -> None:
        self._base: PreTrainedModel | None = None
        self._held: tuple[object, ...] = ()
        self._width = 0
        self._current: PreTrainedModel | None = None
        self._target: Target | None = None

    def holds(self, target: Target) -> bool:
        """It is the one that was loaded last."""
        return target == self._target

    def load(self, target: Target) -> PreTrainedModel:
        """The model of `target`, in evaluation mode; the one before is gone.

        Raises WorkbenchError: as `chat_model.model_folder` and `load_model`.
        """
        if self.holds(target) and self._current is not None:
            return self._current
        folder = model_folder(target)
        require_base(target, folder)
        base = self._plain(target, (folder, target.quantization, target.double_quantization))
        adapter = adapter_of(target, folder)
        try:
            model = with_adapter(base, adapter) if adapter else base
        except BaseException:
            self.close()  # half an adapter may hang on it
            raise
        self._current = model.eval().requires_grad_(False)
        self._target = target
        return self._current

    def close(self) -> None:
        """Give the memory back."""
        if self._base is None:
            return
        self._base = self._current = self._target = None
        self._held = ()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _plain(self, target: Target, wanted: tuple[object, ...]) -> PreTrainedModel:
        """The base model without an adapter."""
        self._target = None
        if isinstance(self._current, PeftModel):
            # Takes the adapter's layers out again: the weights under them were never touched
            self._base = self._current.unload()
        self._current = None
        if self._base is not None and self._held == wanted and _width(self._base) == self._width:
            return self._base
        self.close()
        self._base = load_base(target, model_folder(target))
        self._held, self._width = wanted, _width(self._base)
        return self._base


def _width(model: PreTrainedModel) -> int:
    """Rows of the vocabulary: an adapter may have added some, and they stay when it goes."""
    rows: int = model.get_input_embeddings().num_embeddings
    return rows
