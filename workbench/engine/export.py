"""Taking a model out, from a request to the published folder; reads top to bottom.

One model is in memory at a time. What is measured is what lies in the folder: each model is written, loaded
again as anybody would, and held against the model as it was trained.
"""

import gc
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from workbench.chat.protocol import Target
from workbench.chat.targets import targets
from workbench.data.example import Message
from workbench.engine.chat_model import live_dtype, load_encoder, load_model, model_folder, require_base
from workbench.engine.merging import merged_model
from workbench.engine.models import DTYPES, load_base_model
from workbench.engine.proof import Comparison, rows_of
from workbench.errors import WorkbenchError, fault
from workbench.exporting.card import CARD, card, license_of, marker
from workbench.exporting.destination import MARKER, publish, require_free, require_room, staging
from workbench.exporting.figures import MERGE_FILE, Figures, Proof, recommended
from workbench.exporting.gguf_support import require_support
from workbench.exporting.modelfile import MODELFILE, modelfile
from workbench.exporting.portable_template import portable_template
from workbench.exporting.prompt_files import unsaid, write_json, write_prompt_files
from workbench.exporting.request import Export, ExportRequest, Way, plan
from workbench.project.base_model import BaseModel, context_length
from workbench.project.model_size import count_parameters
from workbench.project.store import open_project
from workbench.runs.continuing import CONFIG, WEIGHTS

Tell = Callable[[str], None]
_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2, "q8_0": 2}
_PROBES = (
    [Message("user", "Hello, 你好, สวัสดี: 12")],
    [Message("user", "one"), Message("assistant", "two"), Message("user", "three")],
)


