"""How many rows of a source each rule touches, with examples; and which rules would have something to do."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import get_args

from workbench.data.cleaning.cleaner import Cleaner, Step
from workbench.data.cleaning.labels import label
from workbench.data.dataset import Dataset
from workbench.data.example import Example, Rejected, Role
from workbench.data.files.rows import Cancelled, Progress
from workbench.errors import fault
from workbench.project.source import Cleaning, CleaningName, CleaningRule

_REPORT_EVERY = 500
_EXAMPLES = 20
_ORDER: tuple[CleaningName, ...] = (
    "bom",
    "private_use",
    "nfc",
    "redirects",
    "newlines",
    "html",
    "wiki_links",
    "wiki_headings",
    "spaces",
    "strip",
)
"""An order in which no rule hides from the next what that one looks for."""
assert set(_ORDER) == set(get_args(CleaningName))

_HEAD = re.compile(r"\s*([^\s:：][^\n:：]{0,19}[:：])")
BUTTONS = ("Share Prompt", "Copy code", "Regenerate response")
"""Buttons of the pages that conversations were taken from."""
_OFTEN = 0.01
"""Share of the sampled rows from which a beginning is offered as a mark."""


@dataclass(frozen=True, slots=True)
class RuleExample:
    """One row that a rule touched.

    Attributes:
        row: its number in the source, from 0.
        role: whose message it is.
        before: the first message that the rule changed, as the rule found it.
        after: that message as the rule left it; the same as `before` when the row is left out.
        reason: why the row is left out; empty when it is kept.
    """

    row: int
    role: Role
    before: str
    after: str
    reason: str = ""


@dataclass(slots=True)
class RuleReport:
    """What one rule did in a source.

    Attributes:
        label: the rule.
        touched: rows that it changed or left out.
        left_out: rows that it left out: of `touched`.
        examples: the first rows that it touched.
    """

    label: str
    touched: int = 0
    left_out: int = 0
    examples: list[RuleExample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule that would touch rows.

    Attributes:
        rule: as it goes into `clean`.
        label: what it is called.
        touched: rows of the sample that it would touch, alone.
        sample: rows that were looked at.
    """

    rule: Cleaning
    label: str
    touched: int
    sample: int


def survey_rules(
    dataset: Dataset,
    source: int,
    rules: Sequence[Cleaning],
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    examples: int = _EXAMPLES,
) -> list[RuleReport]:
    """What each rule does to the rows of a source, one after the other as in `clean`.

    Args:
        dataset: the project's rows.
        source: number of the source.
        rules: rules to carry out, in place of the source's own.
        progress: told the share of rows that is done, every 500 rows.
        cancelled: asked as often; then the counts are those of the rows so far.
        examples: how many touched rows are kept for each rule.

    Raises:
        WorkbenchError: the source cannot be read, or a rule is not valid.
    """
    cleaner = Cleaner(rules)
    reports = {name: RuleReport(name) for name in map(label, rules)}
    count = _length(dataset, source)
    for example in _examples(dataset, source, range(count), progress, cancelled):
        seen: set[str] = set()
        for step in cleaner.steps(example):
            report = reports[step.rule]
            if step.rule not in seen:
                report.touched += 1
                if len(report.examples) < examples:
                    report.examples.append(_shown(step))
            seen.add(step.rule)
            report.left_out += isinstance(step.after, Rejected)
    return list(reports.values())


def suggest(
    dataset: Dataset,
    source: int,
    sample: int = 2000,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[Suggestion]:
    """Rules that would touch something, in an order in which they can stand in `clean`.

    Built-in rules that change a row of the sample, beginnings that answers share, such as `答案：`, and
    scraped ends, such as `Share Prompt`. The sample is `sample` rows spread evenly over the source. Raises as
    `survey_rules`.
    """
    count = _length(dataset, source)
    rows = range(0, count, max(1, -(-count // sample)))
    found = list(_examples(dataset, source, rows, progress, cancelled))
    rules: list[Cleaning] = [*_ORDER, *_marks(found)]
    suggestions = []
    for rule in rules:
        cleaner = Cleaner([rule])
        touched = sum(cleaner.clean(example) is not example for example in found)
        if touched:
            suggestions.append(Suggestion(rule, label(rule), touched, len(rows)))
    return suggestions


def _length(dataset: Dataset, source: int) -> int:
    if not 0 <= source < len(dataset.sources):
        raise fault(f"there is no source {source}; the project has {len(dataset.sources)}, counted from 0")
    state = dataset.sources[source]
    if state.rows is None:
        raise state.error or fault("cannot be read", state.path)
    return len(state.rows)


def _examples(
    dataset: Dataset, source: int, rows: range, progress: Progress | None, cancelled: Cancelled | None
) -> Iterator[Example]:
    for n, i in enumerate(rows):
        if n % _REPORT_EVERY == 0:
            if cancelled and cancelled():
                return
            if progress:
                progress(n / len(rows))
        example = dataset.mapped(source, i)
        if isinstance(example, Example):
            yield example
    if progress:
        progress(1.0)


def _shown(step: Step) -> RuleExample:
    before, after = step.before.messages, step.after
    if isinstance(after, Rejected):
        message = next((m for m in before if m.role == "assistant"), before[-1])
        return RuleExample(after.origin.row, message.role, message.content, message.content, after.reason)
    old, new = next(pair for pair in zip(before, after.messages, strict=True) if pair[0] != pair[1])
    return RuleExample(after.origin.row, old.role, old.content, new.content)


def _marks(examples: Sequence[Example]) -> list[CleaningRule]:
    """Beginnings that many answers share, and buttons of a page at the end of messages."""
    heads = Counter(
        head[1]
        for example in examples
        for message in example.messages
        if message.role == "assistant" and (head := _HEAD.match(message.content))
    )
    least = max(3, _OFTEN * len(examples))
    return [
        *(CleaningRule(on="assistant", prefix=[mark]) for mark, n in heads.most_common(3) if n >= least),
        *(CleaningRule(suffix=[mark]) for mark in BUTTONS),
    ]
