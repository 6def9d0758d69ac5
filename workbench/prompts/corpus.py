"""A whole project's rows, encoded: what the trainer trains on and what the statistics count."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.data.dataset import Dataset, open_dataset
from workbench.data.example import Example, Rejected
from workbench.data.split import split
from workbench.errors import Problem, WorkbenchError
from workbench.project.store import OpenProject
from workbench.prompts.encode import TOO_LONG, Encoder, make_encoder
from workbench.prompts.encoded import Supervised

SHOWN_PROBLEMS = 10
PROGRESS_EVERY = 100

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class EncodedProject:
    """Every row of a project, encoded or counted as rejected.

    Attributes:
        train: the training examples, in the order of the rows.
        validation: the held-out examples.
        report: per source the rows read, kept and rejected by reason, those that did not encode included.
    """

    train: list[Supervised]
    validation: list[Supervised]
    report: list[SourceReport]


def encode_project(project: OpenProject, progress: Progress | None = None) -> EncodedProject:
    """Read, split and encode every row.

    The split comes before the encoding, so that two runs with different templates or lengths hold out the
    same rows.

    Args:
        project: the project with its profile and overrides laid in.
        progress: called now and then with the examples encoded so far and their number.

    Raises WorkbenchError: a source that cannot be read, or rows over `data.max_tokens` when `data.overlong`
    is ``error``; everything `make_encoder` raises.
    """
    encoder = make_encoder(project)
    dataset = open_dataset(project)
    try:
        examples, report = _read(dataset)
    finally:
        dataset.close()
    data = project.settings.data
    parts = split(examples, data.validation, data.seed)
    rejected: list[Rejected] = []

    def encode(side: Sequence[Example], before: int) -> list[Supervised]:
        kept = []
        for done, example in enumerate(side, before):
            if progress and done % PROGRESS_EVERY == 0:
                progress(done, len(examples))
            result = encoder.encode(example)
            if isinstance(result, Rejected):
                rejected.append(result)
            else:
                kept.append(Supervised(example.origin, array("i", result.ids), bytes(result.mask)))
        return kept

    train = encode(parts.train, 0)
    validation = encode(parts.validation, len(parts.train))
    if progress:
        progress(len(examples), len(examples))
    _refuse_overlong(encoder, rejected, report)
    _count(rejected, report)
    return EncodedProject(train, validation, report)


def _read(dataset: Dataset) -> tuple[list[Example], list[SourceReport]]:
    """All examples and what became of the rows. Raises the errors of all unreadable sources at once."""
    if broken := [state.error for state in dataset.sources if state.error]:
        raise WorkbenchError(*(problem for error in broken for problem in error.problems))
    examples: list[Example] = []
    reports = []
    for number, state in enumerate(dataset.sources):
        report = SourceReport(state.path)
        reports.append(report)
        for outcome in dataset.outcomes(number):
            report.count(outcome)
            if isinstance(outcome, Example):
                examples.append(outcome)
    return examples, reports


def _count(rejected: Sequence[Rejected], report: Sequence[SourceReport]) -> None:
    """Move the rows that did not encode from kept to rejected."""
    for item in sorted(rejected, key=lambda item: item.origin.row):
        source = report[item.origin.source]
        source.rejected.setdefault(item.reason, []).append(item.origin.row)
        source.kept -= 1


def _refuse_overlong(encoder: Encoder, rejected: Sequence[Rejected], report: Sequence[SourceReport]) -> None:
    """Raise when too long rows are an error."""
    long = [item for item in rejected if item.reason == TOO_LONG]
    if encoder.overlong != "error" or not long:
        return
    problems = [
        Problem(f"{TOO_LONG}: {item.detail}", f"{report[item.origin.source].path} row {item.origin.row}")
        for item in long[:SHOWN_PROBLEMS]
    ]
    hint = "raise data.max_tokens, or set data.overlong to drop or truncate"
    summary = f"{len(long)} rows are too long, and data.overlong is error"
    raise WorkbenchError(*problems, Problem(summary, hint=hint))