class Exporter:
    """One export.

    Args:
        request: what is asked for.
        tell: called with what is being done, in a person's words, from this thread.

    Raises:
        WorkbenchError: it cannot be done, and why.
    """

    def __init__(self, request: ExportRequest, tell: Tell) -> None:
        self.export: Export = plan(request)
        require_free(request.to, self.export.run, request.replace)
        self.settings = open_project(request.project).settings.chat
        self.target = self._target()
        self.base = model_folder(self.target)
        self.to_gguf = request.kind == "gguf"
        if self.to_gguf:
            require_support(self.base, str(self.export.dtype), request.to)
        tell("comparing the base model with that of the run")
        require_base(self.target, self.base)
        self.encoder = load_encoder(self.target, self.base)
        self.template = portable_template(self.encoder, self.settings.system)
        self.remarks = unsaid(self.settings)
        self.tell = tell

    def write(self) -> tuple[Proof | None, list[str]]:
        """Make the folder; what was measured, and what a person should know.

        Raises:
            WorkbenchError: it cannot be done; nothing is there then that was not there before.
        """
        to = self.export.request.to
        with staging(to) as folder:
            proof = self._fill(folder)
            file = next((each.name for each in folder.glob("*.gguf")), "")
            name = BaseModel(self.export.spec.base_model.name, self.base).portable_name
            text = card(self.export, name, self._license(), proof, self.remarks, file)
            (folder / CARD).write_text(text, encoding="utf-8")
            if proof:
                (folder / MERGE_FILE).write_text(proof.model_dump_json(indent=2) + "\n", encoding="utf-8")
            write_json(folder / MARKER, marker(self.export, name, self.remarks))
            self.tell(f"putting it into {to}")
            publish(folder, to, replace=self.export.request.replace)
        return proof, self.remarks

    def _fill(self, folder: Path) -> Proof | None:
        if self.export.request.kind == "adapter":
            self._adapter(folder)
            return None
        return self._weights(folder)

    def _target(self) -> Target:
        project = self.export.spec.open_project()
        path = self.export.checkpoint.path
        return next(each for each in targets(project) if each.weights == path)

    def _license(self) -> str:
        readme = self.base / CARD
        with suppress(OSError, UnicodeDecodeError):
            return license_of(readme.read_text(encoding="utf-8"))
        return ""

    def _adapter(self, folder: Path) -> None:
        """As peft expects it, with the base model's name as it is found now."""
        assert self.target.weights is not None
        self.tell("copying the adapter")
        shutil.copyfile(self.target.weights / WEIGHTS, folder / WEIGHTS)
        config = json.loads((self.target.weights / CONFIG).read_text(encoding="utf-8"))
        base = BaseModel(self.export.spec.base_model.name, self.base)
        config["base_model_name_or_path"] = base.portable_name
        write_json(folder / CONFIG, config)
        if base.portable_name != base.name:
            self.remarks.append(
                f"the base model is a folder of this machine, {base.portable_name}: elsewhere, change "
                f"base_model_name_or_path in {CONFIG}"
            )
        self._prompt_files(folder)

    def _weights(self, folder: Path) -> Proof | None:
        weights = "fp32" if self.to_gguf else str(self.export.dtype)
        wanted = (count_parameters(self.base) or 0.0) * _BYTES[weights] * len(self.export.ways)
        require_room(folder, int(wanted * (2 if self.to_gguf else 1)))
        comparison, side = self._comparison()
        measured: list[Figures] = []
        for way in self.export.ways:
            place = folder / way
            self._merge(way, place, DTYPES[weights])
            if comparison:
                self.tell(f"holding it against the model as it was trained: {way}")
                measured.append(comparison.figures(way, self._loaded(place)))
                _forget()
        best: Way = recommended(measured) if measured else self.export.ways[-1]  # type: ignore[assignment]
        from_ = "."
        if self.to_gguf:
            from_ = f"./{self._gguf(folder, folder / best, comparison, measured)}"
        else:
            for file in (folder / best).iterdir():
                file.rename(folder / file.name)
            self._prompt_files(folder)
        for way in self.export.ways:
            shutil.rmtree(folder / way)
        text, remark = modelfile(from_, self.encoder, self.template, self.settings, context_length(self.base))
        (folder / MODELFILE).write_text(text, encoding="utf-8")
        self.remarks += [remark] if remark else []
        if comparison is None:
            return None
        return Proof(
            rows=comparison.rows,
            side=side,
            tokens=comparison.tokens,
            arithmetic=str(live_dtype()).removeprefix("torch."),
            dtype=f"{weights}, in the file to {self.export.dtype}" if self.to_gguf else weights,
            perplexity=comparison.perplexity,
            measured=tuple(measured),
            recommended=best,
            written="gguf" if self.to_gguf else best,
        )

    def _gguf(
        self, folder: Path, merged: Path, comparison: Comparison | None, measured: list[Figures]
    ) -> str:
        """Write the file, and hold it against the model as it was trained as transformers reads it."""
        from workbench.engine.gguf_file import write_gguf

        file = folder / f"{self.export.name}-{self.export.dtype}.gguf"
        self.tell("writing the GGUF file, and reading it back")
        begins = self._prompt(_PROBES[0])[:1] == [self.encoder.tokenizer.bos_id]
        remark = write_gguf(
            merged, file, self.encoder, self.template, str(self.export.dtype), self.export.name, begins
        )
        self.remarks += [remark] if remark else []
        self.remarks.append("llama.cpp itself was not asked: that it answers the same is unproven")
        if comparison:
            self.tell("holding it against the model as it was trained: the GGUF file")
            model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file.name, dtype=live_dtype())
            model.generation_config.eos_token_id = self._more_stops() or None
            measured.append(comparison.figures("gguf", model.eval()))
        return file.name

    def _prompt(self, conversation: list[Message]) -> list[int]:
        """The ids of a prompt as chat makes them. Raises WorkbenchError: the template refuses it."""
        system = [Message("system", self.settings.system)] if self.settings.system else []
        return self.encoder.prompt([*system, *conversation])[0]

    def _comparison(self) -> tuple[Comparison | None, str]:
        """The model as it was trained, on held-out rows; None where there are none to be had."""
        self.tell("reading the rows")
        try:
            rows, side = rows_of(self.export.spec.open_project())
        except WorkbenchError as error:
            self.remarks.append(f"nothing was measured: the rows cannot be read ({error.problems[0]})")
            return None, ""
        if not rows:
            self.remarks.append("nothing was measured: there is no row with an answer")
            return None, ""
        self.tell(f"the model as it was trained: {len(rows)} {side} rows")
        comparison = Comparison(self.encoder, rows, load_model(self.target, self.base))
        _forget()
        return comparison, side

    def _merge(self, way: Way, place: Path, dtype: torch.dtype) -> None:
        self.tell(f"merging: {way}")
        model = merged_model(self.target, self.base, way, dtype)
        self.tell(f"writing: {way}")
        # Ours is written in its place; until then it ends answers as the model as it was trained does
        model.generation_config = GenerationConfig(eos_token_id=model.generation_config.eos_token_id)
        model.save_pretrained(place)
        for file in place.glob("*.safetensors"):  # safetensors lets nobody else read them
            shutil.copymode(place / "config.json", file)
        del model
        _forget()

    def _loaded(self, place: Path) -> Any:
        return load_base_model(place, "none", live_dtype()).eval()

    def _prompt_files(self, folder: Path) -> None:
        """Tokenizer, template, generation settings; transformers must write the same prompts with them."""
        write_prompt_files(folder, self.encoder, self.template, self.settings, self._more_stops())
        self.tell("holding the prompts of transformers against ours")
        theirs = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        for probe in _PROBES:
            try:
                ours = self._prompt(probe)
            except WorkbenchError:  # not every template takes every conversation
                continue
            messages = [{"role": each.role, "content": each.content} for each in probe]
            found = theirs.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
            if list(found) != ours:
                self.remarks.append(
                    "transformers cuts the prompt into other tokens than the run was trained with: "
                    "answers may differ"
                )
                return

    def _more_stops(self) -> list[int]:
        """What the base model's own generation settings end an answer with."""
        with suppress(OSError, ValueError):
            eos = json.loads((self.base / "generation_config.json").read_bytes()).get("eos_token_id")
            return [eos] if isinstance(eos, int) else [*(eos or [])]
        return []


def export(request: ExportRequest, tell: Tell) -> tuple[Proof | None, list[str]]:
    """Carry out a request; as `Exporter.write`."""
    try:
        return Exporter(request, tell).write()
    except (OSError, RuntimeError) as error:
        if "No space left" in str(error) or "unexpected pos" in str(error):
            raise fault("the disk is full", request.to, "what was there before is untouched") from error
        raise


def _forget() -> None:
    """Memory of a model that nobody holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
