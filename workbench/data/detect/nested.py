"""Where the lists of rows are in a .json file that is one object, as in SQuAD's."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.data.files.json_text import DECODER

_DEEPEST = 6
_LOOKED_AT = 5
"""Elements of a list whose keys are looked at: they are alike."""


def nested_places(path: Path) -> list[str]:
    """Keys that lead to lists of objects, such as `data.paragraphs.qas`, outer lists first; none for other
    files."""
    names = path.name.lower()
    if not path.is_file() or not names.endswith((".json", ".json.gz")):
        return []
    try:
        data = gzip.decompress(path.read_bytes()) if names.endswith(".gz") else path.read_bytes()
        value = DECODER.decode(data.decode("utf-8-sig"))
    except (OSError, EOFError, UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return []
    return list(dict.fromkeys(sorted(_places(value, ()), key=lambda place: place.count("."))))


def _places(value: Any, above: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(value, dict) or len(above) >= _DEEPEST:
        return
    for key, inner in value.items():
        if not key or "." in key:
            continue
        place = (*above, key)
        if isinstance(inner, dict):
            yield from _places(inner, place)
        elif isinstance(inner, list) and any(isinstance(each, dict) for each in inner):
            yield ".".join(place)
            for each in inner[:_LOOKED_AT]:
                yield from _places(each, place)
