"""How often the model gives exactly the right answer, by language, skill and mood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from workbench.engine.embedded.corpus import Conversation


@dataclass
class Score:
    """Right and all answers, counted under the label of each language, skill and mood."""

    right: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    loss: float = 0.0
    """Mean loss of the assistant's tokens, in nats."""

    def count(self, labels: Iterable[str], right: bool) -> None:
        """Counts one answer under each label."""
        for label in labels:
            self.total[label] += 1
            self.right[label] += right

    def table(self) -> dict[str, float]:
        """Share of exact answers under each label, and the loss."""
        shares = {label: round(self.right[label] / self.total[label], 3) for label in sorted(self.total)}
        return {"loss": round(self.loss, 4), **shares}


def encode(tokenizer: PreTrainedTokenizerFast, conversation: Conversation) -> tuple[list[int], list[int]]:
    """Token ids of a conversation, and 1 for each that the assistant says (0 for the others)."""
    encoded = tokenizer.apply_chat_template(
        list(conversation.messages), return_dict=True, return_assistant_tokens_mask=True
    )
    return encoded["input_ids"], encoded["assistant_masks"]


@torch.no_grad()
def score(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, rows: Iterable[Conversation]) -> Score:
    """Scores every answer of the conversations, given the right answers before it.

    A greedy generation equals the right answer if and only if each of its tokens, the end included, is the
    most probable one after the right tokens before it; so one forward pass scores a conversation.
    """
    model.eval()
    result = Score()
    nats, tokens = 0.0, 0
    for row in rows:
        ids, mask = encode(tokenizer, row)
        logits = model(torch.tensor([ids])).logits[0, :-1]
        target, said = torch.tensor(ids[1:]), torch.tensor(mask[1:]).bool()
        nats += torch.nn.functional.cross_entropy(logits[said], target[said], reduction="sum").item()
        tokens += int(said.sum())
        hits = (logits.argmax(-1) == target).tolist()
        spans = _spans(said.tolist())
        for skill, (start, end) in zip(row.skills, spans, strict=True):
            labels = ("all", row.language, skill, f"{row.language} {skill}", f"mood {row.mood}")
            result.count(labels, all(hits[start:end]))
    result.loss = nats / tokens
    return result


def _spans(flags: list[bool]) -> list[tuple[int, int]]:
    """Start and end of each run of true flags."""
    edges = [
        at for at in range(len(flags) + 1) if (at < len(flags) and flags[at]) != (at > 0 and flags[at - 1])
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))
