"""A whole project's rows, encoded: what the trainer trains on."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from workbench.data.dataset import Dataset, open_dataset
from workbench.data.example import Example, Origin, Rejected
from workbench.data.report import SourceReport
from workbench.data.selection import Selection, select
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.store import OpenProject
from workbench.prompts.encoding.encode import Encoder, make_encoder
from workbench.prompts.encoding.encode_many import encode_supervised
from workbench.prompts.encoding.encoded import Supervised
from workbench.prompts.encoding.limits import SETTINGS

SHOWN_PROBLEMS = 10
PROGRESS_EVERY = 100

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class EncodedProject:
    """Every row of a project, encoded or counted as left out.

    Attributes:
        train: the training examples in the order of sources and rows; those of a source with `repeat` come
            that many times.
        validation: the held-out examples.
        report: per source what became of its rows, those that did not encode included.
    """

    train: list[Supervised]
    validation: list[Supervised]
    report: list[SourceReport]


def encode_project(
    project: OpenProject, progress: Progress | None = None, reading: Progress | None = None
) -> EncodedProject:
    """Read, select and encode every row that is trained on or held out.

    The split comes before the encoding, so that two runs with different templates or lengths hold out the
    same rows.

    Args:
        project: the project with its profile and overrides laid in.
        progress: called now and then with the examples encoded so far and their number.
        reading: called before that with the share of all rows that was looked at, in percent, and 100.

    Raises WorkbenchError: a source that cannot be read, or rows over a limit when `data.overlong` is
    ``error``; everything `make_encoder` raises.
    """
    encoder = make_encoder(project)
    dataset = open_dataset(project)
    try:
        dataset.require_readable()
        selection = select(
            dataset,
            project.settings.data,
            (lambda share: reading(int(100 * share), 100)) if reading else None,
        )
        if broken := [fault(report.error) for report in selection.reports if report.error]:
            raise WorkbenchError(*(problem for error in broken for problem in error.problems))
        work = _Work(encoder, dataset, selection, progress)
        train, validation = work.train(), work.validation()
    finally:
        dataset.close()
    if progress:
        progress(work.total, work.total)
    _refuse_overlong(encoder, work.rejected, selection.reports)
    return EncodedProject(train, validation, selection.reports)


class _Work:
    """Encodes the rows of a selection and tells its reports what did not encode."""

    def __init__(
        self, encoder: Encoder, dataset: Dataset, selection: Selection, progress: Progress | None
    ) -> None:
        self._encoder = encoder
        self._dataset = dataset
        self._selection = selection
        self._progress = progress
        self._done = 0
        self.total = len(selection.sides["train"]) + len(selection.sides["validation"])
        self.rejected: list[Rejected] = []

    def train(self) -> list[Supervised]:
        """Each source's block as often as it is repeated; the repeats share their memory."""
        kept: list[Supervised] = []
        for source, origins in groupby(self._selection.sides["train"], key=lambda origin: origin.source):
            repeat, report = self._selection.repeats[source], self._selection.reports[source]
            block = self._encoded(origins)
            report.train = len(block) * repeat
            kept += block * repeat
        return kept

    def validation(self) -> list[Supervised]:
        """The held-out rows."""
        kept = []
        for source, origins in groupby(self._selection.sides["validation"], key=lambda origin: origin.source):
            block = self._encoded(origins)
            self._selection.reports[source].validation = len(block)
            kept += block
        return kept

    def _encoded(self, origins: Iterable[Origin]) -> list[Supervised]:
        kept = []
        for result in encode_supervised(self._encoder, self._examples(origins)):
            if isinstance(result, Rejected):
                self._reject(result)
            else:
                kept.append(result)
        return kept

    def _examples(self, origins: Iterable[Origin]) -> Iterator[Example]:
        for origin in origins:
            if self._progress and self._done % PROGRESS_EVERY == 0:
                self._progress(self._done, self.total)
            self._done += 1
            example = self._dataset.example(origin.source, origin.row)
            if isinstance(example, Rejected):  # the file has changed since it was selected
                self._reject(example)
            else:
                yield example

    def _reject(self, result: Rejected) -> None:
        report = self._selection.reports[result.origin.source]
        report.reject(result)
        report.kept -= 1
        self.rejected.append(result)


def _refuse_overlong(encoder: Encoder, rejected: list[Rejected], report: list[SourceReport]) -> None:
    """Raise when too long rows are an error."""
    long = [item for item in rejected if item.reason in SETTINGS]
    if encoder.limits.overlong != "error" or not long:
        return
    problems = [
        Problem(f"{item.reason}: {item.detail}", f"{report[item.origin.source].path} row {item.origin.row}")
        for item in long[:SHOWN_PROBLEMS]
    ]
    over = dict.fromkeys(f"data.{SETTINGS[item.reason]}" for item in long)
    hint = f"raise {' and '.join(over)}, or set data.overlong to drop or truncate"
    summary = f"{len(long)} rows are too long, and data.overlong is error"
    raise WorkbenchError(*problems, Problem(summary, hint=hint))
