"""Presets: the literal figures of five projects, and a layer between the defaults and project.toml."""

from pathlib import Path
from typing import Any, get_args

import pytest

from workbench.errors import WorkbenchError
from workbench.project.fields import own_settings, usual, validate_changes
from workbench.project.preset import FOLDER, SECTIONS, Preset, defaults, differences, known_preset, presets
from workbench.project.schema import Project
from workbench.project.store import open_project, save_settings
from workbench.project.training import PRESETS, PresetName

SEVEN = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
FIKA_1 = {
    "model.quantization": "nf4",
    "data.max_tokens": 2048,
    "data.train_on": "assistant",
    "training.rank": 16,
    "training.alpha": 16,
    "training.dropout": 0.0,
    "training.target_modules": SEVEN,
    "training.per_device_train_batch_size": 2,
    "training.gradient_accumulation_steps": 4,
    "training.warmup_steps": 5,
    "training.max_steps": 60,
    "training.learning_rate": 2e-4,
    "training.lr_scheduler_type": "linear",
    "training.optim": "adamw_8bit",
    "training.weight_decay": 0.01,
    "training.logging_steps": 1,
    "training.packing": "none",
    "training.seed": 3407,
}
LITERAL: dict[str, dict[str, Any]] = {
    "vietnamese-davinci": {
        "training.num_train_epochs": 10,
        "training.per_device_train_batch_size": 8,
        "training.eval_steps": 8,
        "training.logging_steps": 1,
    },
    "fika-task-1": FIKA_1,
    "fika-task-2": FIKA_1
    | {
        "training.rank": 32,
        "training.alpha": 32,
        "training.learning_rate": 5e-4,
        "training.lr_scheduler_type": "cosine",
        "training.gradient_accumulation_steps": 8,
    },
    "emotion": {
        "model.quantization": "nf4",
        "model.attn_implementation": "flash_attention_2",
        "data.max_tokens": 4096,
        "training.rank": 16,
        "training.alpha": 16,
        "training.dropout": 0.1,
        "training.target_modules": SEVEN,
        "training.modules_to_save": ["lm_head", "embed_tokens"],
        "training.use_rslora": True,
        "training.neftune_noise_alpha": 0.0,
        "training.num_train_epochs": 2,
        "training.learning_rate": 2e-4,
        "training.lr_scheduler_type": "constant",
        "training.warmup_steps": 0.03,
        "training.weight_decay": 0.001,
        "training.max_grad_norm": 0.3,
        "training.per_device_train_batch_size": 4,
        "training.gradient_accumulation_steps": 1,
        "training.optim": "paged_adamw_32bit",
        "training.precision": "bf16",
        "training.gradient_checkpointing": True,
        "training.logging_steps": 25,
        "training.save_steps": 25,
        "training.save_total_limit": 5,
        "training.seed": 37710,
    },
    "typhoon": {
        "model.quantization": "nf4",
        "model.double_quantization": False,
        "model.compute_dtype": "bf16",
        "data.max_tokens": 1024,
        "data.train_on": "all",
        "training.rank": 64,
        "training.alpha": 16,
        "training.dropout": 0.1,
        "training.target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj"],
        "training.num_train_epochs": 1,
        "training.per_device_train_batch_size": 4,
        "training.gradient_accumulation_steps": 1,
        "training.optim": "paged_adamw_32bit",
        "training.learning_rate": 2e-4,
        "training.lr_scheduler_type": "constant",
        "training.warmup_steps": 0.03,
        "training.weight_decay": 0.001,
        "training.max_grad_norm": 0.3,
        "training.logging_steps": 1,
        "training.save_steps": 50,
        "training.packing": "none",
    },
    "classical-chinese": {
        "model.quantization": "nf4",
        "model.double_quantization": True,
        "model.compute_dtype": "fp32",
        "data.validation": 1024,
        "data.max_prompt_tokens": 128,
        "data.max_answer_tokens": 128,
        "data.overlong": "truncate",
        "training.rank": 64,
        "training.alpha": 16,
        "training.dropout": 0.01,
        "training.target_modules": "all-linear",
        "training.learning_rate": 3e-4,
        "training.lr_scheduler_type": "constant",
        "training.warmup_steps": 0.03,
        "training.optim": "paged_adamw_32bit",
        "training.adam_beta2": 0.999,
        "training.weight_decay": 0.0,
        "training.max_grad_norm": 0.3,
        "training.max_steps": 10000,
        "training.per_device_train_batch_size": 1,
        "training.gradient_accumulation_steps": 16,
        "training.gradient_checkpointing": True,
        "training.logging_steps": 50,
        "training.eval_steps": 50,
        "training.save_steps": 500,
        "training.save_total_limit": 40,
        "training.seed": 42,
        "training.data_seed": 42,
    },
}


