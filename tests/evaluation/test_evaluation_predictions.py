"""A file of predictions is what was asked for, or it is said what it is instead."""

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import WorkbenchError
from workbench.evaluation.predictions import Asked, check_predictions, write_predictions

SET = [Asked(f"id-{i}", f"翻譯成現代文：第{i}句") for i in range(5)]


def written(path: Path, elements: Any) -> Path:
    path.write_text(json.dumps(elements, ensure_ascii=False), "utf-8")
    return path


def found(path: Path, elements: Any) -> dict[str, tuple[str, int, list[int]]]:
    file = written(path / "p.json", elements)
    special = ["</s>", "<s>"]
    return {
        f.name: (f.level, f.count, [row for _, row in f.rows]) for f in check_predictions(file, SET, special)
    }


def good() -> list[dict[str, Any]]:
    return [{"id": row.id, "output": f"這是第{i}句。"} for i, row in enumerate(SET)]


def test_what_is_written_is_in_order_and_passes(tmp_path: Path) -> None:
    path = tmp_path / "prediction.json"
    write_predictions(path, [(each["id"], each["output"]) for each in good()])
    text = path.read_text("utf-8")
    assert text.startswith('[\n  {\n    "id": "id-0",\n    "output": "這是第0句。"\n  },')
    assert check_predictions(path, SET, ["</s>"]) == []


def test_ids_of_another_set(tmp_path: Path) -> None:
    """One of the three files that were handed in held the public ids."""
    other = [{"id": f"public-{i}", "output": "好。"} for i in range(5)]
    assert found(tmp_path, other) == {"foreign-ids": ("red", 5, [0, 1, 2, 3, 4])}


def test_missing_double_foreign_and_moved(tmp_path: Path) -> None:
    rows = good()
    assert found(tmp_path, rows[:3]) == {"missing": ("red", 2, [])}
    assert found(tmp_path, [*rows, rows[2]]) == {"double": ("red", 1, [5])}
    assert found(tmp_path, [*rows[:4], rows[0]]) == {"missing": ("red", 1, []), "double": ("red", 1, [4])}
    assert found(tmp_path, [*rows, {"id": "x", "output": "好。"}]) == {"foreign-ids": ("red", 1, [5])}
    assert found(tmp_path, [rows[1], rows[0], *rows[2:]]) == {"order": ("red", 2, [0, 1])}
    assert found(tmp_path, []) == {"missing": ("red", 5, [])}


def test_what_stands_in_the_outputs(tmp_path: Path) -> None:
    rows = good()
    texts = ["好。</s>", "好。 ASSISTANT: 好。", "答案：好。", " ", SET[4].question + "：好。"]
    for row, text in zip(rows, texts, strict=True):
        row["output"] = text
    assert found(tmp_path, rows) == {
        "special-tokens": ("red", 1, [0]),
        "leaked-prompt": ("red", 3, [0, 1, 4]),
        "empty": ("yellow", 1, [3]),
        "answer-prefix": ("note", 1, [2]),
    }


def test_elements_that_are_none(tmp_path: Path) -> None:
    rows = good()
    rows[1] = {"id": "id-1", "output": None}
    rows[2] = "text"  # type: ignore[call-overload]
    assert found(tmp_path, rows) == {"form": ("red", 2, [1, 2]), "missing": ("red", 2, [])}


@pytest.mark.parametrize("content", [b"", b"{", b'{"id": 1}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_array_is_a_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(WorkbenchError, match="is no JSON"):
        check_predictions(path, SET)
    with pytest.raises(WorkbenchError, match="cannot be read"):
        check_predictions(tmp_path / "none.json", SET)
