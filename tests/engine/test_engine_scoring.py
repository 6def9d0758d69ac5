"""Both heads say the same as plain logits, packed or padded, and examples are told apart."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling
from trl.trainer.utils import add_fused_lm_head

from workbench.engine import scoring
from workbench.engine.meter import Meter
from workbench.engine.scoring import IGNORED, Scores, score

ROWS = [
    {"input_ids": [5, 6, 7, 8, 9], "labels": [IGNORED, IGNORED, 7, 8, 9]},
    {"input_ids": [3, 4, 11], "labels": [IGNORED, IGNORED, 11]},
    {"input_ids": [2, 9, 1, 30, 31, 32, 33], "labels": [IGNORED] * 4 + [31, IGNORED, 33]},
]
SIZES = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}


def llama() -> Any:
    return LlamaForCausalLM(LlamaConfig(**SIZES))


def gemma_with_soft_cap() -> Any:
    return Gemma2ForCausalLM(Gemma2Config(**SIZES, head_dim=16, final_logit_softcapping=0.5))


def expected(model: Any) -> tuple[float, list[list[bool]]]:
    """(sum of log-probabilities, hits per example), one example at a time from the full logits."""
    total, hits = 0.0, []
    for row in ROWS:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"][1:])
        log_probs = model(ids, use_cache=False).logits[0, :-1].float().log_softmax(-1)
        trained = labels != IGNORED
        chosen = log_probs[trained].gather(1, labels[trained][:, None])
        total += chosen.sum().item()
        hits.append((log_probs[trained].argmax(-1) == labels[trained]).tolist())
    return total, hits


@pytest.mark.parametrize("build", [llama, gemma_with_soft_cap])
@pytest.mark.parametrize("padding_free", [True, False])
@pytest.mark.parametrize("fused", [True, False])
def test_score_agrees_with_the_full_logits(
    build: Callable[[], Any], padding_free: bool, fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    model = build().eval()
    total, hits = expected(model)
    add_fused_lm_head(model, outputs=("log_probs", "is_top1"))
    monkeypatch.setattr(scoring, "uses_fused_head", lambda device: fused)
    batch = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=padding_free)(ROWS)
    scores = score(model, batch)
    assert scores.log_probs.sum().item() == pytest.approx(total, rel=1e-5)
    found = [scores.correct[(scores.example == i) & scores.trained].tolist() for i in range(scores.examples)]
    assert found == hits


def test_the_meter_counts_whole_examples() -> None:
    trained = torch.tensor([True, True, True, True, False])
    correct = torch.tensor([True, True, True, False, False])
    meter = Meter()
    meter.add(Scores(torch.full((5,), -0.5), correct, trained, torch.tensor([0, 0, 1, 1, 2]), 3), 11)
    reading = meter.read()
    assert (reading.token_accuracy, reading.sequence_accuracy) == (0.75, 0.5)
    assert (reading.tokens, reading.supervised_tokens, reading.examples) == (11, 4, 3)
    assert meter.read().examples == 0
