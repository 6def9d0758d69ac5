"""Chat templates: the base model's own, a file of the project, or one of ours, all through one sandbox."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os.path import isfile
from pathlib import Path

from workbench.data.example import Message
from workbench.errors import fault
from workbench.project.paths import expanded
from workbench.project.schema import PromptSettings
from workbench.prompts.sandbox import Program, TemplateFault
from workbench.prompts.tokenizer import Tokenizer

FOLDER = Path(__file__).parent / "templates"
BUILT_IN: dict[str, Path] = {file.stem: file for file in sorted(FOLDER.glob("*.jinja"))}
"""Name to file of the templates that come along."""

__all__ = ["BUILT_IN", "Rendered", "Template", "TemplateFault", "built_in", "load_template"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as text.

    Attributes:
        text: what the template wrote.
        spans: the character ranges that the template marks as answers; None when it has no `{% generation
        %}`.
        read_clock: the template asked for the date, so that the same conversation renders otherwise tomorrow.
    """

    text: str
    spans: list[tuple[int, int]] | None
    read_clock: bool = False


@dataclass(frozen=True)
class Template:
    """A compiled chat template. Making one raises TemplateFault with ``file:line`` when `source` is no Jinja.

    Attributes:
        name: as set in `prompt.template`.
        source: the Jinja text.
        file: the place named in errors.
    """

    name: str
    source: str
    file: str = ""
    _program: Program = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_program", Program(self.source, self.file or f"template {self.name}"))

    @property
    def marks_answers(self) -> bool:
        """The template says itself, with `{% generation %}`, which characters are answers."""
        return re.search(r"\{%[-+]?\s*generation\s*[-+]?%\}", self.source) is not None

    def render(
        self, messages: Sequence[Message], special: Mapping[str, str], add_generation_prompt: bool = False
    ) -> Rendered:
        """The conversation as text; with the generation prompt, ready for an answer.

        Args:
            messages: the conversation.
            special: the tokenizer's special tokens by name.
            add_generation_prompt: end with what stands before an answer.

        Raises TemplateFault: the template refuses the conversation, fails, or takes too long.
        """
        variables = {
            **special,
            "messages": [{"role": message.role, "content": message.for_template} for message in messages],
            "tools": None,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }
        text, spans, read_clock = self._program.render(variables)
        return Rendered(text, spans if self.marks_answers else None, read_clock)


def built_in(name: str, prompt: PromptSettings | None = None) -> Template:
    """The built-in template `name`, for `plain` with the project's separator and stop written into it.

    Its source is complete: a run, a checkpoint and a fingerprint need nothing else to repeat it.
    """
    source = _read(BUILT_IN[name])
    if prompt is not None and name == "plain":
        # Jinja reads the escapes of JSON, but joins no surrogate pairs: characters stay as they are
        texts = {"separator": prompt.separator, "stop": prompt.stop}
        sets = (
            f"{{%- set {key} = {json.dumps(text, ensure_ascii=False)} -%}}" for key, text in texts.items()
        )
        source = "".join(sets) + source
    return Template(name, source, str(BUILT_IN[name]))


def load_template(
    setting: str, project_folder: Path, tokenizer: Tokenizer | None, prompt: PromptSettings | None = None
) -> Template:
    """The template that `prompt.template` names: ``base``, a built-in name, or a .jinja file of the project.

    Args:
        setting: the name.
        project_folder: what a file's name is relative to.
        tokenizer: the base model's, whose own template ``base`` is; None will do for any other.
        prompt: separator and stop of the built-in `plain`; without it they are the defaults.

    Raises WorkbenchError: no such template, file missing, not valid Jinja (with ``file:line``).
    """
    names = ", ".join(BUILT_IN)
    if setting == "base":
        assert tokenizer is not None
        if tokenizer.chat_template is None:
            raise fault(
                "the base model has no chat template",
                tokenizer.folder,
                f"set prompt.template to one of: {names}",
            )
        return Template(setting, tokenizer.chat_template, str(tokenizer.template_file))
    if setting in BUILT_IN:
        return built_in(setting, prompt)
    file = project_folder / expanded(setting)
    if isfile(file):
        return Template(setting, _read(file), str(file))
    if file.suffix in (".jinja", ".jinja2", ".j2") or "/" in setting:
        raise fault("no such template file", file, "prompt.template is read relative to the project folder")
    near = difflib.get_close_matches(setting, ["base", *BUILT_IN], n=1)
    hint = f"did you mean {near[0]}?" if near else f"base, a .jinja file, or one of: {names}"
    raise fault(f"unknown template {setting!r}", "prompt.template", hint)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise fault(f"cannot be read: {error}", file) from None
