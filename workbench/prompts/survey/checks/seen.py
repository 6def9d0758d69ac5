"""What the checks are given, and words they share."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.data.report import SourceReport
from workbench.project.schema import Project
from workbench.prompts.encoding.limits import SETTINGS, TOO_LONG
from workbench.prompts.survey.checks.facts import Facts, Marked
from workbench.prompts.survey.findings import Finding, Level

RED_SHARE, YELLOW_SHARE = 0.2, 0.01


@dataclass(frozen=True, slots=True)
class Seen:
    """Facts about the rows, what became of each source's rows, and the settings they will be trained with.

    `context` is how many tokens the base model has positions for, None where it sets no limit; `weights` how
    many bytes its weights have, None where they are not here.
    """

    facts: Facts
    reports: list[SourceReport]
    settings: Project
    context: int | None = None
    weights: int | None = None

    def finding(self, name: str, level: Level, mark: Marked, what: str, hint: str = "") -> Finding:
        """A finding about the rows of a mark."""
        return Finding(name, level, what, hint, mark.count, list(mark.rows))


def rows(count: int) -> str:
    """`1 row`, `1,234 rows`."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def all_of(count: int) -> str:
    """`its only row is`, `all 1,234 rows are`."""
    return "its only row is" if count == 1 else f"all {rows(count)} are"


def have(count: int) -> str:
    """`has` or `have`, after a count of rows."""
    return "has" if count == 1 else "have"


def share(part: int, whole: int) -> float:
    """`part` of `whole`; 0 of nothing."""
    return part / whole if whole else 0.0


def percent(part: float) -> str:
    """A share for people: `3.1%`, and never `0%` or `100%` where that is only nearly so."""
    if 0 < part < 0.001:
        return "under 0.1%"
    if 0.999 < part < 1:
        return "over 99.9%"
    return f"{part * 100:.3g}%"


def short(text: str, most: int = 40) -> str:
    """A text in quotes, its beginning when it is long."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def level_of(part: float) -> Level:
    """Red over a fifth of the rows, yellow over a hundredth."""
    return "red" if part > RED_SHARE else "yellow" if part > YELLOW_SHARE else "note"


def over(seen: Seen, reason: str) -> str:
    """`longer than data.max_tokens = 512`, by the reason of the limit that a row is over."""
    name, what = SETTINGS[reason], "" if reason == TOO_LONG else f"{reason.split()[0]} "
    return f"{what}longer than data.{name} = {getattr(seen.settings.data, name):,}"


def counted(reasons: Counter[str]) -> str:
    """`12 x empty answer, 3 x unknown role`, the most frequent first."""
    return ", ".join(f"{count:,} x {reason}" for reason, count in reasons.most_common())


def merged(marks: Iterable[Marked]) -> Marked:
    """Several marks as one."""
    joined = Marked()
    for mark in marks:
        for place in mark.rows:
            joined.add(*place)
        joined.count += mark.count - len(mark.rows)
        joined.example = joined.example or mark.example
    return joined
