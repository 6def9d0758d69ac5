"""How other tools name the model, the adapter and the memory they take, and what that is here."""

from workbench.project.importing.reading import Reading

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


def method(read: Reading) -> None:
    """An adapter, or every weight."""
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


def alpha(read: Reading) -> None:
    """A whole number; LLaMA-Factory takes twice the rank where none is said."""
    if (alpha := read.number("lora_alpha")) is not None:
        whole = alpha == int(alpha) if abs(alpha) < 2**31 else False
        remark = "" if whole else f"rounded: {alpha:g}"
        read.put("training.alpha", int(alpha) if whole else round(alpha), "lora_alpha", remark=remark)
    elif read.tool.name == "llama-factory" and (rank := read.whole("lora_rank")):
        read.put("training.alpha", 2 * rank, remark="twice lora_rank")


def quantization(read: Reading) -> None:
    """Bits of the base model; those of a model whose every weight trains are left out."""
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


def precision(read: Reading) -> None:
    """Arithmetic of training, and that on quantized weights."""
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


def attention(read: Reading) -> None:
    """The attention implementation."""
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


def adapter(read: Reading) -> None:
    """Layers that get an adapter, and its start values."""
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


def memory(read: Reading) -> None:
    """Gradient checkpointing."""
    key = "training.gradient_checkpointing"
    name, value = read.first(("gradient_checkpointing", "use_gradient_checkpointing"))
    if name:
        remark = f"{value} is a variant of it" if isinstance(value, str) else ""
        read.put(key, bool(value), name, remark=remark)
    elif (off := read.truth("disable_gradient_checkpointing")) is not None:
        read.put(key, not off, "disable_gradient_checkpointing")
