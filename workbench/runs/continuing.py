"""The adapter that a training goes on from: found and held against the base model without torch."""

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.base_model import locate
from workbench.project.paths import expanded
from workbench.project.store import OpenProject
from workbench.project.training import TrainingSettings
from workbench.project.weights import is_pointer
from workbench.prompts.fingerprint import base_model_fingerprint
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.folder import RUNS, Run, list_runs, read_spec

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
KEY = "training.continue_from"
_UNSAFE = ("adapter_model.bin", "adapter_model.pt")
_CHECKPOINT = re.compile(r"([^/]+)/(step-[0-9]+)")
_PREFIX = "base_model.model."
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Start values of peft that are taken out of the base weights; peft saves what fits the changed ones only."""


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter on this disk.

    Attributes:
        name: as `continue_from` names it.
        folder: holds adapter_config.json and adapter_model.safetensors.
        config: its adapter_config.json, as peft writes it.
    """

    name: str
    folder: Path
    config: Mapping[str, Any]


def find_adapter(project: OpenProject) -> Adapter | None:
    """The adapter that `training.continue_from` names; None where it is empty.

    A folder, absolute, from `~` or relative to the project, goes before `RUN/step-N` of the project.

    Raises:
        WorkbenchError: there is none, it is incomplete, no LoRA, or only in a format that can run code.
    """
    name = project.settings.training.continue_from
    if not name:
        return None
    folder = _folder(name, project.folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        if unsafe := next((file for file in _UNSAFE if (folder / file).is_file()), None):
            what = f"weights only as {unsafe}, a format that can run code when it is loaded"
            raise fault(what, folder, "save the adapter as safetensors with peft, and name that")
        raise fault(f"no adapter: there is no {WEIGHTS}", folder, f"{KEY} takes the folder of a LoRA adapter")
    if is_pointer(weights):
        raise fault("a git-lfs pointer in place of the file", weights, f"run `git lfs pull` in {folder}")
    return Adapter(name, folder, _config(folder / CONFIG))


def adapter_fingerprint(adapter: Adapter) -> str:
    """SHA-256 (hex) of an adapter's configuration and weights.

    Raises WorkbenchError when one of the files cannot be read.
    """
    digest = hashlib.sha256()
    for file in (adapter.folder / CONFIG, adapter.folder / WEIGHTS):
        try:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise fault(f"cannot be read: {error.strerror or error}", file) from None
    return digest.hexdigest()


def require_fit(adapter: Adapter, project: OpenProject) -> None:
    """Refuse an adapter that was made for another base model, as far as files tell.

    Base weights under other names than the adapter's are not judged here: the engine loads it.

    Raises:
        WorkbenchError: says what differs: the base model of its run, its layers, or their widths.
    """
    base = locate(project.settings.model.base, project.folder).folder
    _require_base_of_its_run(adapter, base)
    _require_its_tokens(adapter, base, project.settings.prompt.special_tokens)
    known = dict(_shapes(base.glob("*.safetensors")))
    wrong, lacking, layers = [], [], 0
    own = dict(_shapes([adapter.folder / WEIGHTS]))
    for name, down in own.items():
        if not name.endswith(".lora_A.weight") or len(down) != 2:
            continue
        layers += 1
        up = own.get(name.replace(".lora_A.", ".lora_B."), (0, 0))
        layer = name.removesuffix(".lora_A.weight").removeprefix(_PREFIX)
        shape = known.get(f"{layer}.weight") or known.get(f"{layer.removeprefix('model.')}.weight")
        if shape is None:
            lacking.append(layer)
        elif sorted(shape) != sorted((up[0], down[1])):
            here = " x ".join(map(str, shape))
            wrong.append(f"{layer} is {here} in the base model, {up[0]} x {down[1]} in the adapter")
    if wrong:
        what = f"the adapter does not fit the base model: {wrong[0]}"
        raise fault(f"{what} ({len(wrong)} of {layers} layers differ)", KEY, _made_for(adapter))
    if lacking and len(lacking) < layers:
        what = f"the adapter does not fit the base model, which has no layer {lacking[0]}"
        raise fault(f"{what} ({len(lacking)} of {layers} are not there)", KEY, _made_for(adapter))


def differences(adapter: Adapter, project: OpenProject) -> list[str]:
    """What the adapter has otherwise than the settings say: a sentence for the events, or nothing."""
    settings, config = project.settings.training, adapter.config
    pairs = [
        ("rank", config.get("r"), settings.rank),
        ("alpha", config.get("lora_alpha"), settings.alpha),
        ("target_modules", *_targets(config.get("target_modules"), settings, project)),
        ("modules_to_save", sorted(config.get("modules_to_save") or []), sorted(settings.modules_to_save)),
        ("use_rslora", bool(config.get("use_rslora")), settings.use_rslora),
        ("use_dora", bool(config.get("use_dora")), settings.use_dora),
    ]
    said = [f"{key} = {_said(own)}, not {_said(asked)}" for key, own, asked in pairs if own != asked]
    if settings.init_lora_weights != "default":
        said.append(f"its own weights, not init_lora_weights = {settings.init_lora_weights}")
    return [f"goes on from {adapter.name}, which has {'; '.join(said)}"] if said else []


def _folder(name: str, project_folder: Path) -> Path:
    try:
        folder = project_folder / expanded(name)
        if folder.is_dir():
            return folder.resolve()
    except (OSError, ValueError) as e:  # a name too long, a zero byte
        raise fault(f"{name!r} cannot be opened: {e}", KEY) from e
    match = _CHECKPOINT.fullmatch(name)
    if match is None:
        raise fault(f"no adapter {name!r}: no such folder", KEY, f"looked in {folder}")
    run = Run(project_folder / RUNS / match[1])
    folder = run.checkpoints / match[2]
    if folder.is_dir():
        return folder
    if not run.spec.is_file():
        near = difflib.get_close_matches(match[1], [run.id for run in list_runs(project_folder)], n=1)
        hint = f"did you mean {near[0]}?" if near else f"looked in {project_folder / RUNS}"
        raise fault(f"no run {match[1]!r} in this project", KEY, hint)
    there = ", ".join(f"step-{checkpoint.step}" for checkpoint in list_checkpoints(run))
    raise fault(f"the run has no checkpoint {match[2]}", KEY, f"it has {there or 'none'}")


def _config(file: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(file.read_bytes())
    except OSError as e:
        raise fault(f"cannot be read: {e.strerror or e}", file, "peft needs it beside the weights") from e
    except (ValueError, RecursionError) as e:
        raise fault(f"not valid JSON: {e}", file) from e
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if kind != "LORA":
        raise fault(f"not a LoRA adapter but {kind or 'no adapter at all'}", file, "only LoRA goes on here")
    start = str(config.get("init_lora_weights", True)).lower()
    if start.startswith(_CHANGES_BASE):
        what = f"saved with init_lora_weights = {start}: it fits base weights that were changed at its start"
        hint = "save it with peft's path_initial_model_for_weight_conversion, which fits the plain ones"
        raise fault(what, file, hint)
    return dict(config)


def _require_base_of_its_run(adapter: Adapter, base: Path) -> None:
    """An adapter that lies in a run folder says exactly which base model it was trained on."""
    run = Run(adapter.folder.parents[1])
    if adapter.folder.parent != run.checkpoints or not run.spec.is_file():
        return
    spec = read_spec(run)
    trained = spec.fingerprints.get("base_model")
    if trained and trained != base_model_fingerprint(base):
        what = f"the adapter was trained on another base model, {spec.base_model.name}"
        raise fault(what, KEY, "set model.base to that one; the files of the two differ")


def _require_its_tokens(adapter: Adapter, base: Path, tokens: Sequence[str]) -> None:
    """The rows it was trained with for special tokens must belong to the same tokens again."""
    if not tokens or not (adapter.folder / "tokenizer.json").is_file():
        return
    ours, theirs = load_tokenizer(base, tokens), load_tokenizer(adapter.folder)
    if other := [token for token in tokens if ours.encode(token)[0] != theirs.encode(token)[0]]:
        what = f"the adapter was not trained with these special tokens in their order: {', '.join(other)}"
        raise fault(what, "prompt.special_tokens", "name those of its run, in the same order")


def _made_for(adapter: Adapter) -> str:
    base = adapter.config.get("base_model_name_or_path")
    return f"it names {base} as its base model" if base else ""


def _shapes(files: Iterable[Path]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every tensor in safetensors files; only their headers are read."""
    for file in files:
        try:
            with safe_open(file, framework="numpy") as opened:
                for name in opened.keys():  # noqa: SIM118 - no mapping
                    yield name, tuple(opened.get_slice(name).get_shape())
        except (SafetensorError, OSError) as e:
            raise WorkbenchError(Problem(f"broken weights: {e}", str(file), "fetch the file again")) from None


def _targets(own: Any, settings: TrainingSettings, project: OpenProject) -> tuple[Any, Any]:
    """Target modules of adapter and settings, made alike where they say the same."""
    asked = settings.target_modules
    named = sorted(own) if isinstance(own, list) else own
    if asked == "all-linear" and isinstance(named, list):
        base = locate(project.settings.model.base, project.folder).folder
        shapes = _shapes(base.glob("*.safetensors"))
        layers = {name.split(".")[-2] for name, shape in shapes if len(shape) == 2 and name.count(".") > 2}
        if layers <= {name.rpartition(".")[2] for name in named}:
            return asked, asked
    return named, sorted(asked) if isinstance(asked, list) else asked


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
