"""The tools whose configurations are read: how they are told apart, and what they do unasked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.project.importing.names import NOT_HERE, OURS

_TRANSFORMERS = {
    "lr_scheduler_type": "linear",
    "warmup_ratio": 0.0,
    "optim": "adamw_torch_fused",
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "max_grad_norm": 1.0,
    "weight_decay": 0.0,
    "adam_beta2": 0.999,
    "seed": 42,
    "eval_strategy": "no",
    "save_steps": 500,
    "save_total_limit": 0,
}
"""Those of TrainingArguments, transformers 5."""


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: as `--from` takes it.
        title: as people call it.
        programs: what its command lines run.
        own: settings that only it has.
        defaults: its setting to what it does without.
        truncates: whether rows that are too long are cut; else left out.
    """

    name: str
    title: str
    programs: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    truncates: bool = True


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "qlora",
            "qlora.py",
            ("qlora.py",),
            frozenset(
                (
                    "bits",
                    "quant_type",
                    "double_quant",
                    "source_max_len",
                    "target_max_len",
                    "dataset_format",
                    "full_finetune",
                    "adam8bit",
                    "eval_dataset_size",
                    "max_memory_MB",
                    "train_on_source",
                    "lora_modules",
                    "do_mmlu_eval",
                    "mmlu_split",
                )
            ),
            # qlora.py at 7f4e95a, its four dataclasses
            _TRANSFORMERS
            | {
                "eval_dataset_size": 1024,
                "source_max_len": 1024,
                "target_max_len": 256,
                "train_on_source": False,
                "full_finetune": False,
                "double_quant": True,
                "quant_type": "nf4",
                "bits": 4,
                "bf16": False,
                "fp16": False,
                "lora_r": 64,
                "lora_alpha": 16,
                "lora_dropout": 0.0,
                "optim": "paged_adamw_32bit",
                "per_device_train_batch_size": 1,
                "gradient_accumulation_steps": 16,
                "max_steps": 10000,
                "learning_rate": 2e-4,
                "max_grad_norm": 0.3,
                "gradient_checkpointing": True,
                "lr_scheduler_type": "constant",
                "warmup_ratio": 0.03,
                "logging_steps": 10,
                "save_steps": 250,
                "save_total_limit": 40,
            },
        ),
        Tool(
            "trl",
            "TRL",
            ("trl sft", "sft.py"),
            frozenset(
                (
                    "dataset_name",
                    "use_peft",
                    "lora_target_modules",
                    "use_bnb_nested_quant",
                    "assistant_only_loss",
                    "completion_only_loss",
                    "packing_strategy",
                    "dataset_text_field",
                    "lora_task_type",
                    "eos_token",
                    "dataset_train_split",
                    "loss_type",
                    "max_length",
                    "bnb_4bit_quant_type",
                )
            ),
            # SFTConfig and ModelConfig of TRL 1.16
            _TRANSFORMERS
            | {
                "learning_rate": 2e-5,
                "gradient_checkpointing": True,
                "logging_steps": 10,
                "max_length": 1024,
                "use_peft": False,
                "lora_r": 16,
                "lora_alpha": 32,
                "lora_dropout": 0.05,
                "use_bnb_nested_quant": False,
                "assistant_only_loss": False,
            },
        ),
        Tool(
            "llama-factory",
            "LLaMA-Factory",
            ("llamafactory-cli train", "train_bash.py"),
            frozenset(
                (
                    "stage",
                    "finetuning_type",
                    "lora_rank",
                    "lora_target",
                    "cutoff_len",
                    "template",
                    "val_size",
                    "quantization_bit",
                    "flash_attn",
                    "neat_packing",
                    "mask_history",
                    "train_on_prompt",
                    "preprocessing_num_workers",
                    "overwrite_cache",
                    "dataset_dir",
                    "pissa_init",
                    "additional_target",
                    "plot_loss",
                    "enable_liger_kernel",
                    "resize_vocab",
                    "max_samples",
                )
            ),
            # hparams of LLaMA-Factory 0.9
            _TRANSFORMERS
            | {
                "finetuning_type": "lora",
                "lora_rank": 8,
                "lora_dropout": 0.0,
                "lora_target": "all",
                "cutoff_len": 2048,
                "val_size": 0.0,
                "learning_rate": 5e-5,
                "disable_gradient_checkpointing": False,
                "double_quantization": True,
                "train_on_prompt": False,
                "logging_steps": 500,
            },
        ),
        Tool(
            "axolotl",
            "Axolotl",
            ("axolotl train",),
            frozenset(
                (
                    "base_model",
                    "adapter",
                    "micro_batch_size",
                    "num_epochs",
                    "sequence_len",
                    "sample_packing",
                    "lora_target_linear",
                    "val_set_size",
                    "lr_scheduler",
                    "optimizer",
                    "train_on_inputs",
                    "datasets",
                    "dataset_prepared_path",
                    "flash_attention",
                    "evals_per_epoch",
                    "saves_per_epoch",
                    "pad_to_sequence_len",
                    "special_tokens",
                    "wandb_project",
                )
            ),
            # schemas of Axolotl 0.8; warm-up of its builder, there at most 100 steps
            {
                "micro_batch_size": 1,
                "gradient_accumulation_steps": 1,
                "num_epochs": 1.0,
                "max_steps": -1,
                "lr_scheduler": "cosine",
                "optimizer": "adamw_torch_fused",
                "warmup_ratio": 0.03,
                "sequence_len": 512,
                "val_set_size": 0.0,
                "lora_dropout": 0.0,
                "weight_decay": 0.0,
                "train_on_inputs": False,
                "adapter": None,
                "gradient_checkpointing": False,
                "double_quant": True,
                "seed": 42,
            },
            truncates=False,
        ),
        Tool(
            "transformers",
            "transformers",
            # TrainingArguments, BitsAndBytesConfig and peft's LoraConfig
            defaults=_TRANSFORMERS | {"learning_rate": 5e-5, "bnb_4bit_use_double_quant": False},
        ),
    )
}

EXTRA = frozenset(
    (
        "double_quantization",
        "pissa_iter",
        "lr_scheduler_kwargs",
        "max_steps",
        "eval_delay",
        "quantization_method",
    )
)
"""Names that are understood together with others."""
KNOWN = frozenset(OURS) | frozenset(NOT_HERE) | EXTRA


def told_by(names: Iterable[str], program: str = "") -> Tool:
    """The tool that a configuration is of: by its program, else by the settings that no other has."""
    called = program.rpartition("/")[2]
    for tool in TOOLS.values():
        if called in tool.programs:
            return tool
    given = set(names)
    best = max(TOOLS.values(), key=lambda tool: len(tool.own & given))
    return best if best.own & given else TOOLS["transformers"]
