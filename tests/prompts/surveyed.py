"""Small projects to survey, and their findings by name."""

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workbench.project.store import OpenProject, open_project
from workbench.prompts.survey.findings import Finding
from workbench.prompts.survey.survey import survey

FIELDS = 'kind = "fields"\nuser = ["{user}"]\nassistant = "{assistant}"'
WORDS = [
    *("river", "stone", "lantern", "copper", "meadow", "winter", "harbour", "violin", "candle", "orchard"),
    *("thunder", "pepper", "saddle", "mirror", "feather", "kettle", "garden", "window", "bridge", "marble"),
]


def sentence(random_: random.Random, words: int = 9) -> str:
    """Words that no other sentence has in this order."""
    return " ".join(random_.choices(WORDS, k=words)).capitalize() + "."


def rows(count: int, seed: int = 0, **more: str) -> list[dict[str, str]]:
    """Rows that have nothing wrong with them; `more` are columns made of {user} and {assistant}."""
    random_ = random.Random(seed)
    made = []
    for _ in range(count):
        row = {"user": sentence(random_), "assistant": sentence(random_, 12)}
        made.append(row | {name: text.format(**row) for name, text in more.items()})
    return made


def project(
    folder: Path,
    *sources: Iterable[Mapping[str, Any]],
    kind: str = FIELDS,
    more: str = "",
    source: Mapping[int, str] = {},
) -> OpenProject:
    """A project of one file a source; `more` stands before them, `source` adds lines to one of them."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f'format = 1\nname = "small"\n{more}\n'
    for number, lines in enumerate(sources):
        name = f"rows{number}.jsonl"
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in lines), "utf-8")
        text += f'[[data.source]]\npath = "{name}"\n{source.get(number, "")}\n{kind}\n'
    (folder / "project.toml").write_text(text, "utf-8")
    return open_project(folder)


def findings(opened: OpenProject) -> dict[str, Finding]:
    """The findings by name; of several with one name the gravest."""
    found: dict[str, Finding] = {}
    for finding in survey(opened).findings:
        found.setdefault(finding.name, finding)
    return found


def facts_of(finding: Finding) -> tuple[str, int]:
    """Level and count."""
    return finding.level, finding.count
