"""How the settings of other tools become ours. Each reads what it needs, and says what one should know."""

from collections.abc import Callable

from workbench.project.importing.reading import Reading

_OPTIMISERS = {
    "adamw_torch_fused": "adamw_torch_fused",
    "adamw_torch": "adamw_torch",
    "adamw_hf": "adamw_torch",
    "adamw": "adamw_torch",
    "adamw_8bit": "adamw_8bit",
    "adamw_bnb_8bit": "adamw_8bit",
    "paged_adamw_32bit": "paged_adamw_32bit",
    "paged_adamw": "paged_adamw_32bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
    "adafactor": "adafactor",
    "sgd": "sgd",
}
_SCHEDULES = ("linear", "cosine", "cosine_with_restarts", "constant", "constant_with_warmup")
_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "half": "fp16"} | {
    name: name for name in ("bf16", "fp16", "fp32")
}
_ATTENTION = {
    "auto": "auto",
    "fa2": "flash_attention_2",
    "flash_attention_2": "flash_attention_2",
    "sdpa": "sdpa",
    "eager": "eager",
    "disabled": "eager",
}
_ATTENTION_SWITCHES = {
    "flash_attention": "flash_attention_2",
    "eager_attention": "eager",
    "sdp_attention": "sdpa",
}
_STARTS = ("gaussian", "orthogonal", "olora", "pissa", "pissa_niter_16")


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


def _method(read: Reading) -> None:
    key = "training.method"
    if read.tool.name == "qlora":
        read.put(key, "full" if read.truth("full_finetune") else "lora", "full_finetune")
    elif kind := read.text("finetuning_type"):
        read.put(key, "lora" if kind != "full" else "full", "finetuning_type", remark=_other_method(kind))
    elif read.tool.name == "axolotl":
        adapter = read.text("adapter")
        remark = _other_method(adapter) if adapter else _NO_ADAPTER
        read.put(key, "lora" if adapter else "full", "adapter", remark=remark)
    elif (uses := read.truth("use_peft")) is not None:
        is_lost = not uses and read.is_given("lora_r", "lora_alpha")
        remark = "without use_peft TRL trains every weight, and lora_* do nothing" if is_lost else ""
        read.put(key, "lora" if uses else "full", "use_peft", remark=remark)
    elif read.is_given("r", "lora_r", "lora_alpha"):
        read.put(key, "lora", remark="there is a LoRA configuration")


_NO_ADAPTER = "without `adapter` Axolotl trains every weight"


def _other_method(kind: str) -> str:
    return "" if kind in ("lora", "full", "qlora") else f"{kind} is not built in; LoRA in its place"


def _alpha(read: Reading) -> None:
    if (alpha := read.number("lora_alpha")) is not None:
        whole = alpha == int(alpha) if abs(alpha) < 2**31 else False
        remark = "" if whole else f"rounded: {alpha:g}"
        read.put("training.alpha", int(alpha) if whole else round(alpha), "lora_alpha", remark=remark)
    elif read.tool.name == "llama-factory" and (rank := read.whole("lora_rank")):
        read.put("training.alpha", 2 * rank, remark="twice lora_rank")


