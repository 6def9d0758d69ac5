"""Settings that are valid and do not do what one may think: ignored, unusual, or without effect here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, TypeVar

from workbench.project.schema import DataSettings, ModelSettings, Project
from workbench.project.table import Table
from workbench.project.training import TrainingSettings

_AnyTable = TypeVar("_AnyTable", bound=Table)

USUAL_RATES = {"lora": 2e-4, "full": 2e-5}
"""Learning rates to begin with: QLoRA, arXiv 2305.14314, and Alpaca's full fine-tuning."""
FAR = 10
"""A learning rate so many times the usual one, or so many times smaller, is remarked on."""
TINY_BYTES = 200_000_000
"""Weights of a tiny base model: 50 million parameters in fp32. It takes rates that would break others."""
_OF_ADAPTERS = ("rank", "alpha", "dropout", "target_modules", "use_rslora", "init_lora_weights")
_OF_NEW_ADAPTERS = (*(each for each in _OF_ADAPTERS if each != "dropout"), "modules_to_save", "use_dora")


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of one setting.

    Attributes:
        key: dotted, such as `training.warmup_steps`.
        text: one line: what is so, and what to do.
    """

    key: str
    text: str


def remarks(settings: Project, steps: int | None = None, weights: int | None = None) -> list[Remark]:
    """All remarks, in the order of the form.

    Args:
        settings: with profile and overrides laid in; which keys were written counts for those that have a
            sensible default.
        steps: optimizer steps of the run, where they are known.
        weights: bytes of the base model's weights, where they are known.
    """
    training, data = settings.training, settings.data
    tiny = weights is not None and weights < TINY_BYTES
    return [
        *_on_quantization(settings.model),
        *_on_adapter(training),
        # Layers that train whole beside an adapter have large optimiser states
        *_on_optimiser(training, bool(training.modules_to_save or settings.prompt.special_tokens), tiny),
        *_on_batches(training, data),
        *_on_memory(training, weights if tiny else None),
        *_on_intervals(training, _held_out(data), training.max_steps or steps),
        *_on_data(data),
    ]


def with_changes(settings: Project, changes: Mapping[str, Any]) -> Project:
    """The settings with valid changes of a form laid in, which count as written: dotted key to value."""
    for key, value in changes.items():
        settings = _with_change(settings, key.split("."), value)
    return settings


def _with_change(table: _AnyTable, path: Sequence[str], value: Any) -> _AnyTable:
    name, *rest = path
    inner = _with_change(getattr(table, name), rest, value) if rest else value
    return table.model_copy(update={name: inner})


def weight_bytes(folder: Path) -> int | None:
    """Bytes of a base model's weights; None where there are none that can be seen."""
    try:
        return sum(file.stat().st_size for file in folder.glob("*.safetensors")) or None
    except OSError:
        return None


def _on_quantization(model: ModelSettings) -> Iterator[Remark]:
    if model.quantization != "nf4":
        for name in _changed(model, "double_quantization", "compute_dtype"):
            yield Remark(f"model.{name}", "no effect: only quantization = nf4 reads it")


def _on_adapter(training: TrainingSettings) -> Iterator[Remark]:
    if training.method == "full":
        for name in _changed(training, *_OF_ADAPTERS):
            yield Remark(f"training.{name}", "no effect: method = full trains all weights, with no adapter")
    elif training.continue_from:
        for name in _changed(training, *_OF_NEW_ADAPTERS):
            yield Remark(f"training.{name}", "no effect: the adapter of continue_from has its own")
    elif training.alpha not in (training.rank, 2 * training.rank):
        root = training.use_rslora
        scale = training.alpha / (sqrt(training.rank) if root else training.rank)
        form = "sqrt(rank), by rsLoRA" if root else "rank"
        what = f"the adapter counts {scale:.3g} = alpha / {form}"
        yield Remark("training.alpha", f"{what}; usual are {training.rank} and {2 * training.rank}")


