"""A run's name says what it trains, and what it was started with beyond its project."""

import re
from typing import Any

from workbench.project.store import OpenProject

LONGEST = 80
"""Characters; a folder's name may have 255 bytes, a line of the screen 80."""

SHORT = {
    "learning_rate": "lr",
    "alpha": "a",
    "dropout": "drop",
    "num_train_epochs": "epoch",
    "max_steps": "steps",
    "per_device_train_batch_size": "batch",
    "gradient_accumulation_steps": "accum",
    "weight_decay": "wd",
    "neftune_noise_alpha": "neftune",
    "warmup_steps": "warmup",
}
"""What a name calls a setting; others go by their own name."""

SAID = {
    "model.base",
    "prompt.template",
    "training.method",
    "training.rank",
    "training.use_rslora",
    "training.use_dora",
}
UNSAID = {
    "training.logging_steps",
    "training.eval_steps",
    "training.save_steps",
    "data.accept",
    "launch.launcher",
    "launch.rendezvous",
    "launch.slurm_options",
}
"""What changes nothing in the weights."""

SAID_BY_VALUE = {"lr_scheduler_type", "init_lora_weights", "optim", "quantization", "precision", "packing"}


def about(project: OpenProject) -> str:
    """Such as `llama-2-7b-out_inst-rslora-r16-epoch2`: model, template, method, and every override."""
    settings = project.settings
    training = settings.training
    parts = [_slug(settings.model.base.rstrip("/").rpartition("/")[2])[:24]]
    if settings.prompt.template != "base":
        parts.append(_slug(settings.prompt.template.removesuffix(".jinja").rpartition("/")[2]))
    parts.append(training.method)
    if training.method == "lora":
        variant = "rs" if training.use_rslora else "do" if training.use_dora else ""
        parts[-1] = f"{variant}lora-r{training.rank}"
    parts += [_override(key, value) for key, value in project.overrides.items() if key not in SAID | UNSAID]
    return "-".join(filter(None, parts))[:LONGEST].rstrip("-.")


def _override(key: str, value: Any) -> str:
    name = key.rpartition(".")[2]
    if name in SAID_BY_VALUE:
        return _slug(str(value))
    if isinstance(value, bool):
        return _slug(name) if value else f"no_{_slug(name)}"
    shown = _number(value) if isinstance(value, float) else str(value)
    return f"{SHORT.get(name, name)}{_slug(shown)}"


def _slug(text: str) -> str:
    """Letters, digits and `._-`; anything else would need quotes in a shell."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")


def _number(value: float) -> str:
    """The shorter of 0.1 and 1e-1; 5e-4 as people write it."""
    mantissa, _, exponent = f"{value:.10e}".partition("e")
    scientific = f"{float(mantissa):g}e{int(exponent)}"
    return min(f"{value:g}", scientific, key=len)
