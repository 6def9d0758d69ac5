"""The small files of an export: tokenizer, chat template, generation settings, for other programs."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from workbench.exporting.generation import GENERATION_CONFIG, generation_config
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.tokenizer import FILES, TEMPLATE_FILE

TOKENIZER_CONFIG = "tokenizer_config.json"
_AS_IT_IS = "PreTrainedTokenizerFast"
"""The class of transformers that takes tokenizer.json at its word."""


def write_prompt_files(
    folder: Path, encoder: Encoder, template: str, settings: ChatSettings, more_stops: Sequence[int]
) -> None:
    """Write them into `folder`.

    Args:
        encoder: the run's, on the tokenizer files of the checkpoint.
        template: Jinja text of the exported template.
        settings: `[chat]`.
        more_stops: ids that end an answer beside the template's.

    Raises OSError: a file cannot be read or written.
    """
    tokenizer = encoder.tokenizer
    for name in FILES:
        if (tokenizer.folder / name).is_file():
            shutil.copyfile(tokenizer.folder / name, folder / name)
    config = {}
    if (tokenizer.folder / TOKENIZER_CONFIG).is_file():
        config = json.loads((tokenizer.folder / TOKENIZER_CONFIG).read_text(encoding="utf-8"))
    config.pop("chat_template", None)  # one place for it: some programs read it here first
    if tokenizer.disputed or "tokenizer_class" not in config:
        config["tokenizer_class"] = _AS_IT_IS
    write_json(folder / TOKENIZER_CONFIG, config)
    (folder / TEMPLATE_FILE).write_text(template, encoding="utf-8")
    write_json(folder / GENERATION_CONFIG, generation_config(encoder, settings, more_stops))


def write_json(file: Path, content: object) -> None:
    """Write readable JSON. Raises OSError."""
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def unsaid(settings: ChatSettings) -> list[str]:
    """What of `[chat]` the generation settings of transformers cannot hold."""
    said = []
    if settings.stop:
        texts = ", ".join(json.dumps(text, ensure_ascii=False) for text in settings.stop)
        said.append(f"chat.stop is not in the generation settings: give `stop_strings` yourself ({texts})")
    for name in ("presence_penalty", "frequency_penalty"):
        if value := getattr(settings, name):
            said.append(
                f"chat.{name} is not in the generation settings: set it where the model is served ({value:g})"
            )
    return said