def _on_optimiser(training: TrainingSettings, whole: bool, tiny: bool) -> Iterator[Remark]:
    usual = USUAL_RATES[training.method]
    times = training.learning_rate / usual
    if times >= FAR * 0.999 and not tiny:
        more = f"{times:,.3g} times the {usual:g} usual for {training.method}: begin with that"
        yield Remark("training.learning_rate", more)
    elif times <= 1.001 / FAR:
        less = f"a {1 / times:,.3g}th of the {usual:g} usual for {training.method}: begin with that"
        yield Remark("training.learning_rate", less)
    kind = training.lr_scheduler_type
    if kind == "constant" and training.warmup_steps and "warmup_steps" in training.model_fields_set:
        yield Remark("training.warmup_steps", "ignored: `constant` has no warm-up, constant_with_warmup has")
    if training.lr_restarts != 1 and kind != "cosine_with_restarts":
        yield Remark("training.lr_restarts", "no effect: lr_scheduler_type = cosine_with_restarts reads it")
    if training.optim in ("adafactor", "sgd"):
        for name in _changed(training, "adam_beta2"):
            yield Remark(f"training.{name}", f"no effect: it is AdamW's, {training.optim} has none")
    if training.optim.startswith("paged_") and training.method == "lora" and not whole:
        text = "paging saves nothing: an adapter's optimiser states are small; adamw_torch_fused is faster"
        yield Remark("training.optim", text)


def _on_batches(training: TrainingSettings, data: DataSettings) -> Iterator[Remark]:
    micro = training.per_device_train_batch_size
    if training.packing == "bfd" and micro > 1:
        tokens = micro * data.max_tokens
        text = f"packing = bfd: {micro} rows of max_tokens at once, {tokens:,} tokens; 1 is usual"
        yield Remark("training.per_device_train_batch_size", text)


def _on_memory(training: TrainingSettings, tiny: int | None) -> Iterator[Remark]:
    if training.gradient_checkpointing and tiny:
        text = f"saves little: the base model has {tiny / 1e6:,.3g} MB; without it steps are a fifth faster"
        yield Remark("training.gradient_checkpointing", text)


def _on_intervals(training: TrainingSettings, held_out: bool, steps: int | None) -> Iterator[Remark]:
    if steps:
        told = {"eval_steps": "validated", "save_steps": "saved"}
        if not held_out:
            del told["eval_steps"]
        for name, what in told.items():
            if getattr(training, name) > steps and name in training.model_fields_set:
                yield Remark(f"training.{name}", f"the run has {steps:,} steps: {what} at its end alone")
    if steps and training.warmup_steps > steps and training.lr_scheduler_type != "constant":
        text = f"longer than the run, which has {steps:,} steps: below 1 it is a share"
        yield Remark("training.warmup_steps", text)


def _on_data(data: DataSettings) -> Iterator[Remark]:
    if not _held_out(data):
        yield Remark("data.validation", "overfitting cannot be seen: nothing is held out; 0.1 is usual")
    prompt, answer, most = data.max_prompt_tokens, data.max_answer_tokens, data.max_tokens
    for name, limit in (("max_prompt_tokens", prompt), ("max_answer_tokens", answer)):
        if limit >= most:
            yield Remark(f"data.{name}", f"no effect: max_tokens = {most:,} comes first")
    if 0 < prompt < most and 0 < answer < most < prompt + answer:
        text = f"with max_answer_tokens {prompt + answer:,}; max_tokens = {most:,} is less and counts as well"
        yield Remark("data.max_prompt_tokens", text)
    if data.train_on == "all" and any(source.kind != "text" for source in data.source):
        text = "prompts are trained too; `assistant` trains the answers alone"
        yield Remark("data.train_on", text)


def _held_out(data: DataSettings) -> bool:
    return data.validation > 0 or any(source.split == "validation" for source in data.source)


def _changed(table: Table, *names: str) -> list[str]:
    """Those that have not their default."""
    fields = type(table).model_fields
    return [name for name in names if getattr(table, name) != fields[name].get_default()]