def _quantization(read: Reading) -> None:
    key = "model.quantization"
    kind = read.text("quant_type", "quantization_type", "bnb_4bit_quant_type") or "nf4"
    remark = "" if kind == "nf4" else f"{kind} is not built in; nf4 in its place"
    bits_name, bits = read.first(("bits", "quantization_bit"))
    types = ("quant_type", "quantization_type", "bnb_4bit_quant_type")
    full = read.settings.get("training.method")
    if bits_name:
        made = {4: "nf4", 8: "int8", 16: "none", 32: "none"}.get(bits if isinstance(bits, int) else 0)
        if made is None:
            read.leave(bits_name, "only 4 and 8 bits are built in")
            return
        if made == "nf4":
            read.put(key, made, bits_name, *types, remark=remark)
        else:
            read.put(key, made, bits_name)
    elif read.truth("load_in_4bit") or read.text("adapter") == "qlora":
        read.put(key, "nf4", "load_in_4bit", "adapter", *types, remark=remark)
    elif read.truth("load_in_8bit"):
        read.put(key, "int8", "load_in_8bit")
    elif read.is_given("load_in_4bit", "load_in_8bit"):
        read.put(key, "none", "load_in_4bit", "load_in_8bit")
    if full and full.value == "full" and read.settings.get(key) and read.settings[key].value != "none":
        lost = read.settings.pop(key)
        for each in lost.of:
            read.leave(each.name, "left out: every weight trains, and quantized ones cannot")
    double = read.settings.get("model.double_quantization")
    if double and not double.of and (key not in read.settings or read.settings[key].value != "nf4"):
        del read.settings[double.key]
    for name in ("load_in_4bit", "load_in_8bit", *types):
        read.leave(name, "taken together with the other settings of quantization")


def _precision(read: Reading) -> None:
    bf16, fp16 = read.first(("bf16",)), read.first(("fp16",))
    made = None
    if bf16[1] in (True, "full"):
        made = "bf16"
    elif fp16[1] is True:
        made = "fp16"
    elif bf16[1] == "auto":
        made = "auto"
    elif bf16[1] is False and fp16[1] is False:
        made = "fp32"
    if made:
        remark = f"{read.tool.title} then computes in fp32, which is slow" if made == "fp32" else ""
        read.put("training.precision", made, "bf16", "fp16", remark=remark)
    if dtype := read.text("bnb_4bit_compute_dtype"):
        known = _DTYPES.get(dtype.removeprefix("torch."))
        if known:
            read.put("model.compute_dtype", known, "bnb_4bit_compute_dtype")
        else:
            read.leave("bnb_4bit_compute_dtype", "no such type here; left at auto")


def _attention(read: Reading) -> None:
    key = "model.attn_implementation"
    for name, value in _ATTENTION_SWITCHES.items():
        if read.truth(name):
            read.put(key, value, name)
        else:
            read.leave(name, "off")
    name, value = read.first(("flash_attn", "attn_implementation"))
    if not name:
        return
    made = "flash_attention_2" if value is True else _ATTENTION.get(str(value))
    if made:
        read.put(key, made, name)
    else:
        read.leave(name, "no such attention here; auto is SDPA")


def _packing(read: Reading) -> None:
    """Not packed and padded gives the same steps as our `batch`; it is taken only where it is said."""
    names = ("neat_packing", "sample_packing", "packing")
    given = [name for name in names if read.is_given(name)]
    if any(read.truth(name) for name in given):
        remark = "rows of max_tokens are filled; examples never see each other"
        read.put("training.packing", "bfd", *given, "packing_strategy", remark=remark)
    elif given:
        remark = "`batch` has the same examples a step without the padding"
        read.put("training.packing", "none", *given, remark=remark)
    read.leave("packing_strategy", "packing is off")


def _schedule(read: Reading) -> None:
    name, _ = read.first(("lr_scheduler_type", "lr_scheduler"))
    kind = read.text("lr_scheduler_type", "lr_scheduler")
    if kind in _SCHEDULES:
        read.put("training.lr_scheduler_type", kind, name)
    elif kind:
        read.leave(name, f"no such schedule here; there are {', '.join(_SCHEDULES)}")
    arguments = read.first(("lr_scheduler_kwargs",))[1]
    if isinstance(arguments, dict) and isinstance(arguments.get("num_cycles"), int):
        read.put("training.lr_restarts", arguments["num_cycles"], "lr_scheduler_kwargs", remark="num_cycles")
    read.leave("lr_scheduler_kwargs", "only num_cycles has a counterpart")
    remark = '"constant" ignores warm-up, there as here' if kind == "constant" else ""
    steps = read.number("warmup_steps")
    if steps and read.is_given("warmup_steps"):
        read.put("training.warmup_steps", _count(steps), "warmup_steps", remark=remark)
        read.leave("warmup_ratio", "warmup_steps goes first")
    elif (ratio := read.number("warmup_ratio")) is not None:
        remark = remark or "as a share"
        read.put("training.warmup_steps", ratio, "warmup_ratio", "warmup_steps", remark=remark)


