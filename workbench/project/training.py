"""`[training]`: every lever of a run, in the groups in which the form shows them."""

from functools import partial
from typing import Annotated, Literal, get_args

from pydantic import Field

from workbench.project.table import Count, Seed, Table, Words, setting

PresetName = Literal[
    "none",
    "up-to-100m",
    "up-to-1b",
    "1b-to-4b",
    "7b-to-14b",
    "30b-and-up",
    "vietnamese-davinci",
    "fika-task-1",
    "fika-task-2",
    "emotion",
    "typhoon",
    "classical-chinese",
]
PRESETS: tuple[str, ...] = get_args(PresetName)[1:]
"""The files of `presets/`: by size of the base model, and of five real projects."""

_adapter = partial(setting, group="adapter")
_optimiser = partial(setting, group="optimiser")
_batches = partial(setting, group="batches")
_memory = partial(setting, group="memory and speed")
_intervals = partial(setting, group="intervals")


class TrainingSettings(Table):
    """`[training]`: names as in transformers' TrainingArguments and peft's LoraConfig where one exists."""

    preset: PresetName = setting(
        "none", "Whose values stand where project.toml sets none: by model size, or a real project's"
    )
    method: Literal["lora", "full"] = _adapter(
        "lora", "Train a low-rank adapter, or every weight of the base model"
    )
    rank: Count = _adapter(16, "LoRA rank: width of the adapter", source="LoRA, arXiv 2106.09685", ge=1)
    alpha: Count = _adapter(32, "LoRA alpha: the adapter counts alpha / rank; rank or twice the rank", ge=1)
    dropout: float = _adapter(0.0, "LoRA dropout", unit="share", ge=0, lt=1)
    target_modules: Words | Annotated[list[Words], Field(min_length=1)] = _adapter(
        "all-linear", "Layers that get an adapter: `all-linear`, or a list of names", source="peft"
    )
    modules_to_save: list[Words] = _adapter(
        [], "Layers that are trained whole beside the adapter and saved with it, such as lm_head"
    )
    use_rslora: bool = _adapter(
        False, "rsLoRA: the adapter counts alpha / sqrt(rank), for high ranks", source="arXiv 2312.03732"
    )
    use_dora: bool = _adapter(
        False, "DoRA: direction and length of weights are learnt apart; slower", source="arXiv 2402.09353"
    )
    init_lora_weights: Literal["default", "gaussian", "orthogonal", "olora", "pissa", "pissa_niter_16"] = (
        _adapter(
            "default",
            "Start values of the adapter; pissa and olora take them out of the base model's own weights",
            source="peft: default is Kaiming for A, zero for B",
        )
    )
    continue_from: str = _adapter(
        "", "An adapter to go on from: its folder, or RUN/step-N of this project; rank and layers are its own"
    )

    learning_rate: float = _optimiser(
        2e-4, "Peak learning rate; about 2e-4 for LoRA, 2e-5 for full", gt=0, lt=1
    )
    lr_scheduler_type: Literal[
        "linear", "cosine", "cosine_with_restarts", "constant", "constant_with_warmup"
    ] = _optimiser("cosine", "Shape of the learning rate over the run; `constant` ignores warmup_steps")
    lr_restarts: Count = _optimiser(
        1, "cosine_with_restarts: how often the cosine begins anew", unit="cycles", ge=1
    )
    warmup_steps: float = _optimiser(
        0.05,
        "Warm-up: a share of the run below 1, or a count",
        unit="share or steps",
        ge=0,
        le=2**31 - 1,
    )
    optim: Literal[
        "adamw_torch_fused",
        "adamw_torch",
        "adamw_8bit",
        "paged_adamw_32bit",
        "paged_adamw_8bit",
        "adafactor",
        "sgd",
    ] = _optimiser(
        "adamw_torch_fused",
        "Optimiser; 8-bit and paged AdamW save memory where all weights train",
        source="transformers",
    )
    adam_beta2: float = _optimiser(
        0.999, "AdamW's memory of squared gradients", source="transformers", ge=0, lt=1
    )
    weight_decay: float = _optimiser(0.0, "Weight decay of AdamW", ge=0, le=1e6)
    max_grad_norm: float = _optimiser(
        1.0, "Gradients are scaled down to this norm", source="transformers", gt=0
    )
    neftune_noise_alpha: float = _optimiser(
        0.0,
        "NEFTune: noise on the embeddings while training, such as 5; 0 for none",
        source="arXiv 2310.05914",
        ge=0,
    )

    num_train_epochs: float = _batches(3.0, "Passes over the training rows", unit="epochs", gt=0, le=1e6)
    max_steps: Count = _batches(0, "Optimizer steps; 0 means by epochs", unit="steps", ge=0)
    per_device_train_batch_size: Count = _batches(
        8, "Micro-batch: examples in memory at once", unit="examples", ge=1
    )
    gradient_accumulation_steps: Count = _batches(
        1, "Micro-batches per optimizer step; effective batch = micro-batch x this", ge=1
    )
    packing: Literal["batch", "bfd", "none"] = _batches(
        "batch",
        "No padding: `batch` lays a micro-batch end to end (same examples a step), "
        "`bfd` fills rows of max_tokens; `none` pads",
        source="exact under SDPA: position ids keep examples apart",
    )
    seed: Seed = _batches(42, "Seed of the adapter's start values and of dropout")
    data_seed: Seed = _batches(42, "Seed of the order of rows")

    precision: Literal["auto", "bf16", "fp16", "fp32"] = _memory(
        "auto", "Arithmetic: auto takes bf16 where the GPU has it, fp16 on an older GPU, fp32 on a CPU"
    )
    gradient_checkpointing: bool = _memory(False, "Recompute activations: less memory, about a fifth slower")
    use_liger_kernel: bool = _memory(
        False, "Liger's fused kernels; needs a GPU and the package liger-kernel", source="arXiv 2410.10989"
    )
    torch_compile: bool = _memory(
        False, "torch.compile: the first steps take minutes, later ones are faster; for long runs"
    )

    logging_steps: Count = _intervals(1, "Steps between points of the training curve", unit="steps", ge=1)
    eval_steps: Count = _intervals(20, "Steps between validations; 0 for only at the end", unit="steps", ge=0)
    save_steps: Count = _intervals(50, "Steps between checkpoints; 0 for only at the end", unit="steps", ge=0)
    save_total_limit: Count = _intervals(
        3,
        "Checkpoints kept; the newest and the best always stay, so 1 can leave two; 0 keeps all",
        unit="checkpoints",
        ge=0,
    )
    early_stopping_patience: Count = _intervals(
        0, "Stop after this many validations without a new best; 0 never does", unit="validations", ge=0
    )
