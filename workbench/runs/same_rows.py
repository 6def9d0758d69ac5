"""Whether runs were measured on the same validation rows: else their validation losses cannot be compared."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.prompts.encoding.encoded import Supervised
from workbench.runs.events import Event
from workbench.runs.spec import ImportedSpec, Spec


def validation_fingerprint(rows: Iterable[Supervised]) -> str:
    """SHA-256 (hex) over token ids and masks of the validation rows, in their order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(len(row.ids).to_bytes(8, "little") + row.ids.tobytes() + row.mask)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of the validation rows of one run.

    Attributes:
        name: what the run is called.
        tokens: `validation_fingerprint`; empty when it was not logged.
        data: fingerprint of the data files with the split; empty when nobody knows.
        rows: how many; None when nobody knows.
    """

    name: str
    tokens: str
    data: str
    rows: int | None


def measured(name: str, spec: Spec | ImportedSpec, started: Event) -> Measured:
    """Read from what a run was started with, and from its last `started` event."""
    rows = started.get("validation_rows")
    return Measured(
        name,
        str(started.get("validation_fingerprint") or ""),
        spec.fingerprints.get("data", "") if isinstance(spec, Spec) else "",
        rows if type(rows) is int else None,
    )


def warnings(runs: Sequence[Measured]) -> list[str]:
    """What keeps the validation losses of `runs`, each of which has some, from being compared."""
    if len(runs) < 2:
        return []
    unknown = [run.name for run in runs if not run.tokens and (not run.data or run.rows is None)]
    told = [run for run in runs if run.name not in unknown]
    found = []
    if unknown:
        names = ", ".join(unknown)
        found.append(f"nobody knows on which validation rows these were measured: {names}")
    if all(run.tokens for run in told):
        if len({run.tokens for run in told}) <= 1:
            return found
        if all(run.data for run in told) and len({(run.data, run.rows) for run in told}) == 1:
            what = "the same validation rows became other tokens (template, tokenizer or train_on differ): "
            return [*found, f"{what}losses per token cannot be compared"]
    elif len({(run.data, run.rows) for run in told}) <= 1:
        return found
    counts = ", ".join(f"{run.name}: {'?' if run.rows is None else run.rows} rows" for run in told)
    return [*found, f"not measured on the same validation rows, their losses cannot be compared ({counts})"]
