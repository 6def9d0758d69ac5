"""The contract between training and everything after it: all that stands between a conversation and its ids.

A model answers well to the prompts it was trained on. Chat, evaluation and export hold a run's contract
against what they are about to use, and name what differs.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.data.example import Pairs
from workbench.errors import fault
from workbench.project.base_model import locate
from workbench.project.schema import PromptSettings
from workbench.project.store import OpenProject
from workbench.prompts.blocks import read_blocks
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


@dataclass(frozen=True, slots=True)
class Contract:
    """What a conversation is written with.

    Attributes:
        template: the Jinja text of the chat template.
        tokenizer: SHA-256 (hex) of the base model's tokenizer files; empty when it is not known.
        special_tokens: tokens that are added to it, in order.
        system: the system message of conversations that have none.
        blocks: title and text of the blocks before every question.
        block_form: how a block is written.
        question: title of the question behind blocks.
    """

    template: str
    tokenizer: str
    special_tokens: tuple[str, ...] = ()
    system: str = ""
    blocks: Pairs = ()
    block_form: str = ""
    question: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all of it."""
        return hashlib.sha256(json.dumps(self._named()).encode()).hexdigest()

    def differences(self, other: "Contract") -> list[str]:
        """What `other` has otherwise, in a person's words; an unknown tokenizer differs from none."""
        mine, theirs = self._named(), other._named()
        unknown = {"tokenizer"} if not (self.tokenizer and other.tokenizer) else set()
        return [name for name in mine if name not in unknown and mine[name] != theirs[name]]

    def _named(self) -> dict[str, object]:
        return {
            "chat template": self.template,
            "tokenizer": self.tokenizer,
            "special tokens": self.special_tokens,
            "system message": self.system,
            "context blocks": (self.blocks, self.block_form, self.question),
        }


def contract_of(project: OpenProject) -> Contract:
    """The contract of a project as it is now. Raises WorkbenchError when a file of it cannot be read."""
    prompt = project.settings.prompt
    base = locate(project.settings.model.base, project.folder, weights=False).folder
    template = load_template(prompt.template, project.folder, load_tokenizer(base), prompt)
    return contract_with(template.source, tokenizer_fingerprint(base), prompt, project.folder)


def contract_with(template: str, tokenizer: str, prompt: PromptSettings, folder: Path) -> Contract:
    """The contract of settings, as a run keeps them or a project has them.

    Args:
        template: Jinja text of the chat template.
        tokenizer: as `tokenizer_fingerprint` gives it.
        prompt: the settings.
        folder: what their files are relative to.

    Raises WorkbenchError when the file of a block cannot be read.
    """
    blocks = read_blocks(prompt, folder)
    tokens = tuple(prompt.special_tokens)
    return Contract(template, tokenizer, tokens, prompt.system, blocks.shared, blocks.form, blocks.question)


def tokenizer_fingerprint(folder: Path, special_tokens: Sequence[str] = ()) -> str:
    """SHA-256 (hex) of a folder's tokenizer files, as in `fingerprints`.

    With `special_tokens` it is that of the files in the checkpoints of a run that adds them.

    Raises WorkbenchError when one of them cannot be read.
    """
    enlarged = load_tokenizer(folder, special_tokens) if special_tokens else None
    digest = hashlib.sha256(b"[]")
    for name in TOKENIZER_FILES:
        file = folder / name
        if enlarged and enlarged.added and name == "tokenizer.json":
            digest.update(hashlib.sha256(enlarged.definition().encode()).digest())
        elif file.is_file():
            try:
                digest.update(hashlib.sha256(file.read_bytes()).digest())
            except OSError as error:
                raise fault(f"cannot be read: {error.strerror or error}", file) from None
    return digest.hexdigest()
