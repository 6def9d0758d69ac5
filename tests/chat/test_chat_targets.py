"""Who is offered to talk to: the base model as the project has it now, checkpoints as their runs had it."""

import json
import os
import shutil
from pathlib import Path

import pytest

from workbench.chat.targets import newest, remarks, targets
from workbench.embedded import FOLDER
from workbench.project.base_model import locate
from workbench.project.store import OpenProject, open_project
from workbench.prompts.contract import contract_of
from workbench.prompts.fingerprint import fingerprints
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.checkpoints import publish
from workbench.runs.folder import Run, create_run
from workbench.runs.lock import hold


@pytest.fixture
def project(tmp_path: Path) -> OpenProject:
    """A project on a base model of no layers, which is enough to start a run's folder."""
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    (base / "tokenizer.json").write_text("{}")
    (base / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    settings = f'[model]\nbase = {json.dumps(str(base))}\n[prompt]\ntemplate = "chatml"\nsystem = "old"\n'
    (tmp_path / "project.toml").write_text('format = 1\nname = "tiny"\n' + settings)
    return open_project(tmp_path)


def run_with(project: OpenProject, *steps: int) -> Run:
    run = create_run(project, ["workbench", "train"], {"base_model": "f" * 64}, "{{ messages }}")
    for step in steps:
        staging = run.checkpoints / ".staging"
        staging.mkdir()
        (staging / "adapter_config.json").write_text("{}")
        publish(staging, run.checkpoints / f"step-{step}")
    return run


def test_without_runs_there_is_the_base_model(project: OpenProject) -> None:
    (base,) = targets(project)
    assert (base.kind, base.weights, base.run, base.step) == ("base", None, None, None)
    assert (base.template, base.template_source, base.prompt.system) == ("chatml", None, "old")
    assert base.base in base.label


def test_newest_run_first_and_newest_checkpoint_first(project: OpenProject) -> None:
    first, second = run_with(project, 20, 100), run_with(project, 5)
    run_with(project)
    offered = targets(project)
    assert [(t.run, t.step) for t in offered] == [
        (None, None),
        (second.id, 5),
        (first.id, 100),
        (first.id, 20),
    ]
    assert offered[1].weights == second.checkpoints / "step-5"
    assert len({target.label for target in offered}) == 4


def test_what_is_newest_of_a_run_that_goes_on_is_followed(project: OpenProject) -> None:
    run = run_with(project, 20)
    lock = hold(run)
    _, following, fixed = targets(project)
    assert (following.kind, following.step, fixed.kind) == ("newest", 20, "checkpoint")
    assert newest(following) == following and newest(fixed) == fixed
    staging = run.checkpoints / ".staging"
    staging.mkdir()
    publish(staging, run.checkpoints / "step-40")
    now = newest(following)
    assert (now.kind, now.step, now.weights) == ("newest", 40, run.checkpoints / "step-40")
    assert "40" in now.label and newest(fixed) == fixed
    os.close(lock)
    assert [target.kind for target in targets(project)] == ["base", "checkpoint", "checkpoint"]
    shutil.rmtree(run.checkpoints)
    assert newest(now) == now


def test_a_checkpoint_keeps_the_prompt_of_its_run(project: OpenProject) -> None:
    run_with(project, 20)
    file = project.file
    file.write_text(file.read_text().replace("old", "new").replace("chatml", "gemma"))
    base, checkpoint = targets(open_project(project.folder))
    assert (base.template, base.prompt.system) == ("gemma", "new")
    assert (checkpoint.template, checkpoint.template_source) == ("chatml", "{{ messages }}")
    assert checkpoint.prompt.system == "old"
    assert checkpoint.base_fingerprint == "f" * 64


def test_an_incomplete_checkpoint_is_not_offered(project: OpenProject) -> None:
    run = run_with(project, 20)
    (run.checkpoints / "step-20" / "adapter_config.json").unlink()
    (run.checkpoints / "step-30").mkdir()
    assert len(targets(project)) == 1


def test_a_base_model_that_has_moved_is_looked_for_by_name(project: OpenProject) -> None:
    run = run_with(project, 20)
    spec = json.loads(run.spec.read_text())
    spec["base_model"] = {"name": "owner/model", "folder": "/gone"}
    run.spec.write_text(json.dumps(spec))
    assert targets(project)[1].base == "owner/model"


def test_a_run_with_a_broken_spec_hides_no_other(project: OpenProject) -> None:
    broken, whole = run_with(project, 20), run_with(project, 20)
    broken.spec.write_text("{")
    assert [target.run for target in targets(project)] == [None, whole.id]


def test_a_checkpoint_says_where_its_prompts_are_not_the_projects(folder: Path) -> None:
    opened = open_project(folder)
    prints = fingerprints(opened)
    run = create_run(opened, ["workbench", "train"], prints, opened_template(opened))
    staging = run.checkpoints / ".staging"
    staging.mkdir()
    (staging / "adapter_config.json").write_text("{}")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (staging / name).write_bytes((FOLDER / name).read_bytes())
    publish(staging, run.checkpoints / "step-5")
    base, checkpoint = targets(opened)
    assert remarks(base, opened) == remarks(checkpoint, opened) == []
    knowledge = '[[prompt.block]]\ntitle = "K"\nfile = "k.txt"\n'
    (folder / "project.toml").write_text(TOY.replace("chatml", "alpaca") + knowledge)
    (folder / "k.txt").write_text("open 9-5")
    changed = open_project(folder)
    (said,) = remarks(checkpoint, changed)
    assert "another chat template and context blocks than the project has now" in said and run.id in said
    assert not remarks(targets(changed)[0], changed)
    config = checkpoint.weights / "tokenizer_config.json"
    config.write_text(config.read_text() + " ")
    (said,) = remarks(checkpoint, opened)
    assert "tokenizer files" in said and "step 5" in said
    (folder / "k.txt").unlink()
    assert len(remarks(checkpoint, changed)) == 1, "a project that cannot be read now is another matter"


def test_an_enlarged_tokenizer_is_that_of_its_run(folder: Path) -> None:
    (folder / "project.toml").write_text(TOY + 'special_tokens = ["<mood>", "<|im_end|>"]\n')
    opened = open_project(folder)
    base_folder = locate("embedded", folder).folder
    run = create_run(opened, ["workbench", "train"], fingerprints(opened), opened_template(opened))
    staging = run.checkpoints / ".staging"
    staging.mkdir()
    (staging / "adapter_config.json").write_text("{}")
    (staging / "tokenizer_config.json").write_bytes((base_folder / "tokenizer_config.json").read_bytes())
    enlarged = load_tokenizer(base_folder, ["<mood>", "<|im_end|>"]).definition()
    (staging / "tokenizer.json").write_text(enlarged, "utf-8")
    publish(staging, run.checkpoints / "step-5")
    base, checkpoint = targets(opened)
    assert remarks(checkpoint, opened) == []
    assert remarks(base, opened) == ["the base model does not know <mood>: it reads it as ordinary text"]
    (run.checkpoints / "step-5" / "tokenizer.json").write_text(enlarged.replace("<mood>", "<food>"), "utf-8")
    (said,) = remarks(checkpoint, opened)
    assert "tokenizer files" in said


def test_blocks_of_a_run_outlive_their_files(folder: Path) -> None:
    (folder / "project.toml").write_text(TOY + '[[prompt.block]]\ntitle = "K"\nfile = "k.txt"\n')
    (folder / "k.txt").write_text("open 9-5")
    opened = open_project(folder)
    run_with(opened, 5)
    (folder / "k.txt").unlink()
    checkpoint = targets(opened)[1]
    assert [(block.title, block.text, block.file) for block in checkpoint.prompt.block] == [
        ("K", "open 9-5", "")
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project on the model that comes along."""
    (tmp_path / "project.toml").write_text(TOY)
    return tmp_path


TOY = 'format = 1\nname = "toy"\n[prompt]\ntemplate = "chatml"\n'


def opened_template(opened: OpenProject) -> str:
    return contract_of(opened).template
