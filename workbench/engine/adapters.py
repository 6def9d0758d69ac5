"""The adapter of a training: a fresh one, one to go on from, and how it is written and read again.

PiSSA (arXiv 2404.02948) and OLoRA (arXiv 2406.01775) take the start values A0, B0 of the adapter out of the
base weights: W becomes W - s B0 A0. A checkpoint holds what fits the plain W all the same, the adapter of
twice the rank [A; A0], [B, -B0]: anything that reads LoRA loads it, and a resume finds A0 and B0 in there.

Shapes: A (rank, in), B (out, rank), W (out, in) unless the layer has it transposed; s is the scaling.
"""

import copy
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from peft.utils.other import transpose
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from workbench.engine.vocabulary import vocabulary_layers
from workbench.errors import fault
from workbench.project.training import TrainingSettings
from workbench.project.training_relations import FROM_BASE_WEIGHTS
from workbench.runs.continuing import WEIGHTS

ACTIVE = "default"
"""peft's name of the only adapter there is."""

_START_A, _START_B = "start_A", "start_B"


def fresh_adapter(
    model: PreTrainedModel, settings: TrainingSettings, base_name: str, *, grown: bool, resumes: bool
) -> PeftModel:
    """`model` with a new adapter as `[training]` describes it.

    The start values come from torch's global generator, or out of the base weights.

    Args:
        base_name: what adapter_config.json names as the adapter's base model.
        grown: the vocabulary has new tokens: embeddings and head are trained as well, and saved whole.
        resumes: a checkpoint follows, through `restore`: the base weights stay whole until then.

    Raises:
        WorkbenchError: a name in `target_modules` or `modules_to_save` is no layer, or one that cannot.
    """
    _require_targets(model, settings)
    start = settings.init_lora_weights
    saved = _saved_whole(model, settings, grown)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        use_rslora=settings.use_rslora,
        use_dora=settings.use_dora,
        init_lora_weights=True if start in ("default", *FROM_BASE_WEIGHTS) else start,
        task_type="CAUSAL_LM",
        modules_to_save=saved or None,
        ensure_weight_tying=_tied(model) and bool({*saved} & {*vocabulary_layers(model)}),
    )
    try:
        adapted = get_peft_model(model, config)
    except ValueError as error:
        raise fault(_first_line(error), "training.target_modules", _layers_here(model)) from error
    adapted.peft_config[ACTIVE].base_model_name_or_path = base_name
    if start in FROM_BASE_WEIGHTS:
        for name, layer in _lora_layers(adapted):
            _require_room(name, layer, settings)
            if resumes:
                _keep_start(layer, *_weights(layer))
            else:
                _draw_start(layer, start)
                _keep_start(layer, *_weights(layer))
    return adapted


def continued_adapter(
    model: PreTrainedModel, folder: Path, settings: TrainingSettings, base_name: str, *, grown: bool
) -> PeftModel:
    """`model` with the adapter in `folder`, all of it trained on; only the dropout is that of `[training]`.

    Raises:
        WorkbenchError: the adapter does not fit the model, or not the vocabulary of the project.
    """
    config = _read_config(folder)
    saved = [*(config.modules_to_save or [])]
    layers = vocabulary_layers(model)
    if grown and not all(any(name.endswith(layer) for name in saved) for layer in layers[:1]):
        raise fault(
            "this adapter does not know the tokens that the project adds: it has no embeddings of its own",
            "prompt.special_tokens",
            "leave the tokens out, or start with a fresh adapter",
        )
    config.lora_dropout = settings.dropout
    adapted = load_adapter(model, folder, config, trainable=True)
    adapted.peft_config[ACTIVE].base_model_name_or_path = base_name
    return adapted


def load_adapter(
    model: PreTrainedModel | PeftModel,
    folder: Path,
    config: PeftConfig | None = None,
    *,
    trainable: bool = False,
    name: str = ACTIVE,
) -> PeftModel:
    """`model` with the adapter in `folder`, beside those that it has. After a fault it is as it was before.

    Args:
        config: in place of the folder's adapter_config.json.
        name: what peft calls the adapter; no part of another's name.

    Raises:
        WorkbenchError: the adapter does not fit the model, or one has layers that the other lacks.
    """
    try:
        return _loaded(model, folder, config, trainable, name)
    except BaseException:
        _take_off(model, name)
        raise


