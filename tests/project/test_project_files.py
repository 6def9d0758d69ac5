"""write_atomic: the old file or the new one, whole, and nothing beside it."""

import errno
import os
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.project.files import append_line, write_atomic


def test_writes_text_and_bytes_exactly(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", "né\r\n")
    write_atomic(tmp_path / "b", b"\x00\xff")
    assert (tmp_path / "a").read_bytes() == "né\r\n".encode()
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_keeps_the_mode_and_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomic(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
def test_a_full_disk_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    file = tmp_path / "project.toml"
    file.write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(WorkbenchError, match=r"No space left on device; free some space"):
            write_atomic(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
    write_atomic(tmp_path / "a", "0123456789")
    assert (tmp_path / "a").read_text() == "0123456789"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="the folder is missing"):
        write_atomic(tmp_path / "gone" / "a", "x")


def test_lines_are_appended_whole(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append_line(log, '{"a": 1}')
    append_line(log, '{"b": "好\ud800"}')
    assert log.read_text("utf-8") == '{"a": 1}\n{"b": "好?"}\n'
    log.write_text('{"half')
    append_line(log, '{"c": 3}')
    assert log.read_text() == '{"half\n{"c": 3}\n', "half a line stays one of its own"
    with pytest.raises(WorkbenchError, match="the folder is missing"):
        append_line(tmp_path / "none" / "log.jsonl", "x")
