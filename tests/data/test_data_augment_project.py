"""The file of made rows: read back as it was made, never written over once edited, and no leak."""

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.data.augment.project import carry_out, plan
from workbench.data.dataset import open_dataset
from workbench.data.digest import digest
from workbench.data.example import Example
from workbench.data.likeness.leaks import find_leaks
from workbench.data.selection import Selection, select
from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project

AUGMENTATION = """
[augmentation]
target = 200
break_conversations = true
paraphrases = ["Cho em hỏi: {text}", "Shop ơi, {text}", "{text} Gấp lắm.", "Xin hỏi {text}", "{text} Với ạ."]
[augmentation.keywords]
laptop = ["máy tính", "notebook"]
"""


def conversations(count: int) -> list[dict[str, Any]]:
    rows = []
    for i in range(count):
        texts = [f"laptop {i} hỏng", f"Dạ {i}.", f"còn máy {i}?", f"Vâng {i}."][: 4 if i % 3 == 0 else 2]
        turns = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]
        rows.append({"messages": turns, "topic": f"t{i % 2}", "note": f"about a laptop {i}"})
    return rows


def project(folder: Path, source: str = "", data: str = "validation = 4", count: int = 40) -> OpenProject:
    lines = [json.dumps(row, ensure_ascii=False) for row in conversations(count)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "project.toml").write_text(
        f'format = 1\nname = "small"\n[data]\n{data}\n'
        f'[[data.source]]\nkind = "messages"\npath = "rows.jsonl"\n{source}\n{AUGMENTATION}',
        encoding="utf-8",
    )
    return open_project(folder)


def chosen(opened: OpenProject) -> tuple[Selection, dict[str, list[Example]]]:
    dataset = open_dataset(opened)
    try:
        selection = select(dataset, opened.settings.data)
        assert not find_leaks(dataset, selection).found
        sides = {}
        for side, origins in selection.sides.items():
            outcomes = [dataset.example(origin.source, origin.row) for origin in origins]
            sides[side] = [each for each in outcomes if isinstance(each, Example)]
        return selection, sides
    finally:
        dataset.close()


def made_rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "data/augmented.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("validation", ["validation = 4", "validation = 0.2", "validation = 1"])
def test_no_made_row_is_of_a_held_out_row(tmp_path: Path, validation: str) -> None:
    opened = project(tmp_path, data=validation)
    before = {(o.source, o.row) for o in chosen(opened)[0].sides["validation"]}
    planned = plan(opened)
    after, _ = chosen(carry_out(opened, planned))
    assert {(o.source, o.row) for o in after.sides["validation"]} == before
    held = {row for _, row in before}
    assert held and not held & {row["made_from"]["row"] for row in made_rows(tmp_path)}
    assert after.reports[0].train + after.reports[1].train == planned.made.total == 200


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    source = (
        'tags = { topic = "{topic}" }\nblocks = { "Ngữ {{cảnh}}.1" = "{note}" }\nsystem = "Be kind"\n'
        'clean = [{ on = "assistant", suffix = ["."] }]'
    )
    opened = project(tmp_path, source)
    planned = plan(opened)
    _, sides = chosen(carry_out(opened, planned))
    read = [example for example in sides["train"] if example.origin.source == 1]
    assert [digest(each) for each in read] == [digest(row.example) for row in planned.made.rows]
    assert [each.tags for each in read] == [row.example.tags for row in planned.made.rows]
    assert read[0].blocks and read[0].messages[0].role == "system"
    assert not read[0].messages[-1].content.endswith(".")


def test_structured_contents_are_read_back(tmp_path: Path) -> None:
    opened = project(tmp_path)
    rows = [
        {
            "messages": [
                {"role": "user", "content": {"emotion": "joy", "dialog": f"laptop {i}"}},
                {"role": "assistant", "content": {"emotion": "fear", "dialog": "No."}},
            ]
        }
        for i in range(9)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = tmp_path / "project.toml"
    file.write_text(file.read_text().replace('"rows.jsonl"', '"rows.jsonl"\ntext = "dialog"'))
    opened = open_project(tmp_path)
    planned = plan(opened)
    _, sides = chosen(carry_out(opened, planned))
    read = [example for example in sides["train"] if example.origin.source == 1]
    assert read and [each.messages for each in read] == [row.example.messages for row in planned.made.rows]


def test_every_row_says_what_it_is_made_from(tmp_path: Path) -> None:
    opened = project(tmp_path)
    carry_out(opened, plan(opened))
    originals = conversations(40)
    for row in made_rows(tmp_path):
        made_from = row["made_from"]
        assert made_from["source"] == "rows.jsonl" and made_from["v"] == 1 and made_from["by"]
        assert row["group"]
        answers = [turn["content"] for turn in row["messages"] if turn["role"] == "assistant"]
        own = [t["content"] for t in originals[made_from["row"]]["messages"] if t["role"] == "assistant"]
        assert answers == own[: len(answers)]


def test_made_again_it_is_the_same_and_added_once(tmp_path: Path) -> None:
    opened = project(tmp_path)
    added = carry_out(opened, plan(opened))
    before = (tmp_path / "data/augmented.jsonl").read_bytes()
    again = carry_out(added, plan(added))
    assert (tmp_path / "data/augmented.jsonl").read_bytes() == before
    assert len(again.settings.data.source) == 2


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [line.replace("Dạ", "Vâng") for line in lines],
        lambda lines: [*lines, '{"messages": []}'],
        lambda lines: ["mine"],
    ],
)
def test_an_edited_file_is_not_written_over(tmp_path: Path, edit: Any) -> None:
    opened = project(tmp_path)
    added = carry_out(opened, plan(opened))
    file = tmp_path / "data/augmented.jsonl"
    text = "".join(f"{line}\n" for line in edit(file.read_text(encoding="utf-8").splitlines()))
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WorkbenchError, match="was edited since it was made"):
        carry_out(added, plan(added))
    assert file.read_text(encoding="utf-8") == text
    carry_out(added, plan(added), force=True)
    assert file.read_text(encoding="utf-8") != text


def test_made_rows_are_no_originals(tmp_path: Path) -> None:
    opened = project(tmp_path)
    carry_out(opened, plan(opened))
    file = tmp_path / "project.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"rows.jsonl"', '"**/*.jsonl"'), encoding="utf-8"
    )
    with pytest.raises(WorkbenchError, match="reads the made rows"):
        plan(open_project(tmp_path))


def test_a_broken_source_is_told(tmp_path: Path) -> None:
    opened = project(tmp_path)
    (tmp_path / "rows.jsonl").unlink()
    with pytest.raises(WorkbenchError, match=r"rows\.jsonl"):
        plan(opened)


def test_cancelled_it_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="cancelled"):
        plan(project(tmp_path), cancelled=lambda: True)


def test_without_training_rows_it_says_why(tmp_path: Path) -> None:
    opened = project(tmp_path, source='column = "talk"')
    with pytest.raises(WorkbenchError, match=r'40 x no column "talk"'):
        plan(opened)
