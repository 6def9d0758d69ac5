"""A new project trains: its rows are examples, and its template and length suit the base model."""

import json
from pathlib import Path

import pytest
import small_tokenizers

from workbench.errors import WorkbenchError
from workbench.project.store import open_project
from workbench.prompts.corpus import encode_project
from workbench.prompts.scaffold import new_project

TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"messages": TURNS}) for _ in range(3)))
    return path


def base_model(folder: Path, positions: int) -> Path:
    """A base model without a chat template, as far as a preview needs it."""
    folder.mkdir()
    small_tokenizers.write(folder, small_tokenizers.byte_level(), {"eos_token": "</s>"})
    config = {"model_type": "llama", "max_position_embeddings": positions}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_its_rows_are_encoded_without_a_word_from_the_user(rows: Path, tmp_path: Path) -> None:
    project = open_project(new_project(tmp_path / "mine", [Path("rows.jsonl")], "embedded").file)
    assert project.settings.name == "mine"
    assert project.settings.prompt.template == "base"
    encoded = encode_project(project)
    assert len(encoded.train) + len(encoded.validation) == 3


def test_a_base_model_without_a_template_gets_one_that_it_can_write(rows: Path, tmp_path: Path) -> None:
    base = base_model(tmp_path / "base", 64)
    project = open_project(new_project(tmp_path / "mine", [rows], str(base)).file)
    assert project.settings.prompt.template == "vicuna"
    assert project.settings.data.max_tokens == 64


def test_a_hub_model_that_is_not_here_yet_is_taken_as_it_is(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    project = open_project(new_project(tmp_path / "mine", [rows], "owner/no-such-model").file)
    assert project.settings.model.base == "owner/no-such-model"


def test_a_folder_that_is_no_model_is_refused_before_anything_is_written(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="no such folder"):
        new_project(tmp_path / "mine", [rows], "./nowhere")
    assert not (tmp_path / "mine").exists()


def test_questions_alone_make_no_project(tmp_path: Path) -> None:
    path = tmp_path / "private.json"
    path.write_text('[{"id": 1, "instruction": "Translate."}]')
    with pytest.raises(WorkbenchError, match=r"private.json: no row has an answer to train on; name a file"):
        new_project(tmp_path / "mine", [path], "embedded")
    assert not (tmp_path / "mine").exists()


def test_a_folder_with_rows_for_training_and_for_testing(tmp_path: Path) -> None:
    row = {"instruction": "q", "output": "a"}
    data = tmp_path / "data"
    data.mkdir()
    for name, rows in {
        "private_test": [{"instruction": "q"}],
        "public_test": [row],
        "train": [row] * 3,
    }.items():
        (data / f"{name}.json").write_text(json.dumps(rows))
    made = new_project(tmp_path / "mine", [data], "embedded")
    sources = open_project(made.file).settings.data.source
    assert [(Path(source.path).name, source.split) for source in sources] == [
        ("train.json", "auto"),
        ("private_test.json", "test"),
        ("public_test.json", "test"),
    ]


def test_all_files_that_cannot_be_mapped_are_named_at_once(tmp_path: Path) -> None:
    unknown = tmp_path / "unknown.jsonl"
    unknown.write_text('{"alpha": 1}')
    with pytest.raises(WorkbenchError) as caught:
        new_project(tmp_path / "mine", [tmp_path / "absent.jsonl", unknown], "embedded")
    assert len(caught.value.problems) == 2
    assert not (tmp_path / "mine").exists()
