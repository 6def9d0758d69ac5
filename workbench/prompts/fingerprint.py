"""Fingerprints of what a run is made from: resuming with other data, template or model is refused by name."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data.files.sources import source_files
from workbench.errors import fault
from workbench.project.base_model import locate
from workbench.project.schema import PromptSettings
from workbench.project.store import OpenProject
from workbench.prompts.blocks import with_texts
from workbench.prompts.contract import tokenizer_fingerprint
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer

WHOLE_BYTES = 256 * 1024 * 1024
EDGE_BYTES = 1024 * 1024


def fingerprints(project: OpenProject) -> dict[str, str]:
    """SHA-256 (hex) of ``data``, ``template``, ``tokenizer`` and ``base_model``.

    ``data`` is the source files, whole, with all that `[data]` sets (mapping, split, lengths, train_on);
    ``template`` the Jinja text with all that `[prompt]` has it write; ``base_model`` the configuration and
    the weights, whole up to 256 MB a file, above that its size and its first and last MiB.

    Raises WorkbenchError when one of the files cannot be read.
    """
    settings = project.settings
    base = locate(settings.model.base, project.folder, weights=False).folder
    tokenizer = load_tokenizer(base)
    template = load_template(settings.prompt.template, project.folder, tokenizer, settings.prompt)
    sources = [file for source in settings.data.source for file in source_files(source, project.folder)]
    return {
        "data": _digest(
            [settings.data.model_dump(mode="json", exclude={"accept"}, exclude_defaults=True)],
            sources,
            whole=True,
        ),
        "template": _digest(
            [template.source, settings.prompt.system, *_further(settings.prompt, project.folder)], []
        ),
        "tokenizer": tokenizer_fingerprint(base),
        "base_model": base_model_fingerprint(base),
    }


def base_model_fingerprint(folder: Path) -> str:
    """SHA-256 (hex) of a model folder's configuration and weights, as in `fingerprints`.

    Raises WorkbenchError when one of the files cannot be read.
    """
    return _digest([], [folder / "config.json", *sorted(folder.glob("*.safetensors"))])


def _further(prompt: PromptSettings, folder: Path) -> list[Any]:
    """What else is written into every prompt; nothing where nothing is set."""
    names = {"special_tokens", "block_form", "question", "block"}
    said = with_texts(prompt, folder).model_dump(mode="json", include=names, exclude_defaults=True)
    return [said] if said else []


def _digest(values: list[Any], files: Iterable[Path], whole: bool = False) -> str:
    digest = hashlib.sha256(
        json.dumps(values, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    )
    for file in files:
        try:
            digest.update(_content(file, whole))
        except OSError as error:
            raise fault(f"cannot be read: {error.strerror or error}", file) from None
    return digest.hexdigest()


def _content(file: Path, whole: bool) -> bytes:
    """A digest of one file, unless `whole` of its edges where it is large; two files never run together."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        if whole or size <= WHOLE_BYTES:
            return hashlib.file_digest(stream, "sha256").digest()
        first = stream.read(EDGE_BYTES)
        stream.seek(-EDGE_BYTES, 2)
        return hashlib.sha256(b"%d" % size + first + stream.read()).digest()
