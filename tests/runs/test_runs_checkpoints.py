"""Checkpoints, killed at every write and rename: what is visible is whole, and the last good one stays."""

import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import WorkbenchError
from workbench.runs import checkpoints as module
from workbench.runs.checkpoints import (
    Checkpoint,
    list_checkpoints,
    newest_whole,
    publish,
    rotate,
    sweep,
    verify,
)
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run

FILES = {"model.safetensors": b"weights" * 1000, "optimizer.pt": b"moments" * 500, "sub/empty": b""}


def fill(run: Run, step: int) -> Path:
    staging = run.checkpoints / f".staging-step-{step}"
    shutil.rmtree(staging, ignore_errors=True)
    for name, content in FILES.items():
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_bytes(content + str(step).encode())
    return staging


def save(run: Run, step: int) -> None:
    publish(fill(run, step), run.checkpoints / f"step-{step}")


def steps(run: Run) -> list[int]:
    return [checkpoint.step for checkpoint in list_checkpoints(run)]


def test_a_published_checkpoint_is_listed_and_verifies(run: Run) -> None:
    for step in (100, 9, 10):
        save(run, step)
    EventWriter(run.events).write("evaluated", step=10, validation_loss=1.0)
    found = list_checkpoints(run)
    assert [(each.step, each.best) for each in found] == [(9, False), (10, True), (100, False)]
    assert found[0].bytes == sum(len(content) + 1 for content in FILES.values())
    for checkpoint in found:
        verify(checkpoint)
    assert not (run.checkpoints / ".staging-step-9").exists()