@pytest.mark.parametrize("name", LITERAL)
def test_literal_figures_of_the_projects(name: str) -> None:
    settings = defaults(name).model_dump()
    found = {key: settings[key.split(".")[0]][key.split(".")[1]] for key in LITERAL[name]}
    assert found == LITERAL[name]


@pytest.mark.parametrize("each", presets(), ids=lambda each: each.name)
def test_each_value_has_a_source_and_its_place(each: Preset) -> None:
    assert each.about and set(each.tree) <= set(SECTIONS)
    assert all(each.sources.get(key) for key in each.values)
    assert not {"model.base", "data.source", "training.preset"} & set(each.values)
    assert defaults(each.name).training.preset == each.name
    assert differences(defaults(each.name)) == []


def test_there_is_a_file_for_each_name() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(PRESETS)
    assert get_args(PresetName) == ("none", *PRESETS)


def project(folder: Path, text: str, **layers: Any) -> Any:
    (folder / "project.toml").write_text(text)
    return open_project(folder, **layers)


OWN = """\
name = "x"
[training]
preset = "fika-task-1"
rank = 8
[profile.other]
training.preset = "fika-task-2"
training.alpha = 64
"""


def test_defaults_preset_file_profile_set(tmp_path: Path) -> None:
    plain = project(tmp_path, OWN).settings.training
    assert (plain.rank, plain.alpha, plain.optim, plain.save_steps) == (8, 16, "adamw_8bit", 50)
    other = open_project(tmp_path, "other").settings.training
    assert (other.rank, other.alpha, other.learning_rate) == (8, 64, 5e-4)
    laid = open_project(tmp_path, "other", {"training.preset": "typhoon", "training.alpha": 4}).settings
    assert (laid.training.rank, laid.training.alpha, laid.training.dropout) == (8, 4, 0.1)
    assert laid.model.quantization == "nf4" and laid.data.train_on == "all"
    none = open_project(tmp_path, overrides={"training.preset": "none"}).settings
    assert (none.training.rank, none.training.alpha, none.model.quantization) == (8, 32, "none")


def test_a_key_that_is_taken_out_follows_the_preset(tmp_path: Path) -> None:
    opened = project(tmp_path, OWN)
    assert own_settings(opened) == {"training.preset", "training.rank"}
    saved = save_settings(opened, {"training.rank": None, "training.preset": "fika-task-2"})
    assert saved.settings.training.rank == 32
    assert 'preset = "fika-task-2"' in saved.text and "rank" not in saved.text


@pytest.mark.parametrize(
    ("text", "layers", "problem"),
    [
        ('preset = "fika-task1"', {}, "project.toml:3: training.preset: must be one of none"),
        ('preset = "emotoin"', {}, "did you mean emotion?"),
        ("preset = 3", {}, "project.toml:3: training.preset"),
        (
            'preset = "typhoon"\nmethod = "full"',
            {},
            "project.toml:4: training.method: model.quantization of preset typhoon: nf4 weights cannot be",
        ),
        ('method = "full"', {"overrides": {"training.preset": "typhoon"}}, "--set training.preset=typhoon"),
        (
            'preset = "typhoon"',
            {"overrides": {"training.method": "full"}},
            "--set training.method=full: model.quantization of preset typhoon: nf4 weights cannot",
        ),
        (
            'method = "full"\n[profile.p]\ntraining.preset = "typhoon"',
            {},
            "project.toml:5: profile.p.training.preset: model.quantization of preset typhoon: nf4",
        ),
    ],
)
def test_faults_have_their_place(tmp_path: Path, text: str, layers: Any, problem: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        project(tmp_path, f'name = "x"\n[training]\n{text}\n', **layers)
    assert problem in str(caught.value)
    assert len(caught.value.problems) == 1, "told once"


def test_a_form_hears_of_what_a_preset_does(tmp_path: Path) -> None:
    opened = project(tmp_path, 'name = "x"\n[training]\nmethod = "full"\n')
    assert validate_changes(opened, {"training.preset": "up-to-1b"}) == []
    assert [p.where for p in validate_changes(opened, {"training.preset": "typhoon"})] == ["training.preset"]


def test_usual_values_and_differences() -> None:
    assert usual("none")["training.rank"].preset == ""
    said = usual("typhoon")["training.rank"]
    assert (said.value, said.preset, said.source) == (64, "typhoon", "notebook: r = 64")
    tree = defaults("typhoon").model_dump()
    tree["training"] |= {"rank": 8, "use_dora": True}
    tree["model"] |= {"base": "other"}
    found = differences(Project.model_validate(tree))
    assert [(each.key, each.value, each.default) for each in found] == [
        ("training.rank", 8, 64),
        ("training.use_dora", True, False),
    ]


def test_an_unknown_name_has_the_nearest() -> None:
    with pytest.raises(WorkbenchError, match="--preset: no preset 'typhon'; did you mean typhoon"):
        known_preset("typhon", "--preset")
    with pytest.raises(WorkbenchError, match="there are up-to-100m"):
        known_preset("?", "")
