"""A model that lets examples read each other is found out."""

from typing import Any

import torch
from transformers import BloomConfig, BloomForCausalLM, LlamaConfig, LlamaForCausalLM

from workbench.engine.packing import keeps_examples_apart


class Leaky(LlamaForCausalLM):  # type: ignore[misc]
    """Takes position ids and does not keep examples apart by them."""

    def forward(self, input_ids: Any, position_ids: Any = None, **kwargs: Any) -> Any:
        return super().forward(input_ids, **kwargs)


def test_position_ids_keep_llama_examples_apart_and_the_proof_draws_no_random_numbers() -> None:
    config = LlamaConfig(
        vocab_size=99, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    model = LlamaForCausalLM(config)
    before = torch.random.get_rng_state()
    assert keeps_examples_apart(model)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not keeps_examples_apart(Leaky(config))


def test_a_model_without_position_ids_is_not_packed() -> None:
    config = BloomConfig(vocab_size=99, hidden_size=32, n_layer=1, n_head=2)
    assert not keeps_examples_apart(BloomForCausalLM(config))
