"""The base model that comes with the package; README.md tells how it was made, and its limits."""

from pathlib import Path

FOLDER: Path = Path(__file__).parent / "model"
"""The model's folder as `transformers` loads it: configuration, fp16 weights, tokenizer, chat template."""
