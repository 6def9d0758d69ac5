"""Who is offered to talk to: the base model as the project has it now, checkpoints as their runs had it."""

import json
from pathlib import Path

import pytest

from workbench.chat.targets import targets
from workbench.project.store import OpenProject, open_project
from workbench.runs.checkpoints import publish
from workbench.runs.folder import Run, create_run


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
    assert (base.template, base.template_source, base.system) == ("chatml", None, "old")
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


def test_a_checkpoint_keeps_the_prompt_of_its_run(project: OpenProject) -> None:
    run_with(project, 20)
    file = project.file
    file.write_text(file.read_text().replace("old", "new").replace("chatml", "gemma"))
    base, checkpoint = targets(open_project(project.folder))
    assert (base.template, base.system) == ("gemma", "new")
    assert (checkpoint.template, checkpoint.template_source) == ("chatml", "{{ messages }}")
    assert checkpoint.system == "old"
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
