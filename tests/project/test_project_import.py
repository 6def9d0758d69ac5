"""Settings of other tools: what they become; nothing is swallowed, and no text breaks the reader."""

from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.project.checking import faults
from workbench.project.fields import usual
from workbench.project.importing.names import NOT_HERE, OURS
from workbench.project.importing.toml_text import as_toml
from workbench.project.importing.tools import KNOWN, TOOLS
from workbench.project.importing.translate import Imported, import_file, import_text, import_words
from workbench.project.store import open_project

CONFIGS = Path(__file__).parent / "configs"


def told(imported: Imported) -> dict[str, Any]:
    return {setting.key: setting.value for setting in imported.telling}


def remark(imported: Imported, name: str) -> str:
    return next(note.remark for note in imported.notes if note.given.startswith(name))


def test_a_damaged_qlora_command() -> None:
    imported = import_file(CONFIGS / "damaged.sh")
    assert imported.tool == "qlora.py"
    assert told(imported) == {
        "model.quantization": "nf4",
        "data.validation": 512,
        "data.overlong": "truncate",
        "data.max_tokens": 384,
        "data.max_prompt_tokens": 256,
        "data.max_answer_tokens": 128,
        "training.rank": 32,
        "training.alpha": 16,
        "training.dropout": 0.05,
        "training.learning_rate": 1e-4,
        "training.lr_scheduler_type": "constant",
        "training.warmup_steps": 0.03,
        "training.optim": "paged_adamw_32bit",
        "training.weight_decay": 0.0,
        "training.max_grad_norm": 0.3,
        "training.max_steps": 10000,
        "training.per_device_train_batch_size": 1,
        "training.gradient_accumulation_steps": 8,
        "training.seed": 7,
        "training.data_seed": 7,
        "training.precision": "fp32",
        "training.gradient_checkpointing": True,
        "training.logging_steps": 25,
        "training.eval_steps": 25,
        "training.save_steps": 200,
        "training.save_total_limit": 40,
    }
    assert imported.changes["model.double_quantization"] is True, "its default, which is ours as well"
    assert "read from `-- Ir scheduler type`" in remark(imported, "lr_scheduler_type")
    assert "read from `--lora r`" in remark(imported, "lora_r")
    assert "swallows it" in remark(imported, "lora_modules")
    assert "fake dips" in remark(imported, "group_by_length")
    assert "every logging_steps" in remark(imported, "evaluation_strategy")
    assert "did you mean learning_rate" in remark(imported, "lerning_rate")
    assert "no such folder" in remark(imported, "model_name_or_path")
    unasked = {note.became for note in imported.notes if note.given == "qlora.py's default"}
    assert {"training.max_steps = 10000", "training.per_device_train_batch_size = 1"} <= unasked
    assert "training.gradient_accumulation_steps = 16" not in unasked


def test_the_same_command_undamaged_says_the_same() -> None:
    words = "qlora.py --bits 4 --lora_r 64 --lr_scheduler_type constant --learning-rate=2e-4 --do_eval --bf16"
    damaged = "qlora.py \u2013bits 4 \u2014lora r 64 -- Ir scheduler type constant --learning rate=2e-4"
    damaged += " --do eval --bf16"
    clean, mended = import_words(words.split()), import_words(damaged.split())
    assert clean.changes == mended.changes
    assert clean.changes["training.precision"] == "bf16"
    assert not any("read from" in note.remark for note in clean.notes)


def test_trl_yaml() -> None:
    imported = import_file(CONFIGS / "trl.yaml")
    assert imported.tool == "TRL"
    assert (
        told(imported).items()
        >= {
            "model.base": "Qwen/Qwen3-0.6B",
            "model.quantization": "nf4",
            "model.double_quantization": False,
            "data.max_tokens": 2048,
            "data.train_on": "assistant",
            "training.method": "lora",
            "training.rank": 32,
            "training.dropout": 0.05,
            "training.learning_rate": 1e-4,
            "training.warmup_steps": 0.1,
            "training.packing": "bfd",
            "training.eval_steps": 50,
            "training.gradient_checkpointing": True,
        }.items()
    )
    assert told(imported)["training.target_modules"] == ["q_proj", "v_proj"]
    assert "training.save_steps" not in told(imported) and "once an epoch" in remark(
        imported, "save_strategy"
    )


