"""ppl.py of the NTU ADL course as it stands there, one row at a time: an independent way to the same figures.

Source: HW3/ppl.py of the course, as in its students' repositories; only the rows and the prompts are given.
"""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def perplexities(
    folder: Path, rows: list[tuple[str, str]], adapter: Path | None = None, max_length: int = 2048
) -> list[float]:
    """The perplexity of each (prompt, output)."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
    return one_by_one(model.eval(), tokenizer, rows, max_length)


def one_by_one(model, tokenizer, rows, max_length: int = 2048) -> list[float]:  # type: ignore[no-untyped-def]
    found = []
    loss_function = torch.nn.CrossEntropyLoss(reduction="none")
    for prompt, output in rows:
        instruction = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        answer = tokenizer(output, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        bos = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        ids = (bos + instruction + answer)[:max_length]
        mask = ([0] * len(bos + instruction) + [1] * len(answer))[:max_length]
        input_ids, output_mask = torch.tensor([ids]), torch.tensor([mask])
        with torch.no_grad():
            logits = model(input_ids, attention_mask=torch.ones_like(input_ids)).logits
        losses = loss_function(logits[:, :-1].transpose(1, 2), input_ids[:, 1:])
        shifted = output_mask[:, 1:]
        found.append(torch.exp((losses * shifted).sum(1) / shifted.sum(1)).item())
    return found
