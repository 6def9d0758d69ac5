"""What must hold between the settings of a training: two that exclude each other are named, both.

A setting that merely has no effect beside another is no error: what it asks for cannot come out wrong.
"""

from collections.abc import Iterator

from workbench.project.complaints import Complaint
from workbench.project.positions import KeyPath
from workbench.project.schema import Project

FROM_BASE_WEIGHTS = ("pissa", "pissa_niter_16", "olora")
"""Start values that are taken out of the base weights."""

_METHOD: KeyPath = ("training", "method")
_INIT: KeyPath = ("training", "init_lora_weights")
_QUANTIZATION: KeyPath = ("model", "quantization")
_PATIENCE: KeyPath = ("training", "early_stopping_patience")


def broken_in_training(settings: Project) -> Iterator[Complaint]:
    """Every relation that the settings of a training break."""
    if settings.training.method == "full":
        yield from _broken_in_full(settings)
    else:
        yield from _broken_in_lora(settings)
    yield from _broken_in_patience(settings)
    training = settings.training
    if settings.model.attn_implementation == "flash_attention_2" and training.precision == "fp32":
        yield Complaint(
            ("model", "attn_implementation"),
            "flash_attention_2 computes in bf16 or fp16, and training.precision is fp32",
            "take sdpa, or another precision",
            (("training", "precision"),),
        )


def _broken_in_full(settings: Project) -> Iterator[Complaint]:
    """What only an adapter can do, and a model of which every weight trains cannot."""
    training = settings.training
    if settings.model.quantization != "none":
        yield Complaint(
            _QUANTIZATION,
            f"{settings.model.quantization} weights cannot be trained",
            'training.method must be "lora", or quantization "none"',
            (_METHOD,),
        )
    if training.use_dora:
        what = "DoRA is a form of adapter, and training.method is full"
        yield Complaint(
            ("training", "use_dora"), what, 'set method = "lora", or use_dora = false', (_METHOD,)
        )
    if training.modules_to_save:
        what = "every layer is trained whole already: training.method is full"
        hint = 'leave it out, or set method = "lora"'
        yield Complaint(("training", "modules_to_save"), what, hint, (_METHOD,))
    if training.continue_from:
        what = "it names an adapter, and training.method is full, which has none"
        hint = 'set method = "lora"; to go on from a full fine-tune name its folder as model.base'
        yield Complaint(("training", "continue_from"), what, hint, (_METHOD,))


def _broken_in_lora(settings: Project) -> Iterator[Complaint]:
    training, quantization = settings.training, settings.model.quantization
    start = training.init_lora_weights
    if start == "orthogonal" and training.rank % 2:
        hint = "take an even rank"
        what = f"orthogonal start values come in pairs, and training.rank is {training.rank}"
        yield Complaint(_INIT, what, hint, (("training", "rank"),))
    if quantization != "none" and (start in FROM_BASE_WEIGHTS or start == "orthogonal"):
        why = (
            "is computed in the type of the base weights"
            if start == "orthogonal"
            else "is taken out of the base weights, which quantizing once more would change"
        )
        what = f"{start} {why}: not with model.quantization = {quantization}"
        yield Complaint(_INIT, what, "take default or gaussian, or quantization none", (_QUANTIZATION,))
    targets = training.target_modules
    if isinstance(targets, list) and (both := sorted({*targets} & {*training.modules_to_save})):
        yield Complaint(
            ("training", "modules_to_save"),
            f"{', '.join(both)} would be trained whole and get an adapter as well",
            "name a layer in one of modules_to_save and target_modules",
            (("training", "target_modules"),),
        )


def _broken_in_patience(settings: Project) -> Iterator[Complaint]:
    """Early stopping looks at validations: there must be some before the end, of some rows."""
    training, data = settings.training, settings.data
    if not training.early_stopping_patience:
        return
    if not training.eval_steps:
        what = "early stopping needs validations on the way, and training.eval_steps = 0 validates at the end"
        yield Complaint(_PATIENCE, what, "set eval_steps", (("training", "eval_steps"),))
    if not data.validation and not any(source.split == "validation" for source in data.source):
        what = "early stopping needs rows held out, and data.validation is 0"
        hint = 'set data.validation, or split = "validation" in a source'
        yield Complaint(_PATIENCE, what, hint, (("data", "validation"),))
