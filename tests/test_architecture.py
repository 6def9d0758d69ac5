"""The walls of the house: imports go down only, and the light rooms never wake torch."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "datasets", "trl", "peft", "bitsandbytes", "accelerate")
LIGHT_ROOMS = (
    "project",
    "data",
    "prompts",
    "runs",
    "chat",
    "exporting",
    "evaluation",
    "reports",
    "machine",
    "ui",
    "cli",
)


def modules(room: str) -> list[str]:
    files = sorted((ROOT / "workbench" / room).rglob("*.py"))
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files
    ]


def loaded_after(statement: str) -> set[str]:
    """Top-level modules in `sys.modules` of a fresh interpreter after `statement`."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("room", LIGHT_ROOMS)
def test_light_room_imports_nothing_heavy(room: str) -> None:
    listed = modules(room)
    assert listed, f"no modules in {room}"
    assert loaded_after("import " + ", ".join(listed)).isdisjoint(HEAVY)


def test_version_imports_neither_screen_nor_schema() -> None:
    code = "import workbench.cli as cli\ntry: cli.main(['--version'])\nexcept SystemExit: pass"
    assert loaded_after(code).isdisjoint({"textual", "rich", "pydantic", "numpy", *HEAVY})


def test_screen_imports_no_numbers_before_it_is_needed() -> None:
    """numpy, pyarrow and plotext cost 70 to 160 ms each: they come after the first frame."""
    assert loaded_after("import workbench.ui.app").isdisjoint({"numpy", "pyarrow", "plotext", "tokenizers"})


def test_engine_draws_nothing() -> None:
    loaded = loaded_after("import workbench.engine.train_job, workbench.engine.chat_server")
    assert loaded.isdisjoint({"textual", "plotext"})


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
