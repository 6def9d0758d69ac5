"""An export is whole or not there; nothing is overwritten without a word."""

import os
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.exporting.destination import MARKER, clear, publish, require_free, require_room, staging
from workbench.runs.folder import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = tmp_path / "project" / "runs" / "one"
    folder.mkdir(parents=True)
    return Run(folder)


def export_to(to: Path, word: str) -> None:
    with staging(to) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "word").write_text(word)
        (folder / MARKER).write_text("{}")
        publish(folder, to, replace=True)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_it_takes_its_name_when_it_is_whole(tmp_path: Path, run: Run) -> None:
    to = tmp_path / "a" / "b"
    require_free(to, run, replace=False)
    with staging(to) as folder:
        (folder / MARKER).write_text("{}")
        assert not to.exists() and folder.parent == to.parent
        publish(folder, to, replace=True)
    assert names(to.parent) == ["b"] and names(to) == [MARKER]


def test_one_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), staging(tmp_path / "out") as folder:
        (folder / "half").write_text("")
        raise RuntimeError
    assert names(tmp_path) == []


def test_what_was_there_is_replaced_only_at_a_word(tmp_path: Path, run: Run) -> None:
    to = tmp_path / "out"
    export_to(to, "first")
    with pytest.raises(WorkbenchError, match="there is an export already; --replace"):
        require_free(to, run, replace=False)
    require_free(to, run, replace=True)
    export_to(to, "second")
    assert (to / "deep" / "word").read_text() == "second"
    assert names(tmp_path) == ["out", "project"]


def test_two_at_once_do_not_replace_each_other_without_a_word(tmp_path: Path) -> None:
    to = tmp_path / "out"
    with staging(to) as folder:
        (folder / MARKER).write_text("{}")
        export_to(to, "the other one")
        with pytest.raises(WorkbenchError, match="there is an export already"):
            publish(folder, to, replace=False)
    assert (to / "deep" / "word").read_text() == "the other one" and names(tmp_path) == ["out"]


def test_an_empty_folder_is_free(tmp_path: Path, run: Run) -> None:
    (tmp_path / "out").mkdir()
    require_free(tmp_path / "out", run, replace=False)
    export_to(tmp_path / "out", "word")
    assert (tmp_path / "out" / "deep" / "word").is_file()


@pytest.mark.parametrize("replace", [False, True])
def test_what_is_no_export_is_left_alone(tmp_path: Path, run: Run, replace: bool) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years")
    with pytest.raises(WorkbenchError, match="no export of ours"):
        require_free(tmp_path / "home", run, replace)
    with pytest.raises(WorkbenchError, match="a file is in the way"):
        require_free(tmp_path / "home" / "thesis.tex", run, replace)
    with pytest.raises(WorkbenchError, match="inside the run's own folder"):
        require_free(run.checkpoints / "step-3", run, replace)


def test_a_killed_one_is_cleared_away_and_a_living_one_is_not(tmp_path: Path) -> None:
    to = tmp_path / "out"
    dead = tmp_path / ".out.exporting-dead"
    dead.mkdir()
    (dead / "half").write_text("")
    with staging(to) as living:
        assert not dead.exists()
        clear(to)
        assert living.is_dir()
    other = tmp_path / ".other.exporting-dead"
    other.mkdir()
    clear(to)
    assert names(tmp_path) == [other.name]


def test_an_export_that_was_just_put_aside_comes_back(tmp_path: Path) -> None:
    export_to(tmp_path / "out", "first")
    (tmp_path / "out").rename(tmp_path / ".out.replaced-1")  # and killed here
    clear(tmp_path / "out")
    assert (tmp_path / "out" / "deep" / "word").read_text() == "first"
    (tmp_path / ".out.replaced-2").mkdir()
    clear(tmp_path / "out")
    assert names(tmp_path) == ["out"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WorkbenchError, match="cannot be written: .*what was there before"),
        staging(tmp_path / "file" / "out"),
    ):
        pass
    if os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(WorkbenchError, match="Permission denied"), staging(tmp_path / "locked" / "out"):
            pass


def test_a_disk_without_room_is_refused_with_figures(tmp_path: Path) -> None:
    require_room(tmp_path, 1)
    with pytest.raises(WorkbenchError, match=r"the disk has .* GB left, this takes up to 1000000.00 GB"):
        require_room(tmp_path, 10**15)
