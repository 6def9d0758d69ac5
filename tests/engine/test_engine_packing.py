"""A model that lets examples read each other is found out."""

from typing import Any

import pytest
import torch
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from workbench.engine.attention import PER_EXAMPLE
from workbench.engine.packing import prepare_packing
from workbench.engine.scoring import score


class Leaky(LlamaForCausalLM):  # type: ignore[misc]
    """Takes position ids and does not keep examples apart by them."""

    def forward(self, input_ids: Any, position_ids: Any = None, **kwargs: Any) -> Any:
        return super().forward(input_ids, use_cache=False)


def test_position_ids_keep_llama_examples_apart_and_the_proof_draws_no_random_numbers() -> None:
    config = LlamaConfig(
        vocab_size=99, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    model = LlamaForCausalLM(config)
    before = torch.random.get_rng_state()
    assert prepare_packing(model)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not prepare_packing(Leaky(config))


@pytest.mark.parametrize("window", [None, 4])
def test_examples_by_themselves_give_the_logits_and_gradients_of_the_mask(window: int | None) -> None:
    sizes = {"vocab_size": 99, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    model = MistralForCausalLM(MistralConfig(**sizes, **heads, sliding_window=window))
    rows = [{"input_ids": list(range(1, 1 + length))} for length in (5, 13, 1, 9)]
    batch = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)(rows)
    losses, gradients = [], []
    for prepare in (False, True):
        assert not prepare or prepare_packing(model)
        assert (model.config._attn_implementation == PER_EXAMPLE) == prepare
        model.zero_grad()
        loss = -score(model, batch).log_probs.sum()
        loss.backward()
        losses.append(loss.item())
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-5)


def test_a_model_without_position_ids_is_not_packed() -> None:
    config = BloomConfig(vocab_size=99, hidden_size=32, n_layer=1, n_head=2)
    assert not prepare_packing(BloomForCausalLM(config))
