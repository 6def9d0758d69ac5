"""What the data gives with an answer, and turns that become rows."""

import json
from pathlib import Path

from workbench.chat.presets import PRESETS
from workbench.chat.structure import structure_of
from workbench.data.dataset import open_dataset
from workbench.project.schema import ChatSettings
from workbench.project.store import open_project

PROJECT = """
format = 1
name = "p"
[[data.source]]
kind = "messages"
path = "rows.jsonl"
text = "dialog"
"""


def test_values_the_most_frequent_first(tmp_path: Path) -> None:
    emotions = ["fear", "neutral", "neutral", "anger", "neutral", "fear"]
    rows = [
        {
            "messages": [
                {"role": "user", "content": {"mood": "calm", "dialog": "hi"}},
                {"role": "assistant", "content": {"emotion": emotion, "dialog": "ho"}},
            ]
        }
        for emotion in emotions
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "project.toml").write_text(PROJECT)
    found = structure_of(open_dataset(open_project(tmp_path)))
    assert found is not None and found.text_key == "dialog"
    assert found.values["assistant"] == {"emotion": ["neutral", "fear", "anger"]}
    assert found.usual("user") == (("mood", "calm"),)
    message = found.message("assistant", "x", (("emotion", "fear"),))
    assert message.for_template == {"emotion": "fear", "dialog": "x"}


def test_plain_rows_and_missing_files_give_nothing(tmp_path: Path) -> None:
    (tmp_path / "project.toml").write_text(PROJECT)
    assert structure_of(open_dataset(open_project(tmp_path))) is None
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    (tmp_path / "rows.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    (tmp_path / "project.toml").write_text(PROJECT.replace('text = "dialog"\n', ""))
    assert structure_of(open_dataset(open_project(tmp_path))) is None


def test_every_preset_is_a_valid_whole(tmp_path: Path) -> None:
    for preset in PRESETS:
        settings = ChatSettings.model_validate(preset.complete)
        assert all(getattr(settings, name) == value for name, value in preset.values.items())
        assert not {"seed", "max_new_tokens", "stop"} & preset.complete.keys()
