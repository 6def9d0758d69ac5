"""Finding base models, and what is wrong with the ones that cannot be used."""

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.project.base_model import locate
from workbench.project.weights import check_model_files

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def safetensors(data: int = 4) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * data


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "small"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(safetensors())
    return folder


def refused(folder: Path, weights: bool = True) -> list[str]:
    with pytest.raises(WorkbenchError) as caught:
        locate(str(folder), Path("/nowhere"), weights=weights)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_a_folder_is_found_from_the_project_or_absolute(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate("models/small", model.parent.parent).folder == model
    assert locate(str(model), Path("/nowhere")).name == str(model)
    monkeypatch.setenv("HOME", str(model.parent))
    assert locate("~/small", Path("/nowhere")).folder == model


def test_a_git_lfs_pointer_in_place_of_weights(model: Path) -> None:
    (model / "model.safetensors").write_text(POINTER)
    (model / "tokenizer.json").write_text(POINTER)
    assert refused(model) == [
        f"tokenizer.json: a git-lfs pointer in place of the file; run `git lfs pull` in {model}",
        f"model.safetensors: a git-lfs pointer in place of the file; run `git lfs pull` in {model}",
    ]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.ckpt"])
def test_weights_that_can_run_code_are_refused_by_name(model: Path, name: str) -> None:
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(b"x")
    (problem,) = refused(model)
    assert f"weights only as {name}" in problem
    assert ".safetensors" in problem
    assert locate(str(model), model, weights=False).folder == model


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cut short: 0 bytes"),
        (safetensors(2), f"cut short: {len(safetensors()) - 2} of {len(safetensors())} bytes"),
        (b"<html>not found</html>" * 9, "not a safetensors file"),
        ((5).to_bytes(8, "little") + b"[1,2]", "its header cannot be read"),
    ],
)
def test_broken_weights(model: Path, content: bytes, told: str) -> None:
    (model / "model.safetensors").write_bytes(content)
    (problem,) = refused(model)
    assert problem.startswith("model.safetensors: ")
    assert told in problem


def test_other_files_of_a_training_are_no_weights(model: Path) -> None:
    (model / "model.safetensors").unlink()
    (model / "training_args.bin").write_bytes(b"x")
    assert refused(model) == [f"{model}: no weights: there is no .safetensors file"]


def test_missing_shards_are_all_named(model: Path) -> None:
    names = {f"layer{i}": f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    (model / names["layer2"]).write_bytes(safetensors())
    assert [problem.split(":")[0] for problem in refused(model)] == [names["layer1"], names["layer3"]]


def test_what_is_not_a_model(model: Path, tmp_path: Path) -> None:
    (model / "config.json").unlink()
    assert "has no config.json" in refused(model, weights=False)[0]
    (model / "adapter_config.json").write_text("{}")
    assert "is an adapter" in refused(model)[0]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert [
        word in problem
        for word, problem in zip(("config", "tokenizer", "weights"), refused(empty), strict=True)
    ]
    with pytest.raises(WorkbenchError, match="is a file, not a folder"):
        locate("models/small/tokenizer.json", tmp_path)


@pytest.mark.parametrize(
    "base", ["./models/none", "/none", "a/b/c", "~nobody-of-that-name/x", "x\0y", "y" * 5000, "org/"]
)
def test_no_such_folder(tmp_path: Path, base: str) -> None:
    with pytest.raises(WorkbenchError, match=r"model\.base: "):
        locate(base, tmp_path)


def hub(
    monkeypatch: pytest.MonkeyPatch, cached: Path | None, fetched: Path | Exception | None = None
) -> list[dict[str, Any]]:
    """Stand in for the hub's client; returns the calls that would have gone out."""
    calls: list[dict[str, Any]] = []

    def snapshot_download(repo: str, **arguments: Any) -> str:
        if arguments.get("local_files_only"):
            if cached is None:
                raise LocalEntryNotFoundError("not here")
            return str(cached)
        calls.append({"repo": repo, **arguments})
        if isinstance(fetched, Exception):
            raise fetched
        return str(fetched)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return calls


def test_the_hubs_cache(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = hub(monkeypatch, model)
    assert locate("org/small", Path("/nowhere"), download=True).folder == model
    assert calls == []


def test_an_absent_model_is_fetched_only_when_asked(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = hub(monkeypatch, None, model)
    with pytest.raises(
        WorkbenchError, match="no base model 'org/small': no such folder, and not in the hub's cache"
    ):
        locate("org/small", Path("/nowhere"))
    assert calls == []
    assert locate("org/small", Path("/nowhere"), download=True).folder == model
    assert "*.safetensors" in calls[0]["allow_patterns"]
    assert not any(".bin" in pattern for pattern in calls[0]["allow_patterns"])


def test_an_incomplete_copy_is_completed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = tmp_path / "partial"
    partial.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (partial / name).write_text("{}")
    calls = hub(monkeypatch, partial, model)
    assert locate("org/small", Path("/nowhere"), weights=False).folder == partial
    assert locate("org/small", Path("/nowhere"), weights=True, download=True).folder == model
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionError("Name or service not known"), "the hub was not reached: Name or service not known"),
        (OSError(28, "No space left on device"), "cannot be stored: No space left on device"),
        (RuntimeError(), "the hub was not reached: RuntimeError"),
    ],
)
def test_the_hub_fails(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    hub(monkeypatch, None, error)
    with pytest.raises(WorkbenchError, match=told):
        locate("org/small", Path("/nowhere"), download=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.sampled_from(["config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json"]),
    st.one_of(
        st.binary(max_size=40),
        st.binary(max_size=20).map(lambda data: len(data).to_bytes(8, "little") + data),
    ),
)
def test_any_content_is_a_model_or_refused(model: Path, name: str, content: bytes) -> None:
    (model / name).write_bytes(content)
    try:
        check_model_files(model, "small", weights=True)
    except WorkbenchError as e:
        assert all(problem.where for problem in e.problems)
