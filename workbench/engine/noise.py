"""NEFTune, arXiv 2310.05914: uniform noise on the embeddings while training, none in validation or chat.

Its size is alpha / sqrt(T d), for T tokens of an example and the width d. transformers takes for T the length
of the row, padding or other examples of the micro-batch included; here it is the example's own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class EmbeddingNoise:
    """A forward hook on the embeddings.

    Args:
        alpha: NEFTune's alpha, such as 5.
    """

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._lengths: Tensor | None = None

    def expect(self, inputs: Mapping[str, Any]) -> None:
        """Take over how long the examples of the coming micro-batch are; its columns: `scoring.score`."""
        if "cu_seq_lens_q" in inputs:
            lengths = inputs["cu_seq_lens_q"].diff()
            self._lengths = lengths.repeat_interleave(lengths)[None, :, None]  # (1, T, 1)
        else:
            self._lengths = inputs["attention_mask"].sum(dim=-1)[:, None, None]  # (B, 1, 1)

    @contextmanager
    def on(self, embeddings: nn.Module) -> Iterator[None]:
        """Noise while the embeddings are in training mode."""
        hook = embeddings.register_forward_hook(self._add)
        try:
            yield
        finally:
            hook.remove()

    def _add(self, module: nn.Module, inputs: Any, embedded: Tensor) -> Tensor:
        """`embedded` (B, T, d) and noise."""
        if not module.training or self._lengths is None:
            return embedded
        reach = self._alpha / (self._lengths * embedded.shape[-1]).sqrt()
        return embedded + torch.empty_like(embedded).uniform_(-1, 1) * reach.to(embedded.dtype)