def test_trl_trains_every_weight_and_every_turn_where_nothing_is_said() -> None:
    imported = import_text("dataset_name: x\nlora_r: 8\nload_in_4bit: true\n", "a.yaml")
    assert told(imported)["training.method"] == "full" and told(imported)["data.train_on"] == "all"
    assert "model.quantization" not in imported.changes
    assert "quantized ones cannot" in remark(imported, "load_in_4bit")
    assert any("lora_* do nothing" in note.remark for note in imported.notes)


def test_llama_factory_yaml() -> None:
    imported = import_file(CONFIGS / "llama_factory.yaml")
    assert imported.tool == "LLaMA-Factory"
    assert (
        told(imported).items()
        >= {
            "model.attn_implementation": "flash_attention_2",
            "data.validation": 0.1,
            "data.max_tokens": 2048,
            "data.train_on": "last",
            "training.rank": 16,
            "training.target_modules": "all-linear",
            "training.init_lora_weights": "pissa_niter_16",
            "training.eval_steps": 500,
        }.items()
    )
    assert imported.changes["training.alpha"] == 32, "twice the rank"


def test_axolotl_yaml() -> None:
    imported = import_file(CONFIGS / "axolotl.yml")
    assert imported.tool == "Axolotl"
    assert (
        told(imported).items()
        >= {
            "model.quantization": "nf4",
            "data.validation": 0.05,
            "data.max_tokens": 4096,
            "training.alpha": 16,
            "training.optim": "adamw_8bit",
            "training.learning_rate": 2e-4,
            "training.warmup_steps": 10,
            "training.per_device_train_batch_size": 2,
            "training.num_train_epochs": 4,
            "training.packing": "bfd",
            "training.precision": "auto",
        }.items()
    )
    assert imported.changes["data.overlong"] == "drop"


def test_the_python_of_a_notebook_is_looked_at() -> None:
    imported = import_file(CONFIGS / "notebook.txt")
    assert (
        told(imported).items()
        >= {
            "model.base": "unsloth/Llama-3.2-3B-Instruct",
            "model.quantization": "nf4",
            "model.compute_dtype": "fp16",
            "data.max_tokens": 2048,
            "training.rank": 64,
            "training.max_steps": 60,
            "training.seed": 3407,
        }.items()
    )
    assert any(
        "is_bfloat16_supported" in note.given and "no constant" in note.remark for note in imported.notes
    )


@pytest.mark.parametrize("file", sorted(CONFIGS.iterdir()), ids=lambda file: file.name)
def test_nothing_is_swallowed_and_the_toml_is_a_project(file: Path, tmp_path: Path) -> None:
    imported = import_file(file)
    assert all(note.became or note.remark for note in imported.notes)
    text = as_toml(imported)
    (tmp_path / "project.toml").write_text('name = "x"\n' + text)
    opened = open_project(tmp_path).settings.model_dump()
    for key, value in told(imported).items():
        section, name = key.split(".")
        assert opened[section][name] == value, key
    assert str(tomlkit.parse(text)["training"]["rank"]) == str(told(imported)["training.rank"])