def test_nothing_but_complete_checkpoints_is_listed(run: Run) -> None:
    save(run, 1)
    fill(run, 2)
    fill(run, 3).rename(run.checkpoints / "step-3")
    (run.checkpoints / "step-x").mkdir()
    (run.checkpoints / "step-4").write_text("a file")
    (run.checkpoints / "step-5").mkdir()
    for manifest in (
        b"",
        b"{",
        b"[]",
        b'{"files": 3}',
        b'{"files": {"a": 1}}',
        b"\xff",
        b'{"files": {"a": {"bytes": "x"}}}',
    ):
        (run.checkpoints / "step-5" / "manifest.json").write_bytes(manifest)
        assert steps(run) == [1]


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_damage_is_seen_and_named(run: Run, name: str) -> None:
    save(run, 1)
    (checkpoint,) = list_checkpoints(run)
    path = checkpoint.path / name
    whole = path.read_bytes()
    if len(whole) > 1:
        path.write_bytes(b"\0" * len(whole))
        with pytest.raises(
            WorkbenchError,
            match=f"{name}: its content has changed"
            if name != "manifest.json"
            else f"{name}: is missing or broken",
        ):
            verify(checkpoint)
    path.write_bytes(whole + b"x")
    with (
        pytest.raises(WorkbenchError, match=name)
        if name != "manifest.json"
        else pytest.raises(WorkbenchError)
    ):
        verify(checkpoint)
    assert steps(run) == []
    path.unlink()
    with pytest.raises(WorkbenchError, match=name):
        verify(checkpoint)
    assert steps(run) == []


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero_the_tail(path: Path) -> None:
    """As a power cut leaves a file whose size was written and whose last blocks were not."""
    whole = path.read_bytes()
    path.write_bytes(whole[: -len(whole) // 2] + bytes(len(whole) - len(whole[: -len(whole) // 2])))


def flip_a_byte(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


DAMAGES = (truncate, zero_the_tail, Path.unlink, flip_a_byte)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_run_goes_on_from_the_newest_whole_checkpoint_and_says_what_is_damaged(
    run: Run, name: str, damage: Callable[[Path], None]
) -> None:
    for step in (8, 9, 10):
        save(run, step)
    assert newest_whole(run)[1] == []
    damage(run.checkpoints / "step-10" / name)
    newest, told = newest_whole(run)
    assert newest is not None and newest.step == 9
    assert len(told) == 1 and name in told[0] and "goes on from step 9" in told[0]
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["step-10-damaged", "step-8", "step-9"]
    # Its step is free again, and the one that was kept aside is in nobody's way
    save(run, 10)
    rotate(run, 1, None)
    newest, told = newest_whole(run)
    assert newest is not None and (newest.step, told, steps(run)) == (10, [], [10])
    flip_a_byte(run.checkpoints / "step-10" / "model.safetensors")
    with pytest.raises(
        WorkbenchError, match="model.safetensors: its content(.|\n)*no checkpoint of this run"
    ):
        newest_whole(run)
    assert (run.checkpoints / "step-10").is_dir()


def test_the_clock_decides_nothing_about_checkpoints(run: Run) -> None:
    """Step 10 was written by a clock that was set back; by name and by time, 9 looks like the newest."""
    for step, seconds in ((9, 2_000_000_000), (10, 1_000_000_000)):
        save(run, step)
        for path in (*(run.checkpoints / f"step-{step}").rglob("*"), run.checkpoints / f"step-{step}"):
            os.utime(path, (seconds, seconds))
    newest, _ = newest_whole(run)
    assert newest is not None and newest.step == 10
    rotate(run, 1, None)
    assert steps(run) == [10]


def test_publishing_never_replaces_a_complete_checkpoint_but_an_incomplete_one(run: Run) -> None:
    save(run, 1)
    before = list_checkpoints(run)[0]
    with pytest.raises(WorkbenchError, match="there already"):
        publish(fill(run, 1), run.checkpoints / "step-1")
    verify(before)
    (before.path / "optimizer.pt").unlink()
    save(run, 1)
    verify(list_checkpoints(run)[0])


@pytest.mark.parametrize(
    ("keep", "best", "left"),
    [(0, None, [1, 2, 9, 10]), (1, None, [10]), (2, None, [9, 10]), (1, 2, [2, 10]), (2, 1, [1, 10]),
     (3, 1, [1, 9, 10]), (3, 10, [2, 9, 10]), (9, 1, [1, 2, 9, 10]), (1, 7, [10])],
)  # fmt: skip
def test_rotation_keeps_the_newest_and_the_best(
    run: Run, keep: int, best: int | None, left: list[int]
) -> None:
    for step in (10, 9, 2, 1):  # neither the order of writing nor of names counts
        save(run, step)
    rotate(run, keep, best)
    assert steps(run) == left
    assert not list(run.checkpoints.glob(".*"))


def test_rotation_counts_complete_checkpoints_only(run: Run) -> None:
    save(run, 1)
    fill(run, 2).rename(run.checkpoints / "step-2")
    rotate(run, 1, None)
    assert steps(run) == [1]


def in_child(work: Callable[[], None], kill_at: int) -> int:
    """Fork, do `work`, and die before the `kill_at`-th file written, renamed or removed; the exit code."""
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    left = kill_at

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        changes = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")
        writes = event == "open" and (arguments[1] or "r") not in ("r", "rb")
        if changes or writes:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(hook)
        work()
    except BaseException:
        os._exit(1)
    os._exit(0)


def test_killed_at_every_write_and_rename_what_is_visible_is_whole(run: Run) -> None:
    """Save step 10 with a limit of one while step 9 is there; then go on from whatever is left."""

    def work() -> None:
        save(run, 10)
        rotate(run, 1, None)

    outcomes = []
    for kill_at in range(100):
        shutil.rmtree(run.checkpoints)
        run.checkpoints.mkdir()
        save(run, 9)
        code = in_child(work, kill_at)
        present = list_checkpoints(run)
        for checkpoint in present:
            verify(checkpoint)
        outcomes.append([checkpoint.step for checkpoint in present])
        assert outcomes[-1] in ([9], [9, 10], [10]), f"killed at {kill_at}"
        sweep(run)
        assert not list(run.checkpoints.glob(".*"))
        save(run, 11)
        rotate(run, 1, None)
        assert steps(run) == [11]
        if code == 0:
            break
        assert code == -signal.SIGKILL
    else:
        pytest.fail("the child never got through")
    assert [9] in outcomes and [9, 10] in outcomes and outcomes[-1] == [10]
    assert len(outcomes) > 10


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_at_any_moment_costs_only_the_new_checkpoint(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    save(run, 9)
    calls = 0
    fail_at = 0

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > fail_at:
                raise OSError(error, os.strerror(error))
            return real(*arguments, **keywords)

        return call

    staging = fill(run, 10)
    with monkeypatch.context() as patch:
        for owner, name in ((os, "fsync"), (Path, "write_text"), (module, "_digest")):
            patch.setattr(owner, name, failing(getattr(owner, name)))
        while True:
            calls = 0
            try:
                publish(staging, run.checkpoints / "step-10")
                break
            except OSError as raised:
                assert raised.errno == error
            present = steps(run)
            # Only the very last call, fsync of the parent, comes after the name: by then it is whole
            assert present == [9] or (present == [9, 10] and fail_at == calls - 1)
            if present == [9, 10]:
                break
            fail_at += 1
    assert fail_at > 8
    for checkpoint in list_checkpoints(run):
        verify(checkpoint)


def test_a_checkpoint_that_cannot_be_removed_ends_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (1, 2, 3):
        save(run, step)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(errno.EACCES, "denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        rotate(run, 1, None)
    assert steps(run) == [1, 2, 3]
    rotate(run, 1, None)
    assert steps(run) == [3]


def test_the_manifest_says_size_and_digest_of_every_file(run: Run) -> None:
    save(run, 1)
    manifest = json.loads((run.checkpoints / "step-1" / "manifest.json").read_text())
    assert manifest["v"] == 1
    assert set(manifest["files"]) == set(FILES)
    assert manifest["files"]["sub/empty"]["bytes"] == 1
    assert all(len(entry["sha256"]) == 64 for entry in manifest["files"].values())


def test_a_checkpoint_object_of_a_removed_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="manifest.json: is missing or broken"):
        verify(Checkpoint(1, tmp_path / "step-1", 0, False))
