"""How other tools name the course of a run and its rows, and what that is here."""

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


def packing(read: Reading) -> None:
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


def schedule(read: Reading) -> None:
    """The learning rate over the run, and its warm-up."""
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


def optimiser(read: Reading) -> None:
    """The optimiser."""
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


def length_of_run(read: Reading) -> None:
    """Steps, where they are said; an effective batch."""
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


def rows(read: Reading) -> None:
    """What is held out, what is trained on, what becomes of long rows."""
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
    if read.tool.name == "qlora":
        source, target = read.whole("source_max_len"), read.whole("target_max_len")
        if source is not None and target is not None:
            read.put("data.max_tokens", source + target, "source_max_len", "target_max_len")
    overlong = "truncate" if read.tool.truncates else "drop"
    read.put("data.overlong", overlong, remark="what it does with rows that are too long")


def _count(value: float) -> float:
    """A count as a whole number, for the look of it; a share as it is."""
    return int(value) if 1 <= value < 2**31 and value == int(value) else value


def _masked(read: Reading) -> str:
    return "last" if read.truth("mask_history") else "assistant"


def intervals(read: Reading) -> None:
    """Steps between validations and between checkpoints."""
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


def seeds(read: Reading) -> None:
    """The seed of the order of rows."""
    if (seed := read.whole("data_seed")) is not None:
        read.put("training.data_seed", seed, "data_seed")
    elif read.is_given("seed", "random_state") and (seed := read.whole("seed", "random_state")) is not None:
        read.put("training.data_seed", seed, remark="that of seed where it is not given")