def _loaded(
    model: PreTrainedModel | PeftModel, folder: Path, config: PeftConfig | None, trainable: bool, name: str
) -> PeftModel:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            if isinstance(model, PeftModel):
                adapted = model
                lacks = bool(model.load_adapter(str(folder), name, is_trainable=trainable).missing_keys)
            else:
                adapted = PeftModel.from_pretrained(
                    model, folder, name, config=config, is_trainable=trainable
                )
                # peft only warns, and leaves such layers at their random start
                lacks = any("missing adapter keys" in str(warning.message) for warning in said)
        except (RuntimeError, ValueError, KeyError, TypeError, SafetensorError) as error:
            lines = [line.strip() for line in str(error).strip().splitlines()]
            detail = next((line for line in lines if line.startswith("size mismatch")), lines[0])
            hint = "its run may have added other prompt.special_tokens" if "modules_to_save" in detail else ""
            raise fault(f"the adapter does not fit the base model: {detail}", folder, hint) from error
    if lacks:
        raise fault("the adapter lacks weights for some of its layers", folder / WEIGHTS)
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        stored = {each.partition(".lora_A")[0] for each in file.keys() if ".lora_A" in each}  # noqa: SIM118
    # and passes over what has no place in the model without a word
    here = {each for each, layer in _lora_layers(adapted) if name in layer.lora_A}
    if left := sorted(stored - here):
        what = f"the adapter has {len(left)} layers that the base model lacks, {left[0]} among them"
        raise fault(what, folder / WEIGHTS)
    return adapted


def _take_off(model: PreTrainedModel | PeftModel, name: str) -> None:
    """Undo what a failed load has put into a model."""
    if isinstance(model, PeftModel):
        if name in model.peft_config:
            model.delete_adapter(name)
        return
    for path, layer in list(_lora_layers(model)):
        parent, _, child = path.rpartition(".")
        setattr(model.get_submodule(parent), child, layer.get_base_layer())
    if hasattr(model, "peft_config"):
        del model.peft_config


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write adapter_model.safetensors and adapter_config.json, as they fit the plain base model."""
    state = None
    config = model.peft_config[ACTIVE]
    if taken := dict(_taken_out(model)):
        state = model.state_dict()
        for name, layer in taken.items():
            a, b = (f"{name}.lora_{side}.{ACTIVE}.weight" for side in "AB")
            state[a] = torch.cat([state[a], layer.start_A])
            state[b] = torch.cat([state[b], -layer.start_B], dim=1)
        model.peft_config[ACTIVE] = _of_twice_the_rank(config)
    try:
        # The vocabulary's layers are saved as modules_to_save; peft would ask the hub about the base model's
        model.save_pretrained(str(folder), save_embedding_layers=False, state_dict=state)
    finally:
        model.peft_config[ACTIVE] = config


def restore(model: PeftModel, folder: Path) -> bool:
    """Put back what `save_adapter` wrote, bit by bit, into a model of `fresh_adapter(..., resumes=True)`.

    Returns:
        False, and nothing is done, where nothing was taken out of the base weights: peft reads it then.
    """
    taken = dict(_taken_out(model))
    if not taken:
        return False
    state = load_file(folder / WEIGHTS, device=str(model.device))
    for name, layer in taken.items():
        a, b = (f"{name}.lora_{side}.weight" for side in "AB")
        rank = layer.r[ACTIVE]
        start = state[a][rank:].contiguous(), -state[b][:, rank:].contiguous()
        state[a], state[b] = state[a][:rank], state[b][:, :rank]
        _take_out(layer, *start)
        _keep_start(layer, *start)
    set_peft_model_state_dict(model, state, adapter_name=ACTIVE)
    return True


def _draw_start(layer: Any, start: str) -> None:
    """Start values out of the base weights, by peft; after its cast of the adapter they are exact."""
    if start == "olora":
        layer.olora_init(ACTIVE)
    else:
        layer.pissa_init(ACTIVE, start)


def _take_out(layer: Any, a: Tensor, b: Tensor) -> None:
    """W - s B A in fp32, in the order of peft's own arithmetic: the same bits as at the start."""
    base = layer.get_base_layer()
    weight = transpose(base.weight.data.float(), layer.fan_in_fan_out)
    weight = weight - layer.scaling[ACTIVE] * b @ a
    base.weight.data = transpose(weight.to(base.weight.dtype), layer.fan_in_fan_out)


