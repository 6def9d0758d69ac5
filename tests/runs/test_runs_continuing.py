"""The adapter to go on from: found by name, refused by what differs, and part of what a run was made from."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from run_helpers import all_events, until
from safetensors import safe_open
from safetensors.numpy import save_file

from workbench import embedded
from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.runs import control
from workbench.runs.continuing import adapter_fingerprint, find_adapter, require_fit
from workbench.runs.folder import Run, create_run, list_runs, read_spec
from workbench.runs.launch import Argv, start
from workbench.runs.lock import is_held
from workbench.runs.preflight import check
from workbench.runs.status import read_status

LAYERS = ("self_attn.q_proj", "mlp.down_proj")


def write_adapter(folder: Path, rank: int = 4, layers: int = 2, width: int = 0, **config: object) -> Path:
    """An adapter of the model that comes along, with widths that are `width` too large."""
    with safe_open(next(embedded.FOLDER.glob("*.safetensors")), framework="numpy") as base:
        shapes = {name: base.get_slice(name).get_shape() for name in base.keys()}  # noqa: SIM118
    tensors = {}
    for name in (f"model.layers.{n}.{layer}" for n in range(layers) for layer in LAYERS):
        out, into = shapes.get(f"{name}.weight", [8, 8])
        tensors[f"base_model.model.{name}.lora_A.weight"] = np.zeros((rank, into + width), np.float32)
        tensors[f"base_model.model.{name}.lora_B.weight"] = np.ones((out, rank), np.float32)
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    words = {"peft_type": "LORA", "r": rank, "lora_alpha": 32, "target_modules": ["q_proj", "down_proj"]}
    words |= {"base_model_name_or_path": "some/base", "init_lora_weights": True, **config}
    (folder / "adapter_config.json").write_text(json.dumps(words))
    return folder


def continuing(project: OpenProject, name: str, **more: object) -> OpenProject:
    settings = {f"training.{key}": value for key, value in more.items()}
    return open_project(project.folder, None, {"training.continue_from": name, **settings})


def test_it_is_named_by_a_path_from_anywhere_or_by_run_and_step(
    project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_adapter(project) is None
    folder = write_adapter(project.folder / "adapters" / "one")
    monkeypatch.setenv("HOME", str(project.folder / "adapters"))
    run = create_run(project, ["test"], {}, "the template")
    step = write_adapter(run.checkpoints / "step-7")
    for name, place in (
        (str(folder), folder),
        ("~/one", folder),
        ("adapters/one", folder),
        (f"{run.id}/step-7", step),
    ):
        found = find_adapter(continuing(project, name))
        assert found is not None and found.folder == place
        require_fit(found, continuing(project, name))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere", "continue_from: no adapter 'nowhere': no such folder"),
        ("RUN/step-9", "the run has no checkpoint step-9; it has none"),
        ("RUM/step-9", "no run '.*' in this project; did you mean"),
        (".", "no adapter: there is no adapter_model.safetensors"),
        ("bin", "adapter_model.bin, a format that can run code"),
    ],
)
def test_one_that_is_not_there_is_told(project: OpenProject, name: str, words: str) -> None:
    run = create_run(project, ["test"], {}, "the template")
    name = name.replace("RUN", run.id).replace("RUM", run.id.replace("lora", "lola"))
    (project.folder / "bin").mkdir()
    (project.folder / "bin" / "adapter_model.bin").write_bytes(b"pickle")
    with pytest.raises(WorkbenchError, match=words):
        check(continuing(project, name))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"width": 64},
            r"down_proj is 128 x 384 in the base model, 128 x 448 in .*\(4 of 4 layers differ\)",
        ),
        ({"layers": 9}, r"has no layer model.layers.6.mlp.down_proj \(6 of 18 are not there\)"),
        ({"peft_type": "IA3"}, "not a LoRA adapter but IA3"),
        ({"init_lora_weights": "pissa_niter_4"}, "fits base weights that were changed at its start"),
    ],
)
def test_one_that_does_not_fit_is_refused_by_what_differs(
    project: OpenProject, change: dict[str, object], words: str
) -> None:
    write_adapter(project.folder / "adapter", **change)  # type: ignore[arg-type]
    with pytest.raises(WorkbenchError, match=words):
        start(continuing(project, "adapter"))
    assert not list_runs(project.folder)


@pytest.mark.parametrize("content", [b"", b"\x08\x00\x00\x00\x00\x00\x00\x00{", b"x" * 100])
def test_broken_weights_are_told(project: OpenProject, content: bytes) -> None:
    folder = write_adapter(project.folder / "adapter")
    (folder / "adapter_model.safetensors").write_bytes(content)
    with pytest.raises(WorkbenchError, match="adapter_model.safetensors: broken weights"):
        check(continuing(project, "adapter"))


def test_one_of_a_run_on_another_base_model_is_refused(project: OpenProject) -> None:
    run = create_run(project, ["test"], {"base_model": "f" * 64}, "the template")
    write_adapter(run.checkpoints / "step-7")
    with pytest.raises(WorkbenchError, match="trained on another base model, embedded; set model.base"):
        check(continuing(project, f"{run.id}/step-7"))


def test_one_of_other_special_tokens_is_refused(project: OpenProject) -> None:
    folder = write_adapter(project.folder / "adapter")
    shutil.copy(embedded.FOLDER / "tokenizer.json", folder)
    shutil.copy(embedded.FOLDER / "tokenizer_config.json", folder)
    tokens = open_project(
        project.folder, None, {"training.continue_from": "adapter", "prompt.special_tokens": ["[U]"]}
    )
    adapter = find_adapter(tokens)
    assert adapter is not None
    with pytest.raises(WorkbenchError, match=r"not trained with these special tokens.*\[U\]"):
        require_fit(adapter, tokens)


def test_its_own_settings_are_told_and_its_content_is_part_of_the_run(
    project: OpenProject, trainer: Callable[..., Argv]
) -> None:
    folder = write_adapter(project.folder / "adapter", rank=4)
    opened = continuing(project, "adapter", rank=16, init_lora_weights="pissa")
    run = start(opened, argv=trainer())
    until(lambda: read_status(run).step, "step")
    control.send(run, "stop")
    until(lambda: not is_held(run), "end")
    (said,) = [event["message"] for event in all_events(run) if event["kind"] == "warning"][:1]
    assert said == (
        "goes on from adapter, which has rank = 4, not 16; target_modules = down_proj, q_proj, "
        "not all-linear; its own weights, not init_lora_weights = pissa"
    )
    adapter = find_adapter(opened)
    assert adapter and read_spec(run).fingerprints["adapter"] == adapter_fingerprint(adapter)
    # The run's own [training] counts, whatever the project names by now
    start(project, resume=run, argv=trainer(steps=read_status(run).step + 2))
    until(lambda: not is_held(run), "end")
    other = create_like(run, project)
    (folder / "adapter_config.json").write_text((folder / "adapter_config.json").read_text() + " ")
    with pytest.raises(WorkbenchError, match="the adapter to go on from changed since the run was started"):
        start(project, resume=other, argv=trainer())


def create_like(run: Run, project: OpenProject) -> Run:
    """A run that was started with the same, and has not ended."""
    spec = read_spec(run)
    return create_run(
        continuing(project, spec.project.training.continue_from), ["test"], spec.fingerprints, "the template"
    )
