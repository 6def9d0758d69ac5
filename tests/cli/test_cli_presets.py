"""`presets` and `import-config` as their users call them; `new` with the preset of the base model's size."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from workbench.project.store import open_project
from workbench.project.training import PRESETS

Workbench = Callable[..., subprocess.CompletedProcess[str]]
CONFIGS = Path(__file__).parents[1] / "project" / "configs"


def test_list_show_compare(workbench: Workbench, folder: Path) -> None:
    listed = workbench("presets")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(PRESETS)
    shown = workbench("presets", "typhoon")
    assert "rank = 64                           # notebook: r = 64" in shown.stdout
    as_json = json.loads(workbench("presets", "typhoon", "--json").stdout)
    assert (
        as_json["values"]["training.rank"] == 64 and as_json["sources"]["training.rank"] == "notebook: r = 64"
    )
    unknown = workbench("presets", "typhon")
    assert unknown.returncode == 2 and "did you mean typhoon?" in unknown.stderr
    compared = workbench("presets", "--project", str(folder), "--set", "training.preset=typhoon")
    assert "5 differ from preset typhoon" in compared.stderr
    assert "training.per_device_train_batch_size = 2   preset typhoon 4   notebook: 4" in compared.stdout
    both = workbench("presets", "typhoon", "--project", str(folder))
    assert both.returncode == 2 and "--set training.preset=typhoon" in both.stderr


def test_new_projects_begin_with_the_preset_of_their_size(workbench: Workbench, tmp_path: Path) -> None:
    made = workbench("new", "one", "--base", "Qwen/Qwen3-0.6B")
    assert "preset up-to-1b: by its name the base model has 0.6 billion parameters" in made.stderr
    assert 'preset = "up-to-1b"' in (tmp_path / "one" / "project.toml").read_text()
    workbench("new", "two", "--preset", "typhoon")
    settings = open_project(tmp_path / "two").settings
    assert (settings.training.rank, settings.data.validation, settings.data.max_tokens) == (64, 0.0, 1024)
    wrong = workbench("new", "three", "--preset", "typhon")
    assert wrong.returncode == 2 and "did you mean typhoon?" in wrong.stderr
    assert not (tmp_path / "three").exists()


def test_import_prints_toml_and_a_note_on_each(workbench: Workbench) -> None:
    done = workbench("import-config", str(CONFIGS / "damaged.sh"))
    assert done.returncode == 0 and "rank = 32                           # lora_r" in done.stdout
    assert "= damaged.sh:14 lora_r = 32 -> training.rank = 32   read from `--lora r`" in done.stderr
    assert "? damaged.sh:29 lerning_rate = 7   unknown, did you mean learning_rate?" in done.stderr
    assert "+ qlora.py's default -> training.max_steps = 10000" in done.stderr
    typed = workbench("import-config", "--json", "--", "python", "qlora.py", "--lora_r", "8", "--bits", "4")
    assert json.loads(typed.stdout)["settings"]["training.rank"] == 8
    piped = workbench("import-config", "-", "--from", "trl", input="lora_r: 8\nuse_peft: true\n")
    assert "# Read as settings of TRL." in piped.stdout
    wrong = workbench("import-config", "-", input="lora_r: x\n")
    assert wrong.returncode == 2 and "stdin:1: lora_r: not a whole number: 'x'" in wrong.stderr


def test_import_into_a_project_keeps_its_comments(workbench: Workbench, folder: Path) -> None:
    file = folder / "project.toml"
    file.write_text("# mine\n" + file.read_text())
    done = workbench("import-config", str(CONFIGS / "trl.yaml"), "--into", str(folder))
    assert done.returncode == 0 and "written to" in done.stderr and not done.stdout
    settings = open_project(folder).settings
    assert (settings.training.rank, settings.model.base) == (32, "Qwen/Qwen3-0.6B")
    assert settings.training.max_steps == 0, "TRL goes by epochs where nothing is said"
    assert file.read_text().startswith("# mine\n")
    again = workbench("import-config", str(CONFIGS / "trl.yaml"), "--into", str(folder))
    assert "nothing: it is all so already" in again.stderr
    file.write_text("name = \n")
    refused = workbench("import-config", str(CONFIGS / "trl.yaml"), "--into", str(folder))
    assert refused.returncode == 2 and file.read_text() == "name = \n"
