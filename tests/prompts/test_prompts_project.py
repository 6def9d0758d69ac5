"""From project.toml to token ids: preview, the whole corpus, and the fingerprints that guard a resume."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_tokenizers import NAMES, byte_level, write
from test_prompts_encode import PLAIN

from workbench.errors import WorkbenchError
from workbench.project.schema import Project
from workbench.project.store import OpenProject
from workbench.prompts.corpus import encode_project
from workbench.prompts.encoding.encode import make_encoder
from workbench.prompts.fingerprint import fingerprints
from workbench.prompts.preview import preview

ROWS = [{"instruction": f"question {n}", "output": f"answer {n}"} for n in range(10)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "base", byte_level(), NAMES, PLAIN)
    (tmp_path / "train.json").write_text(json.dumps(ROWS), "utf-8")
    return tmp_path


def project(folder: Path, **sections: Any) -> OpenProject:
    source = {"kind": "fields", "path": "train.json", "user": ["{instruction}"]}
    settings = {
        "name": "p",
        "model": {"base": str(folder / "base")} | sections.get("model", {}),
        "data": {"source": [source], "validation": 0.2} | sections.get("data", {}),
        "prompt": sections.get("prompt", {}),
        "format": 1,
    }
    return OpenProject(folder, folder / "project.toml", "", Project.model_validate(settings))


def test_preview_shows_what_trains(folder: Path) -> None:
    opened = project(folder, data={"validation": 0})
    corpus = encode_project(opened)
    for row in range(len(ROWS)):
        shown = preview(opened, row)
        assert (shown["ids"], shown["mask"]) == (list(corpus.train[row].ids), list(corpus.train[row].mask))
        assert shown["supervised"] == sum(shown["mask"]) > 0 and shown["stop_trained"]
        assert len(shown["tokens"]) == len(shown["spans"]) == len(shown["ids"])
        assert "".join(shown["tokens"]) == shown["text"]
        assert json.loads(json.dumps(shown)) == shown
    assert (shown["source"], shown["row"], shown["template"]) == (0, 9, "base")


@pytest.mark.parametrize(
    ("row", "source", "said"),
    [(10, 0, "row 10"), (-1, 0, "row -1"), (0, 1, "source 1"), (0, -1, "source -1")],
)
def test_preview_of_what_is_not_there(folder: Path, row: int, source: int, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        preview(project(folder), row, source)


def test_preview_says_why_a_row_is_left_out(folder: Path) -> None:
    with pytest.raises(WorkbenchError, match=r"train\.json row 3: .*too long \(\d+ tokens"):
        preview(project(folder, data={"max_tokens": 8}), 3)
    (folder / "train.json").write_text(json.dumps([{"instruction": "a", "output": ""}]))
    with pytest.raises(WorkbenchError, match=r"train\.json row 0: the row is left out"):
        preview(project(folder), 0)


def test_every_row_is_encoded_or_counted(folder: Path) -> None:
    rows = [*ROWS, {"instruction": "a", "output": "long " * 200}, {"instruction": "b", "output": ""}]
    (folder / "train.json").write_text(json.dumps(rows), "utf-8")
    seen: list[tuple[int, int]] = []
    corpus = encode_project(
        project(folder, data={"max_tokens": 100}), lambda done, of: seen.append((done, of))
    )
    report = corpus.report[0]
    assert (report.read, report.kept) == (12, 10) and list(report.rejected["too long"]) == [10]
    assert report.kept + sum(map(len, report.rejected.values())) == report.read
    assert len(corpus.train) + len(corpus.validation) == report.kept and corpus.validation
    assert seen[-1] == (11, 11)


def test_the_held_out_rows_do_not_depend_on_the_template(folder: Path) -> None:
    def held_out(template: str) -> set[int]:
        encoded = encode_project(project(folder, prompt={"template": template})).validation
        return {item.origin.row for item in encoded}

    assert held_out("base") == held_out("alpaca") and held_out("base")


def test_overlong_rows_can_be_an_error(folder: Path) -> None:
    with pytest.raises(WorkbenchError, match=r"10 rows are too long.*raise data\.max_tokens"):
        encode_project(project(folder, data={"max_tokens": 8, "overlong": "error"}))


def test_every_unreadable_source_is_named(folder: Path) -> None:
    sources = [{"kind": "fields", "path": name} for name in ("none.json", "train.json", "gone.csv")]
    with pytest.raises(WorkbenchError) as error:
        encode_project(project(folder, data={"source": sources}))
    assert "none.json" in str(error.value) and "gone.csv" in str(error.value)


def test_a_source_that_breaks_on_the_way_ends_the_reading(folder: Path) -> None:
    (folder / "more.csv").write_text("instruction,output\n" + "a,b\n" * 20_000 + '"never closed,b\n')
    sources = [
        {"kind": "fields", "path": name, "user": ["{instruction}"]} for name in ("train.json", "more.csv")
    ]
    with pytest.raises(WorkbenchError, match="never closed"):
        encode_project(project(folder, data={"source": sources}))


def test_a_template_that_refuses_the_system_prompt_is_named_at_once(folder: Path) -> None:
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + PLAIN
    (folder / "strict.jinja").write_text(refusing)
    settings = {"template": "strict.jinja", "system": "Be kind."}
    with pytest.raises(
        WorkbenchError, match=r"prompt\.system is refused: .*no system.*leave prompt\.system empty"
    ):
        make_encoder(project(folder, prompt=settings))


def test_each_fingerprint_follows_its_own_files(folder: Path) -> None:
    (folder / "base" / "model.safetensors").write_bytes(b"weights")
    before = fingerprints(project(folder))
    assert before == fingerprints(project(folder))
    assert set(before) == {"data", "template", "tokenizer", "base_model"}

    def changed(after: dict[str, str]) -> set[str]:
        return {name for name in before if before[name] != after[name]}

    assert changed(fingerprints(project(folder, data={"max_tokens": 99}))) == {"data"}
    assert changed(fingerprints(project(folder, prompt={"system": "Hi."}))) == {"template"}
    assert changed(fingerprints(project(folder, prompt={"template": "chatml"}))) == {"template"}
    for file, name in (
        ("train.json", "data"),
        ("base/chat_template.jinja", "template"),
        ("base/tokenizer.json", "tokenizer"),
        ("base/model.safetensors", "base_model"),
        ("base/config.json", "base_model"),
    ):
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content + b"\n")
        assert changed(fingerprints(project(folder))) == {name}
        (folder / file).write_bytes(content)
    (folder / "train.json").unlink()
    with pytest.raises(WorkbenchError, match=r"train\.json: no such file"):
        fingerprints(project(folder))


def test_the_ends_of_a_large_file_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.prompts.fingerprint.WHOLE_BYTES", 10)
    monkeypatch.setattr("workbench.prompts.fingerprint.EDGE_BYTES", 4)
    weights = folder / "base" / "model.safetensors"
    seen = set()
    for content in (
        b"head" + b"-" * 9 + b"tail",
        b"HEAD" + b"-" * 9 + b"tail",
        b"head" + b"-" * 9 + b"TAIL",
        b"-" * 18,
    ):
        weights.write_bytes(content)
        seen.add(fingerprints(project(folder))["base_model"])
    assert len(seen) == 4
