"""A whole project's rows, encoded: what the trainer trains on and what the statistics count."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.data.dataset import SourceReport, open_dataset
from workbench.data.example import Example, Rejected
from workbench.data.split import split
from workbench.errors import Problem, WorkbenchError
from workbench.project.store import OpenProject
from workbench.prompts.encode import TOO_LONG, Encoder, make_encoder
from workbench.prompts.encoded import Encoded

SHOWN_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class EncodedProject:
    """Attributes:
    train: the encoded training examples, in the order of the rows.
    validation: the encoded held-out examples.
    report: per source how many rows were read and kept, and the rows rejected by reason, encoding included.
    """

    train: list[Encoded]
    validation: list[Encoded]
    report: list[SourceReport]


def encode_project(project: OpenProject, progress: Callable[[int, int], None] | None = None) -> EncodedProject:
    """Read, split and encode every row.

    The split comes before the encoding, so that two runs with different templates or lengths hold out the same rows.

    Args:
        progress: called now and then with the examples done and their number.

    Raises WorkbenchError: a source that cannot be read, or rows over `data.max_tokens` when `data.overlong` is
    ``error``; everything `make_encoder` raises.
    """
    encoder = make_encoder(project)
    dataset = open_dataset(project)
    if broken := [source.error for source in dataset.sources if source.error]:
        raise WorkbenchError(*(problem for error in broken for problem in error.problems))
    report = dataset.report()
    data = project.settings.data
    parts = split(list(dataset), data.validation, data.seed)
    rejected: list[Rejected] = []
    total = len(parts.train) + len(parts.validation)

    def encode(examples: Sequence[Example], before: int) -> list[Encoded]:
        kept = []
        for done, example in enumerate(examples, before):
            result = encoder.encode(example)
            if isinstance(result, Rejected):
                rejected.append(result)
            else:
                kept.append(result)
            if progress and done % 100 == 0:
                progress(done, total)
        return kept

    train = encode(parts.train, 0)
    validation = encode(parts.validation, len(parts.train))
    if progress:
        progress(total, total)
    _refuse_overlong(encoder, rejected, report)
    _count(rejected, report)
    return EncodedProject(train, validation, report)


def _count(rejected: Sequence[Rejected], report: Sequence[SourceReport]) -> None:
    """Move the rows that did not encode from kept to rejected."""
    for item in sorted(rejected, key=lambda item: (item.origin.source, item.origin.row)):
        source = report[item.origin.source]
        source.rejected.setdefault(item.reason, []).append(item.origin.row)
        source.kept -= 1


def _refuse_overlong(encoder: Encoder, rejected: Sequence[Rejected], report: Sequence[SourceReport]) -> None:
    if encoder.overlong != "error":
        return
    long = [item for item in rejected if item.reason == TOO_LONG]
    problems = [
        Problem(f"{TOO_LONG}: {item.detail}", f"{report[item.origin.source].path} row {item.origin.row}")
        for item in long[:SHOWN_PROBLEMS]
    ]
    if problems:
        rest = f"{len(long)} rows in all" if len(long) > SHOWN_PROBLEMS else ""
        hint = "raise data.max_tokens, or set data.overlong to drop or truncate"
        raise WorkbenchError(*problems, Problem(rest or "data.overlong is error", hint=hint))
