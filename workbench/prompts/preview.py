"""One row exactly as it trains: the same call that the trainer makes, as plain values to show."""

from typing import Any

from workbench.data.dataset import open_dataset
from workbench.data.example import Rejected
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.store import OpenProject
from workbench.prompts.encode import make_encoder
from workbench.prompts.encoded import Encoded
from workbench.prompts.tokenizer import Tokenizer


def preview(project: OpenProject, row: int, source: int = 0) -> dict[str, Any]:
    """Encode one row of a source, both counted from 0.

    Returns a dict of plain values: ``text``, ``ids``, ``tokens`` (shown form of each id), ``mask``, ``spans``,
    ``source``, ``row``, ``template``, ``supervised`` (trained tokens), ``truncated`` (tokens cut off),
    ``stop_trained``, ``warnings``.

    Raises WorkbenchError: no such row or source, a row that is rejected (with the reason), and all that opening
    the project's data, tokenizer and template raises.
    """
    dataset = open_dataset(project)
    if not 0 <= source < len(dataset.sources):
        raise fault(f"no source {source}; the project has {len(dataset.sources)}, counted from 0", project.file)
    state = dataset.sources[source]
    if state.error:
        raise state.error
    count = len(state.rows) if state.rows is not None else 0
    if not 0 <= row < count:
        raise fault(f"no row {row}; the file has {count}, counted from 0", state.path)
    example = dataset.example(source, row)
    encoder = make_encoder(project)
    encoded = example if isinstance(example, Rejected) else encoder.encode(example)
    if isinstance(encoded, Rejected):
        what = f"rejected: {encoded.reason}" + (f" ({encoded.detail})" if encoded.detail else "")
        raise WorkbenchError(Problem(what, f"{state.path} row {row}"))
    return as_shown(encoded, encoder.tokenizer) | {"source": source, "row": row, "template": encoder.template.name}


def as_shown(encoded: Encoded, tokenizer: Tokenizer) -> dict[str, Any]:
    """An encoded example as plain values, with each token as text."""
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
