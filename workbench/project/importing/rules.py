"""How settings of other tools become ours: those that are one to one, and the rules for the rest in order."""

from collections.abc import Callable

from workbench.project.importing import rules_model, rules_run
from workbench.project.importing.reading import Reading

_TO_SAVE = ("lora_modules_to_save", "modules_to_save", "additional_target")
_WHOLE = {
    "data.max_prompt_tokens": ("source_max_len",),
    "data.max_answer_tokens": ("target_max_len",),
    "data.max_tokens": (
        *("cutoff_len", "sequence_len", "max_seq_length", "max_length", "block_size"),
        "model_max_length",
    ),
    "training.rank": ("lora_rank", "lora_r", "r"),
    "training.per_device_train_batch_size": (
        *("per_device_train_batch_size", "micro_batch_size", "per_gpu_train_batch_size"),
    ),
    "training.gradient_accumulation_steps": ("gradient_accumulation_steps", "grad_accum"),
    "training.seed": ("seed", "random_state"),
    "training.logging_steps": ("logging_steps",),
    "training.save_total_limit": ("save_total_limit",),
    "training.early_stopping_patience": ("early_stopping_patience",),
}
_NUMBERS = {
    "training.dropout": ("lora_dropout",),
    "training.learning_rate": ("learning_rate", "lr"),
    "training.adam_beta2": ("adam_beta2",),
    "training.weight_decay": ("weight_decay",),
    "training.max_grad_norm": ("max_grad_norm",),
    "training.neftune_noise_alpha": ("neftune_noise_alpha",),
    "training.num_train_epochs": ("num_train_epochs", "num_epochs", "epochs"),
}
_TRUTHS = {
    "model.double_quantization": (
        *("double_quant", "double_quantization", "use_bnb_nested_quant", "bnb_4bit_use_double_quant"),
    ),
    "training.use_rslora": ("use_rslora", "peft_use_rslora"),
    "training.use_dora": ("use_dora", "peft_use_dora"),
    "training.use_liger_kernel": ("use_liger_kernel", "enable_liger_kernel"),
    "training.torch_compile": ("torch_compile",),
}
_TEXTS = {
    "model.base": ("model_name_or_path", "base_model", "model_name", "pretrained_model_name_or_path"),
    "training.continue_from": ("adapter_name_or_path", "lora_model_dir"),
}


def _plain(read: Reading) -> None:
    """Settings that are ours under another name."""
    for key, names in _WHOLE.items():
        if (whole := read.whole(*names)) is not None:
            read.put(key, whole, read.first(names)[0])
    for key, names in _NUMBERS.items():
        if (number := read.number(*names)) is not None:
            read.put(key, number, read.first(names)[0])
    for key, names in _TRUTHS.items():
        if (truth := read.truth(*names)) is not None:
            read.put(key, truth, read.first(names)[0])
    for key, names in _TEXTS.items():
        if text := read.text(*names):
            read.put(key, text, read.first(names)[0])
    if modules := read.words(*_TO_SAVE):
        read.put("training.modules_to_save", modules, read.first(_TO_SAVE)[0])


RULES: tuple[Callable[[Reading], None], ...] = (
    _plain,
    rules_model.method,
    rules_model.alpha,
    rules_model.quantization,
    rules_model.precision,
    rules_model.attention,
    rules_run.packing,
    rules_run.schedule,
    rules_run.optimiser,
    rules_run.length_of_run,
    rules_run.rows,
    rules_model.adapter,
    rules_model.memory,
    rules_run.intervals,
    rules_run.seeds,
)
"""In this order: quantization looks at the method."""
