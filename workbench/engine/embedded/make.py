"""Makes the embedded base model: tokenizer, training, score, fp16 files.

Run it with `python -m workbench.engine.embedded.make`. Everything is seeded and counted in steps,
not in time, so that the same machine makes the same model again.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from workbench.embedded import FOLDER
from workbench.engine.embedded.corpus import conversations
from workbench.engine.embedded.letters import coverage
from workbench.engine.embedded.score import Score, encode, score
from workbench.engine.embedded.tokenizer import VOCABULARY, save_tokenizer, train_tokenizer

SEED = 20
TOKENIZER_SEED, TRAIN_SEED, HELD_OUT_SEED = 1, 2, 3
TOKENIZER_CONVERSATIONS = 2_000
HELD_OUT_CONVERSATIONS = 1_000
STEPS = 5_000
TOKENS_PER_STEP = 1_024
POOL = 256
"""Conversations sorted by length together, so that a batch needs little padding."""
RATE, FLOOR, WARMUP = 4e-3, 0.02, 50
QUESTION_WEIGHT = 0.1
"""Weight in the loss of the tokens that are not the assistant's."""
LONGEST = 1_024

log = logging.getLogger(__name__)


def main() -> None:
    """Reads the command line and makes the model; progress goes to stderr."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write the model to")
    parser.add_argument("--steps", type=int, default=STEPS, help="optimizer steps; fewer make a poorer model")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    make(arguments.out, arguments.steps)


def make(out: Path, steps: int) -> Score:
    """Writes the model to the folder `out` and returns its score on conversations it was not trained on."""
    started = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    # The order of floating-point sums depends on the number of threads
    torch.set_num_threads(2)

    lines = [m["content"] for c in conversations(TOKENIZER_SEED, TOKENIZER_CONVERSATIONS) for m in c.messages]
    save_tokenizer(train_tokenizer([*lines, *coverage()]), out, LONGEST)
    tokenizer = AutoTokenizer.from_pretrained(out)

    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        initializer_range=0.06,
        max_position_embeddings=LONGEST,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    # Muon needs fewer steps to learn copying from a context; the embedding and the norms are not for it
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    others = [*model.model.embed_tokens.parameters(), *(p for p in model.parameters() if p.ndim == 1)]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=RATE, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=RATE, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    log.info("parameters %d", model.num_parameters())

    held_out = list(conversations(HELD_OUT_SEED, HELD_OUT_CONVERSATIONS))
    model.train()
    seen = 0
    for step, (ids, answers) in enumerate(batches(tokenizer, steps)):
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = RATE * schedule(step, steps)
        weights = torch.where(answers, 1.0, QUESTION_WEIGHT) * (ids != tokenizer.pad_token_id)
        logits = model(ids).logits[:, :-1].flatten(0, 1)
        losses = torch.nn.functional.cross_entropy(logits, ids[:, 1:].flatten(), reduction="none")
        weights = weights[:, 1:].flatten()
        loss = (losses * weights).sum() / weights.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad()
        seen += ids.numel()
        if step % 250 == 0:
            spent = time.perf_counter() - started
            log.info("step %d loss %.4f tokens %d seconds %.0f", step, loss.item(), seen, spent)

    model.half().save_pretrained(out)
    result = score(LlamaForCausalLM.from_pretrained(out, dtype=torch.float32), tokenizer, held_out)
    log.info("seconds %.0f\n%s", time.perf_counter() - started, json.dumps(result.table(), indent=1))
    return result


def schedule(step: int, steps: int) -> float:
    """Share of the full learning rate at a step: a short warm-up, then a cosine down to the floor."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return min(1.0, (step + 1) / WARMUP) * (FLOOR + (1 - FLOOR) * cosine)


def batches(tokenizer: AutoTokenizer, steps: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """`steps` batches of whole conversations: token ids and which are the assistant's, both (rows, length).

    Each row is one conversation from position 0, as at generation: without a beginning-of-text token two
    packed ones could not be told from one. Conversations are drawn anew for every batch.
    """
    rng = random.Random(TRAIN_SEED)
    made = 0
    while True:
        pool = [encode(tokenizer, c) for c in conversations(rng.randrange(2**32), POOL)]
        pool.sort(key=lambda row: len(row[0]))
        rows: list[list[tuple[list[int], list[int]]]] = [[]]
        for row in pool:
            if (len(rows[-1]) + 1) * len(row[0]) > TOKENS_PER_STEP:
                rows.append([])
            rows[-1].append(row)
        rng.shuffle(rows)
        for batch in rows:
            yield padded(batch, tokenizer.pad_token_id)
            made += 1
            if made == steps:
                return


def padded(rows: list[tuple[list[int], list[int]]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of ids and answer masks, padded at the right; the causal mask keeps the padding out of sight."""
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [pad] * (longest - len(ids)) for ids, _ in rows])
    answers = torch.tensor([mask + [0] * (longest - len(mask)) for _, mask in rows])
    return ids, answers.bool()


if __name__ == "__main__":
    main()
