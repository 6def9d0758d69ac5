"""What adding special tokens to a vocabulary changes, in words: it is more than a line of settings."""

import json
from pathlib import Path
from typing import Any

from workbench.project.base_model import locate
from workbench.project.store import OpenProject
from workbench.prompts.tokenizer import Tokenizer

BYTES_IN_16_BITS = 2


def effects(project: OpenProject, tokenizer: Tokenizer) -> list[str]:
    """One line for each token, then what follows for the model, its training and its files.

    Args:
        project: its `prompt.special_tokens` are added.
        tokenizer: the base model's with those tokens.

    Raises WorkbenchError: the base model is missing.
    """
    settings = project.settings
    lines = []
    for text in settings.prompt.special_tokens:
        known = "new" if text in tokenizer.added else "in the vocabulary already, marked as special now"
        lines.append(f"{text}  id {tokenizer.encode(text)[0][0]}, {known}")
    if not tokenizer.added:
        return [*lines, "The embedding table stays as it is."]
    config = _config(locate(settings.model.base, project.folder, weights=False).folder)
    rows, width = config.get("vocab_size"), config.get("hidden_size")
    if isinstance(rows, int) and isinstance(width, int):
        needed = max(rows, tokenizer.size)
        grows = f"{rows:,} to {needed:,} rows" if needed > rows else f"{rows:,} rows are enough"
        lines.append(f"Embedding table: {grows}, each {width:,} numbers; new ones start at random.")
        tables = 1 if config.get("tie_word_embeddings") else 2
        numbers = tables * needed * width
        what = "embeddings and head, which are one table" if tables == 1 else "embeddings and head"
        if settings.training.method == "lora":
            size = numbers * BYTES_IN_16_BITS / 1e6
            lines.append(
                f"Trained whole and saved with the adapter: {what}, {numbers:,} numbers, "
                f"{size:,.0f} MB more in 16 bits."
            )
    lines.append("The tokenizer goes into each checkpoint: the base model's own does not know these tokens.")
    lines.append("A run that was made without them cannot be resumed with them.")
    return lines


def _config(folder: Path) -> dict[str, Any]:
    """The model's configuration; empty where it cannot be read, which loading the model will tell."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
