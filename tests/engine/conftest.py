"""A real model, small enough to be made and trained in a test: 2 layers of width 64, its own tokenizer."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

WORDS = [
    "what",
    "is",
    "the",
    "capital",
    "of",
    "norway",
    "oslo",
    "france",
    "paris",
    "spain",
    "madrid",
    "italy",
]
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model folder as a user would have it: Llama, byte-level BPE, ChatML."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-base")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", "<|im_end|>"]
    tokenizer.train_from_iterator(
        WORDS * 4,
        trainers.BpeTrainer(
            vocab_size=320,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|im_end|>",
        "chat_template": CHATML,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=128,
            bos_token_id=None,
            eos_token_id=tokenizer.token_to_id("<|im_end|>"),
            pad_token_id=tokenizer.token_to_id("<|im_end|>"),
            tie_word_embeddings=True,
        )
    )
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def make_project(tmp_path: Path, tiny_base: Path) -> Callable[..., Path]:
    """As `write_project`, in a folder of the test's own."""
    return partial(write_project, tmp_path / "project", tiny_base)


def write_project(
    folder: Path,
    base: Path,
    data: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    **training: Any,
) -> Path:
    """Writes a project of 40 conversations of very different lengths; keyword arguments are `[training]`."""
    folder.mkdir(exist_ok=True)
    rows = [
        {
            "instruction": " ".join(WORDS[: 1 + i % 7]),
            "output": " ".join(WORDS[i % 5 : i % 5 + 1 + i % 11]),
        }
        for i in range(40)
    ]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    defaults = {
        "max_steps": 12,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "eval_steps": 0,
        "save_steps": 0,
    }
    tables = {
        "model": {"base": str(base), **(model or {})},
        "data": {"max_tokens": 128, **(data or {})},
        "training": {**defaults, **training},
    }
    lines = ["format = 1", 'name = "tiny"']
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    lines += ["[[data.source]]", 'kind = "fields"', 'path = "train.jsonl"', 'user = ["{instruction}"]']
    (folder / "project.toml").write_text("\n".join(lines) + "\n")
    return folder
