"""How a training's process ends: signals at every moment, a full disk, a folder that moves or is removed."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from forked import exit_code

from workbench.engine import train as train_module
from workbench.engine import trainer as trainer_module
from workbench.engine.train_job import run_training
from workbench.project.store import open_project
from workbench.runs.checkpoints import list_checkpoints, newest_whole
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import Run, create_run
from workbench.runs.lock import is_held
from workbench.runs.status import State, read_status

MakeProject = Callable[..., Path]
Patch = pytest.MonkeyPatch


@pytest.fixture
def run(make_project: MakeProject) -> Run:
    folder = make_project(max_steps=4, save_steps=2, data={"validation": 0})
    return create_run(open_project(folder), ["test"], {}, "template")


def ending(run: Run) -> int:
    """The exit code of the training process of `run`, forked."""
    return exit_code(lambda: run_training(run.folder), run.console)


def events(run: Run, kind: str) -> list[dict[str, Any]]:
    found = EventTail(run.events).read(max_records=100_000, max_seconds=60)
    return [event for event in found if event["kind"] == kind]


def steps(run: Run) -> list[int]:
    return [checkpoint.step for checkpoint in list_checkpoints(run)]


def before(patch: Patch, owner: Any, name: str, do: Callable[..., None]) -> None:
    """Have `do` called ahead of every call of `owner.name`, with its positional arguments."""
    real = getattr(owner, name)

    def call(*arguments: Any, **keywords: Any) -> Any:
        do(*arguments)
        return real(*arguments, **keywords)

    patch.setattr(owner, name, call)


def signalled(times: int, number: int = signal.SIGTERM) -> Callable[..., None]:
    """Sends this process `times` signals, once."""
    left = [times]

    def send(*arguments: Any) -> None:
        while left[0]:
            left[0] -= 1
            os.kill(os.getpid(), number)

    return send


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_a_step_lets_it_finish_and_saves(run: Run, monkeypatch: Patch, number: int) -> None:
    before(monkeypatch, trainer_module, "score", signalled(1, number))
    assert ending(run) == 0
    assert (read_status(run).state, read_status(run).step, steps(run)) == (State.STOPPED, 1, [1])
    assert [event["reason"] for event in events(run, "command")] == [f"{number.name} received"]  # type: ignore[attr-defined]
    newest_whole(run)


def test_a_signal_during_a_save_harms_it_not(run: Run, monkeypatch: Patch) -> None:
    before(monkeypatch, trainer_module.Trainer, "_save_rng_state", signalled(1))
    assert ending(run) == 0
    # The save of step 2 is finished, and the step that had begun by the time of the next look as well
    assert (read_status(run).state, steps(run)) == (State.STOPPED, [2, 3])
    newest, damaged = newest_whole(run)
    assert newest is not None and (newest.step, damaged) == (3, [])


@pytest.mark.parametrize(
    ("owner", "name"), [(trainer_module, "score"), (trainer_module.Trainer, "_save_rng_state")]
)
def test_a_second_signal_ends_at_once(run: Run, monkeypatch: Patch, owner: Any, name: str) -> None:
    before(monkeypatch, owner, name, signalled(2))
    assert ending(run) == 0
    status = read_status(run)
    assert (status.state, steps(run)) == (State.STOPPED, [])
    assert "SIGTERM received" in status.reason and "last checkpoint" in status.reason
    monkeypatch.undo()
    assert ending(run) == 0
    assert (read_status(run).state, read_status(run).step) == (State.FINISHED, 4)
    assert not list(run.checkpoints.glob(".*"))


def test_a_signal_before_the_first_step_ends_at_once(run: Run, monkeypatch: Patch) -> None:
    before(monkeypatch, train_module, "encode_project", signalled(1))
    assert ending(run) == 0
    assert (read_status(run).state, steps(run)) == (State.STOPPED, [])


def test_a_signal_cannot_cut_off_the_last_word(run: Run, monkeypatch: Patch) -> None:
    before(monkeypatch, EventWriter, "write_last", signalled(2))
    assert ending(run) == 0
    assert read_status(run).state is State.FINISHED


def test_a_project_that_moves_while_it_trains_takes_the_run_along(
    run: Run, monkeypatch: Patch, tmp_path: Path, tiny_base: Path
) -> None:
    """It keeps its lock, hears commands and writes where the folder is now, and nothing where it was."""
    project, moved = run.folder.parents[1], tmp_path / "moved"

    def move(trainer: Any) -> None:
        if trainer.state.global_step == 2 and project.exists():
            project.rename(moved)
            there = Run(moved / "runs" / run.id)
            assert is_held(there) and read_status(there).state is State.RUNNING
            (there.control / "1-stop.json").write_text('{"v": 1, "name": "stop"}')

    before(monkeypatch, trainer_module.Trainer, "save", move)
    (moved / "console").parent.mkdir()
    moved.rmdir()
    assert exit_code(lambda: run_training(run.folder), tmp_path / "console") == 0
    there = Run(moved / "runs" / run.id)
    assert not project.exists()
    assert (read_status(there).state, steps(there)) == (State.STOPPED, [2, 3])
    assert [event["name"] for event in events(there, "command")] == ["stop"]
    monkeypatch.undo()
    assert exit_code(lambda: run_training(there.folder), tmp_path / "console") == 0
    assert read_status(there).state is State.FINISHED


def test_a_run_whose_folder_is_removed_ends(run: Run, monkeypatch: Patch, tmp_path: Path) -> None:
    """Nobody could see it or stop it; the GPU would be taken for nothing."""
    taken = tmp_path / "taken"

    def remove(*arguments: Any) -> None:
        with taken.open("a") as file:
            file.write("step\n")
        shutil.rmtree(run.folder, ignore_errors=True)

    before(monkeypatch, trainer_module, "score", remove)
    assert exit_code(lambda: run_training(run.folder), tmp_path / "console") == 0
    # Once before the first step, to see that it fits, and in that step
    assert taken.read_text() == "step\nstep\n" and not run.folder.exists()


def test_a_base_model_that_goes_away_meanwhile_takes_nothing_from_the_checkpoints(
    make_project: MakeProject, monkeypatch: Patch, tiny_base: Path
) -> None:
    folder = make_project(model={"base": "base"}, max_steps=1, data={"validation": 0})
    shutil.copytree(tiny_base, folder / "base")
    run = create_run(open_project(folder), ["test"], {}, "template")
    before(
        monkeypatch, trainer_module, "score", lambda *_: shutil.rmtree(folder / "base", ignore_errors=True)
    )
    assert ending(run) == 0
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (run.checkpoints / "step-1" / name).read_bytes() == (tiny_base / name).read_bytes()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "workbench-test", str(disk)]
    done = (
        subprocess.run(mount, capture_output=True, text=True)
        if os.geteuid() == 0 and shutil.which("mount")
        else None
    )
    if done is None or done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip() if done else 'needs root'}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Take every byte that is left."""
    file = os.open(disk / f"filler-{time.monotonic_ns()}", os.O_WRONLY | os.O_CREAT)
    try:
        for size in (65536, 4096, 1):
            try:
                while True:
                    os.write(file, b"x" * size)
            except OSError:
                continue
    finally:
        os.close(file)
    assert shutil.disk_usage(disk).free == 0