def _keep_start(layer: nn.Module, a: Tensor, b: Tensor) -> None:
    """Beside the layer's weights and in no state dict."""
    layer.register_buffer(_START_A, a.detach().clone(), persistent=False)
    layer.register_buffer(_START_B, b.detach().clone(), persistent=False)


def _weights(layer: Any) -> tuple[Tensor, Tensor]:
    return layer.lora_A[ACTIVE].weight, layer.lora_B[ACTIVE].weight


def _taken_out(model: nn.Module) -> Iterator[tuple[str, Any]]:
    return ((name, layer) for name, layer in _lora_layers(model) if hasattr(layer, _START_A))


def _lora_layers(model: nn.Module) -> Iterator[tuple[str, Any]]:
    return ((name, part) for name, part in model.named_modules() if isinstance(part, LoraLayer))


def _of_twice_the_rank(config: Any) -> Any:
    """The same scaling: alpha / rank, or alpha / sqrt(rank) with rsLoRA."""
    twice = copy.copy(config)
    twice.r = 2 * config.r
    twice.lora_alpha = config.lora_alpha * (2**0.5 if config.use_rslora else 2)
    return twice


def _require_targets(model: nn.Module, settings: TrainingSettings) -> None:
    targets = settings.target_modules
    names = [targets] if isinstance(targets, str) else targets
    if "lm_head" in names:
        raise fault(
            "no adapter on lm_head",
            "training.target_modules",
            "leave it out, name it in modules_to_save, or train with method = full",
        )
    if isinstance(targets, str):  # all-linear, or a regular expression
        return
    known = [name for name, _ in model.named_modules()]
    if unknown := [name for name in targets if not any(_ends(each, name) for each in known)]:
        what = f"no layer is called {', '.join(unknown)}"
        raise fault(what, "training.target_modules", _layers_here(model))


def _saved_whole(model: nn.Module, settings: TrainingSettings, grown: bool) -> list[str]:
    """Names for peft's `modules_to_save`, each of a layer that can be trained."""
    key = "training.modules_to_save"
    for name in settings.modules_to_save:
        # As peft looks for them
        parts = [part for each, part in model.named_modules() if each.endswith(name)]
        if not parts:
            raise fault(f"no layer is called {name}", key, _layers_here(model, nn.Module))
        if not all(weight.is_floating_point() for part in parts for weight in part.parameters()):
            raise fault(
                f"{name} is quantized, and quantized weights cannot be trained",
                key,
                "leave it out, or set model.quantization to none",
            )
    return list(dict.fromkeys([*settings.modules_to_save, *(vocabulary_layers(model) if grown else ())]))


def _require_room(name: str, layer: Any, settings: TrainingSettings) -> None:
    start, least = settings.init_lora_weights, min(layer.in_features, layer.out_features)
    where = "training.init_lora_weights"
    if ACTIVE not in layer.lora_A or (start == "olora" and layer.fan_in_fan_out):
        what = f"{start} does not know layers of this kind: {name} ({type(layer.get_base_layer()).__name__})"
        raise fault(what, where, "take default or gaussian")
    if settings.rank > least:
        raise fault(
            f"{start} finds {least} directions in {name}, the rank is {settings.rank}",
            where,
            f"set training.rank to {least} or less, or take default",
        )


def _read_config(folder: Path) -> Any:
    try:
        return PeftConfig.from_pretrained(str(folder))
    except (ValueError, TypeError, KeyError) as error:
        raise fault(f"not an adapter: {_first_line(error)}", folder) from error


def _layers_here(model: nn.Module, kind: type[nn.Module] = nn.Linear) -> str:
    """The last words of the names of layers that have weights of their own."""
    names = {
        name.rpartition(".")[2]
        for name, part in model.named_modules()
        if isinstance(part, kind) and any(True for _ in part.parameters(recurse=False))
    }
    return f"layers here: {', '.join(sorted(names))}"


def _ends(name: str, wanted: str) -> bool:
    return name == wanted or name.endswith(f".{wanted}")


def _tied(model: Any) -> bool:
    return bool(model.config.get_text_config().tie_word_embeddings)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
