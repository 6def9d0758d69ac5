"""Nothing is sent that was not asked for, and nothing to a public place."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from workbench.errors import WorkbenchError
from workbench.exporting.push import parcel, push, require_name


class Hub:
    """Stands in for `HfApi`; keeps what it was asked."""

    calls: list[tuple[str, dict[str, Any]]]
    private = True

    def create_repo(self, name: str, **more: Any) -> str:
        self.calls.append(("create", {"name": name, **more}))
        return f"https://hub/{name}"

    def repo_info(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(private=self.private)

    def upload_folder(self, **more: Any) -> None:
        self.calls.append(("upload", more))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> type[Hub]:
    Hub.calls, Hub.private = [], True
    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    return Hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "weights").write_bytes(bytes(1_500_000))
    return tmp_path / "out"


def test_it_goes_to_a_private_repository(hub: type[Hub], folder: Path) -> None:
    said: list[str] = []
    it = parcel(folder, "me/model")
    assert str(it) == "1 files, 1.5 MB, to the private repository me/model of the hub"
    assert not hub.calls
    assert push(it, said.append) == "https://hub/me/model" and str(it) in said[-1]
    assert hub.calls == [
        ("create", {"name": "me/model", "private": True, "exist_ok": True}),
        ("upload", {"repo_id": "me/model", "folder_path": folder}),
    ]


def test_a_public_repository_gets_nothing(hub: type[Hub], folder: Path) -> None:
    hub.private = False
    with pytest.raises(WorkbenchError, match="there already, and public"):
        push(parcel(folder, "me/model"), lambda doing: None)
    assert [name for name, _ in hub.calls] == ["create"]


def test_what_the_hub_says_is_told(hub: type[Hub], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Hub, **more: Any) -> None:
        raise ValueError("401 who are you\nmore")

    monkeypatch.setattr(Hub, "upload_folder", refuse)
    with pytest.raises(WorkbenchError, match="did not take it: 401 who are you; .*the export itself is"):
        push(parcel(folder, "me/model"), lambda doing: None)


@pytest.mark.parametrize("name", ["model", "me/", "/", "me/mo del", "../x/y"])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(WorkbenchError, match="it reads owner/name"):
        require_name(name)