def test_every_option_of_a_file_has_a_note() -> None:
    lines = {note.where for note in import_file(CONFIGS / "damaged.sh").notes if note.where}
    assert lines == {f"damaged.sh:{n}" for n in range(2, 32)}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.sh", "python qlora.py \\\n --lora_r many\n", "a.sh:2: lora_r: not a whole number: 'many'"),
        ("a.sh", "qlora.py\n --learning_rate -1\n", "a.sh:2: learning_rate: must be above 0, not -1"),
        ("a.yaml", "x: 1\nlora_r: 1.5\n", "a.yaml:2: lora_r: not a whole number: 1.5"),
        ("a.yaml", "x: [1,\n", "a.yaml:2: not YAML"),
        ("a.yaml", "- 1\n", "a.yaml: not a YAML mapping"),
        ("a.yaml", "x: !!python/object/apply:os.system [ls]\n", "a.yaml:1: an object, not a value"),
        ("a.yaml", "x: " + "[" * 5000, "a.yaml"),
        ("a.py", "x = (\n", "a.py:1: not Python"),
        ("a.py", "x = 1\n", "no settings in it"),
        ("a.sh", "python train.py\n", "a.sh"),
        ("a.txt", "", "a.txt: not a YAML mapping"),
        ("a.yaml", "x" * 300_000, "no configuration is that long"),
    ],
)
def test_faults_have_their_place(name: str, text: str, problem: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        import_text(text, name)
    assert problem in str(caught.value)


def test_a_bomb_of_aliases_is_bounded() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(WorkbenchError, match="aliases make too much"):
        import_text("\n".join(lines), "bomb.yaml")
    loop = "a: &a [*a]\n"
    with pytest.raises(WorkbenchError, match="aliases make too much"):
        import_text(loop, "loop.yaml")


def test_given_twice_the_last_counts_and_both_are_told() -> None:
    imported = import_words(["qlora.py", "--lora_r", "8", "--lora_r", "4"])
    assert imported.changes["training.rank"] == 4
    assert [n.remark for n in imported.notes if n.given.startswith("lora_r")] == [
        "given again below, which counts",
        "",
    ]


def test_names_are_ours_and_no_name_is_both() -> None:
    assert set(OURS.values()) <= set(usual("none"))
    assert not set(OURS) & set(NOT_HERE)
    for tool in TOOLS.values():
        assert set(tool.defaults) <= KNOWN, tool.name


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("training.lora_r", "did you mean training.rank?"),
        ("training.lora_alpha", "did you mean training.alpha?"),
        ("training.max_seq_length", "did you mean data.max_tokens?"),
        ("max_seq_length", "did you mean data.max_tokens?"),
        ("training.evaluation_strategy", "did you mean training.eval_steps?"),
        ("training.batch_size", "did you mean training.per_device_train_batch_size?"),
        ("training.group_by_length", "fake dips"),
    ],
)
def test_old_names_in_a_project_are_called_by_ours(tmp_path: Path, key: str, problem: str) -> None:
    (tmp_path / "project.toml").write_text('name = "x"\n')
    with pytest.raises(WorkbenchError, match=problem.replace("?", r"\?")):
        open_project(tmp_path, overrides={key: 1})
    (tmp_path / "project.toml").write_text(f'name = "x"\n{key} = 1\n')
    with pytest.raises(WorkbenchError, match=f"project.toml:2: {key}: .*{problem.replace('?', '.')}"):
        open_project(tmp_path)


_NAMES = st.sampled_from(sorted(KNOWN))
_VALUES = st.one_of(
    st.sampled_from(
        ["4", "-1", "1e-4", "true", "no", "nan", "1e999", "9" * 50, "[a, b]", "{a: 1}", "'x'", ""]
    ),
    st.text(max_size=8),
)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(_NAMES, _VALUES), max_size=8),
    st.sampled_from([("a.yaml", "{}: {}"), ("a.sh", "--{} {} \\"), ("a.py", "TrainingArguments({}={})")]),
    st.sampled_from(["", *TOOLS]),
)
def test_any_settings_are_a_project_or_a_problem(
    pairs: list[tuple[str, str]], form: tuple[str, str], tool: str
) -> None:
    text = "\n".join(form[1].format(*pair) for pair in pairs)
    try:
        imported = import_text(text, form[0], tool)
    except WorkbenchError as e:
        assert e.problems
        return
    tree: dict[str, Any] = {"name": "x"}
    for key, value in imported.changes.items():
        section, name = key.split(".")
        tree.setdefault(section, {})[name] = value
    assert faults(tree) == []
    assert tomlkit.parse(as_toml(imported))


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(st.text(), st.text("-= \n:{}[]&*!\"'#\\lora_r1").map(lambda text: text * 3)),
    st.sampled_from(["a.yaml", "a.sh", "a.py", "a"]),
)
def test_any_text_is_read_or_refused(text: str, name: str) -> None:
    try:
        as_toml(import_text(text, name))
    except WorkbenchError as e:
        assert e.problems