def on(disk: Path, make_project: MakeProject, **training: Any) -> Run:
    """A run whose folder lies on `disk`."""
    folder = make_project(data={"validation": 0}, **training)
    (folder / "runs").symlink_to(disk)
    return create_run(open_project(folder), ["test"], {}, "template")


def test_on_a_full_disk_the_run_goes_on_and_keeps_its_old_checkpoint_and_its_events(
    small_disk: Path, make_project: MakeProject, monkeypatch: Patch
) -> None:
    run = on(small_disk, make_project, max_steps=8, save_steps=2)

    def full_from_3_to_6(trainer: Any, *_: Any) -> None:
        if trainer.state.global_step == 2 and trainer.last_saved == 2:
            fill(small_disk)
        if trainer.state.global_step == 7:
            for file in small_disk.glob("filler-*"):
                file.unlink()

    before(monkeypatch, trainer_module.Trainer, "compute_loss", full_from_3_to_6)
    assert ending(run) == 0, events(run, "warning")
    assert (read_status(run).state, steps(run)) == (State.FINISHED, [2, 8])
    newest_whole(run)
    assert [event["step"] for event in events(run, "step")] == list(range(1, 9))
    told = [event["message"] for event in events(run, "warning")]
    assert any("checkpoint of step 4 not written" in message for message in told)
    assert any("the disk did not take" in message for message in told)


def test_a_disk_that_stays_full_to_the_end_is_the_reason_that_is_shown(
    small_disk: Path, make_project: MakeProject, monkeypatch: Patch
) -> None:
    run = on(small_disk, make_project, max_steps=6, save_steps=2)
    before(
        monkeypatch,
        trainer_module.Trainer,
        "compute_loss",
        lambda trainer, *_: fill(small_disk) if trainer.last_saved == 2 else None,
    )
    assert ending(run) == 1
    status = read_status(run)
    assert (status.state, steps(run)) == (State.FAILED, [2])
    assert "step 6, the last one, could not be written" in status.reason
    assert [event["step"] for event in events(run, "step")] == list(range(1, 7))
    for file in small_disk.glob("filler-*"):
        file.unlink()
    monkeypatch.undo()
    assert ending(run) == 0
    assert (read_status(run).state, steps(run)) == (State.FINISHED, [2, 4, 6])
