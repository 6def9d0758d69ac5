"""The model card of an export, README.md: what it is, how it is loaded and made, how near it comes."""

import json
import time
from collections.abc import Sequence
from typing import Any

import workbench
from workbench.exporting.figures import Proof
from workbench.exporting.request import Export
from workbench.project.base_model import reads_as_hub_id
from workbench.project.training import TrainingSettings
from workbench.runs.status import read_status

CARD = "README.md"

_LOADING = {
    "adapter": """\
from peft import AutoPeftModelForCausalLM      # makes room for added special tokens by itself
from transformers import AutoTokenizer, GenerationConfig

model = AutoPeftModelForCausalLM.from_pretrained(folder)
model.generation_config = GenerationConfig.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)""",
    "merged": """\
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)""",
}
_ASKING = """\
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "..."}], add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = model.generate(**prompt)"""


def card(
    export: Export, base_name: str, base_license: str, proof: Proof | None, remarks: Sequence[str], file: str
) -> str:
    """The card as Markdown.

    Args:
        base_name: what others call the base model.
        base_license: as its own card names it; empty for unknown.
        proof: what was measured; None for an adapter, or where there were no rows.
        remarks: what a person should know.
        file: the GGUF file; empty for other kinds.
    """
    kind = export.request.kind
    sections = [
        _front(kind, base_name, base_license),
        f"# {export.name}\n",
        *([f"{export.spec.project.about}\n"] if export.spec.project.about else []),
        f"{_what(export, base_name)}\n",
        *(["## Read this first\n", *(f"- {remark}" for remark in remarks), ""] if remarks else []),
        "## Loading it\n",
        *_loading(kind, file),
        "## How near it comes to the model as it was trained\n",
        *(proof.table() if proof else [_unmeasured(kind)]),
        "\n## How it was made\n",
        *_settings(export),
        "\n## Data\n",
        *_sources(export),
    ]
    return "\n".join(sections) + "\n"


def marker(export: Export, base_name: str, remarks: Sequence[str]) -> dict[str, Any]:
    """What `export.json` holds: where the export comes from."""
    spec = export.spec
    return {
        "v": 1,
        "workbench": workbench.__version__,
        "exported": time.time(),
        "kind": export.request.kind,
        "dtype": export.dtype,
        "project": spec.project.name,
        "run": export.run.id,
        "step": export.checkpoint.step,
        "base_model": base_name,
        "fingerprints": spec.fingerprints,
        "remarks": list(remarks),
    }


def _front(kind: str, base_name: str, base_license: str) -> str:
    """What the hub reads."""
    lines = ["---"]
    if reads_as_hub_id(base_name):
        lines.append(f"base_model: {base_name}")
    if base_license:
        lines.append(f"license: {json.dumps(base_license)}")
    library = {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}[kind]
    return "\n".join([*lines, f"library_name: {library}", "pipeline_tag: text-generation", "---\n"])


def _what(export: Export, base_name: str) -> str:
    spec, step = export.spec, export.checkpoint.step
    made = {
        "adapter": "A LoRA adapter for",
        "merged": f"A whole model in {export.dtype}, tuned from",
        "gguf": f"A GGUF file ({export.dtype}), tuned from",
    }[export.request.kind]
    best = ", the step of the lowest validation loss" if export.checkpoint.best else ""
    return f"{made} `{base_name}`: project `{spec.project.name}`, run `{export.run.id}`, step {step}{best}."


def _loading(kind: str, file: str) -> list[str]:
    if kind == "gguf":
        return [
            "```",
            f"llama-cli -m {file} --jinja     # or",
            "ollama create NAME -f Modelfile",
            "```",
            "\nThe file holds the chat template, the Modelfile the same as a Go template.\n",
        ]
    return [
        "```python",
        _LOADING[kind],
        _ASKING,
        "```",
        "\nThe tokenizer, the chat template that it was trained with (system message and context blocks of "
        "the project included) and the generation settings come along.\n",
    ]


def _unmeasured(kind: str) -> str:
    return "The adapter is the trained one, to the bit." if kind == "adapter" else "Not measured."


def _settings(export: Export) -> list[str]:
    spec = export.spec
    model, training = spec.project.model, spec.project.training
    changed = {
        name: value
        for name, value in training.model_dump(mode="json").items()
        if name in ("method", "learning_rate") or value != _DEFAULTS[name]
    }
    status = read_status(export.run)
    figures = {
        "quantization in training": model.quantization,
        **changed,
        "steps of the run": status.step,
        "last training loss": status.loss,
        "lowest validation loss": status.best_loss,
        "at step": status.best_step,
    }
    lines = [f"| {name} | {_cell(value)} |" for name, value in figures.items() if value is not None]
    versions = ", ".join(f"{name} {version}" for name, version in spec.versions.items())
    commit = spec.git
    return [
        "| setting | value |",
        "|---|---|",
        *lines,
        "\nSettings of training that are not listed have their defaults.",
        *([f"\nTrained with {versions}."] if versions else []),
        *([f"\nGit commit {commit.commit}{', with changes' if commit.changed else ''}."] if commit else []),
    ]


def _cell(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False).strip('"')
    return text.replace("|", "\\|")


def _sources(export: Export) -> list[str]:
    data = export.spec.project.data
    lines = [f"- {each.name or each.path}: {each.kind}" for each in data.source]
    trained = f"trained on: {data.train_on}; at most {data.max_tokens} tokens a row"
    found = export.spec.fingerprints.get("data", "")
    return [*lines, f"- {trained}", *([f"- SHA-256 of files and settings: {found}"] if found else [])]


def license_of(readme: str) -> str:
    """The license that a model card names in its front matter; empty where it names none."""
    import yaml

    if not readme.startswith("---"):
        return ""
    try:
        front = yaml.safe_load(readme.split("---", 2)[1])
    except (yaml.YAMLError, IndexError):
        return ""
    found = front.get("license") if isinstance(front, dict) else None
    return found if isinstance(found, str) else ""


_DEFAULTS = TrainingSettings().model_dump(mode="json")
