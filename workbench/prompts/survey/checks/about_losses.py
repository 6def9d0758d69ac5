"""Findings about rows that are lost when they are encoded: whole sources, and rows that are held out."""

from collections import Counter
from collections.abc import Iterator, Sequence

from workbench.prompts.encoding.limits import SETTINGS
from workbench.prompts.survey.checks.facts import Marked, Part
from workbench.prompts.survey.checks.seen import Seen, all_of, counted, merged, over, rows
from workbench.prompts.survey.findings import Finding


def findings(seen: Seen) -> Iterator[Finding]:
    """All of this module."""
    yield from _sources(seen)
    yield from _held_out(seen)


def _sources(seen: Seen) -> Iterator[Finding]:
    """Sources of which every row, or every one that was looked at, is lost."""
    for number, report in enumerate(seen.reports):
        parts = [part for part in seen.facts.tokens.parts if part.source == number]
        looked_at = sum(part.looked_at for part in parts)
        if not looked_at or any(part.lost_count < part.looked_at for part in parts):
            continue
        used = sum(part.rows for part in parts)
        lost = all_of(used) if used == looked_at else f"all {looked_at:,} of {rows(used)} looked at are"
        what = f"{report.name}: {lost} left out when encoded: {_reasons(parts)}"
        yield seen.finding("source-lost", "red", _lost(parts), what, _hint(parts))


def _held_out(seen: Seen) -> Iterator[Finding]:
    parts = [part for part in seen.facts.tokens.parts if part.side != "train"]
    mark = _lost(parts)
    if not mark.count:
        return
    used, looked_at = sum(part.rows for part in parts), sum(part.looked_at for part in parts)
    amount = f"{mark.count:,} of {rows(used)}" + ("" if used == looked_at else f" ({looked_at:,} looked at)")
    what = f"{amount} held out are left out when encoded: {_reasons(parts)}"
    yield seen.finding("held-out-lost", "yellow", mark, what, _hint(parts))
    if seen.facts.rows.get("validation", 0) and not seen.facts.left("validation"):
        mark = _lost([part for part in parts if part.side == "validation"])
        what = f"no row is held out: {rows(seen.facts.rows['validation'])} would be, and none encodes"
        yield seen.finding("no-validation", "yellow", mark, what, "overfitting would not show")
    for reason in SETTINGS if seen.settings.data.overlong == "error" else ():
        long = merged(part.lost[reason] for part in parts if reason in part.lost)
        if long.count:
            what = f"{rows(long.count)} held out: {over(seen, reason)}, and data.overlong is error"
            yield seen.finding(reason.replace(" ", "-"), "red", long, what, _hint(parts))


def _lost(parts: Sequence[Part]) -> Marked:
    return merged(mark for part in parts for mark in part.lost.values())


def _reasons(parts: Sequence[Part]) -> str:
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update({reason: mark.count for reason, mark in part.lost.items()})
    return counted(reasons)


def _hint(parts: Sequence[Part]) -> str:
    """What is longest, or what the template said."""
    said = {reason: mark.example for part in parts for reason, mark in part.lost.items() if mark.example}
    for reason, name in SETTINGS.items():
        if reason in said:
            return f"raise data.{name}: one of them has {said[reason]}"
    return next(iter(said.values()), "")
