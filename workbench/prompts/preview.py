"""One row exactly as it trains: the same call that the trainer makes, as plain values to show."""

from typing import Any

from workbench.data.dataset import open_dataset
from workbench.data.example import Rejected
from workbench.errors import fault
from workbench.project.store import OpenProject
from workbench.prompts.encode import make_encoder
from workbench.prompts.encoded import Encoded
from workbench.prompts.tokenizer import Tokenizer


def preview(project: OpenProject, row: int, source: int = 0) -> dict[str, Any]:
    """Encode one row of a source, both counted from 0.

    Returns plain values: ``source``, ``row``, ``template`` (its name), and those of `as_shown`.

    Raises WorkbenchError: no such row or source, a row that is rejected (with the reason), and all that
    opening the project's data, tokenizer and template raises.
    """
    dataset = open_dataset(project)
    try:
        example = dataset.example(source, row)
        path = dataset.sources[source].path
    finally:
        dataset.close()
    encoder = make_encoder(project)
    encoded = example if isinstance(example, Rejected) else encoder.encode(example)
    if isinstance(encoded, Rejected):
        detail = f" ({encoded.detail})" if encoded.detail else ""
        raise fault(f"the row is left out: {encoded.reason}{detail}", f"{path} row {row}")
    place = {"source": source, "row": row, "template": encoder.template.name}
    return place | as_shown(encoded, encoder.tokenizer)


def as_shown(encoded: Encoded, tokenizer: Tokenizer) -> dict[str, Any]:
    """An encoded example as plain values.

    ``text``; ``ids``, ``tokens`` (the shown form of each id), ``mask`` and ``spans``, all of length T;
    ``supervised`` (trained tokens), ``truncated`` (tokens cut off), ``stop_trained``, ``warnings``.
    """
    return {
        "text": encoded.text,
        "ids": encoded.ids,
        "tokens": [tokenizer.token(i) for i in encoded.ids],
        "mask": encoded.mask,
        "spans": [list(span) for span in encoded.spans],
        "supervised": sum(encoded.mask),
        "truncated": encoded.truncated,
        "stop_trained": encoded.stop_trained,
        "warnings": list(encoded.warnings),
    }
