"""The targets that are held in memory: a base model once, whatever the number of adapters on it.

An adapter that is but A and B beside linear layers joins the base model that is there already. One that
changes more (a grown vocabulary, DoRA, layers saved whole), the weights of a full training, another
quantization: each is loaded for itself.
"""

import gc
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from workbench.chat.protocol import Held, Target
from workbench.engine.adapter_rows import AdapterRows, plain
from workbench.engine.adapters import load_adapter
from workbench.engine.batch import Voice
from workbench.engine.chat_model import (
    changes_base,
    load_base,
    load_encoder,
    load_model,
    model_folder,
    require_base,
)
from workbench.engine.generate import Session
from workbench.engine.models import count_parameters
from workbench.engine.other_quantization import difference
from workbench.engine.room import require_room
from workbench.errors import WorkbenchError, fault


@dataclass(frozen=True, slots=True)
class _Place:
    """Which weights: a folder, how they are held, and the adapter that has a model of its own."""

    folder: Path
    quantization: str
    double_quantization: bool
    alone: Path | None = None


@dataclass(slots=True)
class _Model:
    """A model in memory.

    Attributes:
        rows: chooses among its adapters; None where the only one is there for good.
        parameters: without adapters that can be taken away.
        peft: what put the adapters in; None before the first.
        adapters: an adapter's folder to its name in peft.
    """

    model: PreTrainedModel
    rows: AdapterRows | None
    parameters: int
    peft: PeftModel | None = None
    adapters: dict[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Entry:
    target: Target
    place: _Place
    session: Session
    remarks: list[str]


class Shelf:
    """Targets by their key."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._models: dict[_Place, _Model] = {}
        self._named = 0

    def session(self, key: str) -> Session:
        """Who answers for a target. Raises WorkbenchError: it is not held."""
        if key not in self._entries:
            raise fault("no model is loaded" if not self._entries else f"no model is loaded as {key!r}")
        return self._entries[key].session

    def hold(self, targets: Mapping[str, Target]) -> dict[str, Held]:
        """Hold these and no others; what was held and is not among them goes first.

        Raises WorkbenchError: what is wrong with one of them; those before it are held.
        """
        for key, entry in list(self._entries.items()):
            if key not in targets or replace(targets[key], label=entry.target.label) != entry.target:
                del self._entries[key]
        places: dict[str, _Place] = {}
        failed: WorkbenchError | None = None
        for key, target in targets.items():
            try:
                places[key] = _place(target)
            except WorkbenchError as error:
                failed = error
                break
        self._give_back(places.values())
        try:
            for key, place in places.items():
                self._entries[key] = self._entry(key, targets[key], place)
        except WorkbenchError:
            self._give_back()
            raise
        self._give_back()
        if failed is not None:
            raise failed
        return {key: self._held(key) for key in targets}

    def clear(self) -> None:
        """Give all memory back."""
        self._entries.clear()
        self._give_back()

    def _entry(self, key: str, target: Target, place: _Place) -> _Entry:
        encoder = load_encoder(target, place.folder)
        if (held := self._entries.get(key)) is not None:
            # The same weights; a template file may have been edited since
            held.session.use(encoder)
            return held
        place, voice = self._voice(target, place)
        session = Session(voice, encoder)
        remarks = [difference(target, place.folder, session)] if target.trained_quantization else []
        return _Entry(target, place, session, remarks)

    def _voice(self, target: Target, place: _Place) -> tuple[_Place, Voice]:
        adapter = target.weights if target.weights not in (None, place.folder, place.alone) else None
        if adapter is not None:
            require_base(target, place.folder)
        if place not in self._models:
            require_room(target, place.folder)
            model = load_model(target, place.folder) if place.alone else load_base(target, place.folder)
            rows = None if place.alone else AdapterRows(model)
            self._models[place] = _Model(model, rows, count_parameters(model)[1])
        held = self._models[place]
        if adapter is None:
            return place, Voice(held.model, None, held.rows)
        name = held.adapters.get(adapter) or self._add(held, adapter)
        if name is not None:
            return place, Voice(held.model, name, held.rows)
        return self._voice(target, replace(place, alone=adapter))

    def _add(self, held: _Model, folder: Path) -> str | None:
        """Put an adapter beside those that are there; None where it must have a model of its own."""
        assert held.rows is not None, "adapters join a shared model only"
        self._named += 1
        name = f"adapter{self._named:06}"
        held.peft = load_adapter(held.peft or held.model, folder, name=name)
        shared = plain(held.peft, name)
        if shared:
            held.adapters[folder] = name
        else:
            held.peft.delete_adapter(name)
        held.model.eval().requires_grad_(False)
        held.rows.renew()
        return name if shared else None

    def _give_back(self, wanted: Collection[_Place] = ()) -> None:
        """Let go of what no entry uses: adapters, and models that are not wanted either."""
        used = {entry.place for entry in self._entries.values()}
        for place in [place for place in self._models if place not in used and place not in wanted]:
            del self._models[place]
        for place, held in self._models.items():
            here = {entry.target.weights for entry in self._entries.values() if entry.place == place}
            gone = [folder for folder in held.adapters if folder not in here]
            for folder in gone:
                assert held.peft is not None
                held.peft.delete_adapter(held.adapters.pop(folder))
            if gone and held.rows is not None:
                held.rows.renew()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _held(self, key: str) -> Held:
        entry = self._entries[key]
        model = self._models[entry.place]
        others = [other for name, other in self._entries.items() if name != key]
        return Held(
            device=str(entry.session.device),
            parameters=model.parameters + _adapter_parameters(model, entry.session.voice.adapter),
            context=entry.session.context,
            shares=any(other.place == entry.place for other in others),
            remarks=entry.remarks,
        )


def _place(target: Target) -> _Place:
    folder = model_folder(target)
    adapter = target.weights if target.weights not in (None, folder) else None
    alone = adapter if adapter is not None and changes_base(adapter, folder) else None
    return _Place(folder, target.quantization, target.double_quantization, alone)


def _adapter_parameters(held: _Model, name: str | None) -> int:
    if name is None:
        return 0
    parts: Any = held.model.named_parameters()
    return sum(weight.numel() for path, weight in parts if f".{name}." in path)
