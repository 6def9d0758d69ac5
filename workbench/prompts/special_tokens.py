"""What it means for a model that a project adds special tokens to its vocabulary."""

import json
from collections.abc import Sequence

from workbench.prompts.tokenizer import Tokenizer

TRAINED_BYTES = 4
"""Trained weights are kept and saved in fp32."""


def consequences(tokenizer: Tokenizer, asked: Sequence[str], method: str) -> list[str]:
    """What `prompt.special_tokens` changes, in sentences for preview and check; empty when none is asked for.

    Args:
        tokenizer: loaded with them.
        asked: the setting.
        method: `training.method`.
    """
    said = []
    if known := [text for text in dict.fromkeys(asked) if text not in tokenizer.added]:
        said.append(f"in the vocabulary already: {', '.join(known)}")
    if not tokenizer.added:
        return said
    size = tokenizer.size
    first = size - len(tokenizer.added)
    said.append(f"{len(tokenizer.added)} added, with ids from {first}: {', '.join(tokenizer.added)}")
    config = _config(tokenizer)
    rows, width = config.get("vocab_size"), config.get("hidden_size")
    if not isinstance(rows, int) or not isinstance(width, int):
        return said
    if rows < size:
        said.append(
            f"the embeddings grow from {rows:,} to {size:,} rows, the new ones near the mean of the old"
        )
        rows = size
    else:
        said.append(f"the embeddings keep their {rows:,} rows: there is room for {size:,} tokens")
    if method == "lora":
        tied = bool(config.get("tie_word_embeddings", True))
        grown = rows * width * TRAINED_BYTES * (1 if tied else 2) / 2**20
        which = "the embeddings, which are the head too," if tied else "embeddings and head"
        said.append(f"{which} are trained and saved whole: every checkpoint grows by {grown:,.1f} MiB")
    return said


def _config(tokenizer: Tokenizer) -> dict[str, object]:
    """The model's configuration, that of its text part; empty when it cannot be read."""
    try:
        config = json.loads((tokenizer.folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    inner = config.get("text_config") if isinstance(config, dict) else None
    return inner if isinstance(inner, dict) else config if isinstance(config, dict) else {}