def _optimiser(read: Reading) -> None:
    name, _ = read.first(("optim", "optimizer"))
    kind = read.text("optim", "optimizer")
    if read.is_given("adam8bit") and read.truth("adam8bit"):
        read.put("training.optim", "adamw_8bit", "adam8bit")
    elif kind in _OPTIMISERS:
        made = _OPTIMISERS[kind]
        read.put("training.optim", made, name, remark="" if made == kind else f"{kind} is that")
    elif kind:
        there = ", ".join(dict.fromkeys(_OPTIMISERS.values()))
        read.leave(name, f"no such optimiser here; there are {there}")
    read.leave("adam8bit", "off")


def _length_of_run(read: Reading) -> None:
    steps = read.whole("max_steps")
    if steps is not None:
        read.put("training.max_steps", max(0, steps), "max_steps", remark="" if steps >= 0 else "by epochs")
    size = read.whole("batch_size")
    if size is None:
        return
    micro = read.whole("micro_batch_size") or 0
    if read.tool.name != "axolotl":
        read.put("training.per_device_train_batch_size", size, "batch_size")
        read.leave("batch_size", "per_device_train_batch_size goes first")
    elif read.is_given("micro_batch_size") and micro > 0 and not read.is_given("gradient_accumulation_steps"):
        read.settings.pop("training.gradient_accumulation_steps", None)
        remark = "the effective batch, through the micro-batch"
        read.put("training.gradient_accumulation_steps", max(1, size // micro), "batch_size", remark=remark)
    read.leave("batch_size", "the effective batch; micro-batch and accumulation make it")


def _rows(read: Reading) -> None:
    strategy = read.first(("evaluation_strategy", "eval_strategy"))[1]
    asks = read.truth("do_eval") or strategy not in (None, "no", False)
    held = ("val_size", "val_set_size", "eval_dataset_size")
    if read.tool.name == "qlora" and not asks:
        read.put("data.validation", 0.0, "do_eval", remark="qlora.py holds nothing out without --do_eval")
        read.leave("eval_dataset_size", "without --do_eval nothing is held out")
    elif (size := read.number(*held)) is not None:
        remark = "it takes another tenth of the rows away first" if read.tool.name == "qlora" else ""
        read.put("data.validation", _count(size), read.first(held)[0], remark=remark)
    name = read.first(("train_on_source", "train_on_inputs", "train_on_prompt"))[0]
    if name:
        read.put("data.train_on", "all" if read.truth(name) else _masked(read), name, "mask_history")
    elif read.tool.name == "trl":
        only = read.truth("assistant_only_loss") or (
            read.is_given("completion_only_loss") and read.truth("completion_only_loss")
        )
        remark = "" if only else "TRL trains on the user's turns too; you most likely want `assistant`"
        names = ("assistant_only_loss", "completion_only_loss")
        read.put("data.train_on", "assistant" if only else "all", *names, remark=remark)
    overlong = "truncate" if read.tool.truncates else "drop"
    read.put("data.overlong", overlong, remark="what it does with rows that are too long")


def _count(value: float) -> float:
    """A count as a whole number, for the look of it; a share as it is."""
    return int(value) if 1 <= value < 2**31 and value == int(value) else value


def _masked(read: Reading) -> str:
    return "last" if read.truth("mask_history") else "assistant"


def _adapter(read: Reading) -> None:
    key, names = "training.target_modules", ("lora_target", "lora_target_modules", "target_modules")
    modules = read.words(*names)
    if read.truth("lora_target_linear"):
        read.put(key, "all-linear", "lora_target_linear")
    if modules:
        is_all = modules[0] in ("all", "all-linear", "all_linear")
        read.put(key, "all-linear" if is_all else modules, read.first(names)[0])
    elif read.tool.name == "trl" and read.truth("use_peft"):
        read.put(key, "all-linear", remark="TRL leaves it to peft, which mostly adapts q_proj and v_proj")
    read.leave("lora_target_linear", "off")
    name, start = read.first(("init_lora_weights", "peft_init_lora_weights"))
    if start is True or start in _STARTS:
        read.put("training.init_lora_weights", "default" if start is True else start, name)
    elif name:
        read.leave(name, f"no such start here; there are default, {', '.join(_STARTS)}")
    if read.truth("pissa_init"):
        exact = read.whole("pissa_iter") == -1
        read.put(
            "training.init_lora_weights", "pissa" if exact else "pissa_niter_16", "pissa_init", "pissa_iter"
        )
    for other in ("pissa_init", "pissa_iter"):
        read.leave(other, "off")


def _memory(read: Reading) -> None:
    key = "training.gradient_checkpointing"
    name, value = read.first(("gradient_checkpointing", "use_gradient_checkpointing"))
    if name:
        remark = f"{value} is a variant of it" if isinstance(value, str) else ""
        read.put(key, bool(value), name, remark=remark)
    elif (off := read.truth("disable_gradient_checkpointing")) is not None:
        read.put(key, not off, "disable_gradient_checkpointing")


def _intervals(read: Reading) -> None:
    name, strategy = read.first(("evaluation_strategy", "eval_strategy", "do_eval"))
    steps_name, steps = read.first(("eval_steps",))
    others = [each for each in ("evaluation_strategy", "eval_strategy", "do_eval") if read.is_given(each)]
    if strategy == "epoch":
        read.leave(name, "once an epoch: set eval_steps to the steps of an epoch")
    elif strategy in ("no", False) and not (steps_name and not read.is_given(name)):
        read.put("training.eval_steps", 0, *others, remark="no validation during the run")
    elif steps_name:
        _every(read, "training.eval_steps", "eval_steps", steps, others)
    elif strategy is not None and (every := read.whole("logging_steps")) is not None:
        read.put("training.eval_steps", every, *others, remark="without eval_steps: every logging_steps")
    for each in (*others, "eval_steps"):
        read.leave(each, "no validation during the run")
    name, strategy = read.first(("save_strategy",))
    if strategy in ("no", False):
        read.put("training.save_steps", 0, "save_strategy", remark="only at the end")
    elif strategy == "epoch":
        read.leave("save_strategy", "once an epoch: set save_steps to the steps of an epoch")
    elif (found := read.first(("save_steps",)))[0]:
        _every(read, "training.save_steps", "save_steps", found[1], ["save_strategy"])
    for each in ("save_strategy", "save_steps"):
        read.leave(each, "checkpoints are saved by steps")


def _every(read: Reading, key: str, name: str, value: object, others: list[str]) -> None:
    """An interval; below 1 it is a share of the run there, which is no interval here."""
    if isinstance(value, float) and 0 < value < 1:
        read.leave(name, "a share of the run: set it in steps")
    elif (steps := read.whole(name)) is not None:
        read.put(key, steps, name, *others)


def _seeds(read: Reading) -> None:
    if (seed := read.whole("data_seed")) is not None:
        read.put("training.data_seed", seed, "data_seed")
    elif read.is_given("seed", "random_state") and (seed := read.whole("seed", "random_state")) is not None:
        read.put("training.data_seed", seed, remark="that of seed where it is not given")


RULES: tuple[Callable[[Reading], None], ...] = (
    _plain,
    _method,
    _alpha,
    _quantization,
    _precision,
    _attention,
    _packing,
    _schedule,
    _optimiser,
    _length_of_run,
    _rows,
    _adapter,
    _memory,
    _intervals,
    _seeds,
)
"""In this order: quantization looks at the method."""
