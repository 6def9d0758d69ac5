"""What is wrong with a model's files, told from names, sizes and headers alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import Problem, WorkbenchError

_POINTER = b"version https://git-lfs.github.com/spec/"
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
_UNSAFE = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_NO_WEIGHTS = ("training_args", "tokenizer", "optimizer", "scheduler", "rng_state")
_INDEX = "model.safetensors.index.json"
_LONGEST_HEADER = 100_000_000
"""Bytes; the safetensors library's own limit."""


def check_model_files(folder: Path, name: str, weights: bool) -> None:
    """Check that a folder can be loaded as a base model, without loading it.

    Args:
        folder: the model's folder.
        name: what the user calls it.
        weights: whether the weights are looked at too.

    Raises:
        WorkbenchError: with every file that is missing, a git-lfs pointer, cut short or of an unsafe format.
    """
    problems = [*_small_files(folder, name), *(_weights(folder) if weights else ())]
    if problems:
        raise WorkbenchError(*problems)


def is_pointer(file: Path) -> bool:
    """Whether a file is the note that git-lfs leaves in place of a large file."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(_POINTER)) == _POINTER
    except OSError:
        return False


def _small_files(folder: Path, name: str) -> Iterator[Problem]:
    config = folder / "config.json"
    if not config.is_file():
        if (folder / "adapter_config.json").is_file():
            hint = "name the model that it was trained on"
            yield Problem(f"the base model {name!r} is an adapter, not a model", str(folder), hint)
        elif any(folder.glob("*.gguf")):
            hint = "GGUF is for inference; name the original model"
            yield Problem(
                f"the base model {name!r} is in GGUF format, which cannot be trained", str(folder), hint
            )
        else:
            yield Problem(
                f"the base model {name!r} has no config.json", str(folder), "is it a model's folder?"
            )
    if not any((folder / file).is_file() for file in _TOKENIZER_FILES):
        yield Problem(f"the base model {name!r} has no tokenizer.json", str(folder))
    for file in sorted(folder.glob("*.json")):
        if is_pointer(file):
            yield _pointer(file)
        elif file == config and (reason := _json_fault(config)):
            yield Problem(reason, str(config))


def _json_fault(file: Path) -> str:
    try:
        value = json.loads(file.read_bytes())
    except OSError as e:
        return f"cannot be read: {e.strerror or e}"
    except (ValueError, RecursionError) as e:
        return f"not valid JSON: {e}"
    return "" if isinstance(value, dict) else "not a JSON object"


def _weights(folder: Path) -> Iterator[Problem]:
    index = folder / _INDEX
    if index.is_file() and not is_pointer(index):
        try:
            names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
            files = [folder / name for name in names]
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as e:
            yield Problem(f"not a list of weight files: {e}", str(index))
            return
    else:
        files = sorted(folder.glob("*.safetensors"))
    if not files:
        yield _no_safetensors(folder)
    for file in files:
        if not file.is_file():
            yield Problem("missing weights", str(file), f"{_INDEX} names this file; fetch the model again")
        elif is_pointer(file):
            yield _pointer(file)
        elif reason := _safetensors_fault(file):
            yield Problem(reason, str(file), "fetch the file again")


def _no_safetensors(folder: Path) -> Problem:
    unsafe = sorted(
        file.name
        for pattern in _UNSAFE
        for file in folder.glob(pattern)
        if not file.name.startswith(_NO_WEIGHTS)
    )
    if unsafe:
        what = f"weights only as {', '.join(unsafe[:3])}, a format that can run code when it is loaded"
        return Problem(what, str(folder), "use a copy with .safetensors files, or convert it")
    return Problem("no weights: there is no .safetensors file", str(folder))


def _pointer(file: Path) -> Problem:
    what = "a git-lfs pointer in place of the file"
    return Problem(what, str(file), f"run `git lfs pull` in {file.parent}")


class _CutShortError(ValueError):
    pass


def safetensors_header(file: Path) -> tuple[int, Any]:
    """Where the data of a safetensors file begins, in bytes, and its JSON header.

    Raises:
        OSError, ValueError, RecursionError: it cannot be read, or has no header.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if size < 8 or length > min(size - 8, _LONGEST_HEADER):
            raise _CutShortError(f"not a safetensors file, or cut short: {size:,} bytes")
        return 8 + length, json.loads(opened.read(length))


def _safetensors_fault(file: Path) -> str:
    """What is wrong with a safetensors file: 8 bytes of length, a JSON header, then the data it speaks of.

    Source: https://github.com/huggingface/safetensors#format
    """
    try:
        begin, header = safetensors_header(file)
        size = file.stat().st_size
        end = max(
            (entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"), default=0
        )
    except OSError as e:
        return f"cannot be read: {e.strerror or e}"
    except _CutShortError as e:
        return str(e)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return "not a safetensors file: its header cannot be read"
    expected = begin + end
    return "" if size == expected else f"cut short: {size:,} of {expected:,} bytes"
