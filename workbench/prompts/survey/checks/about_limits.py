"""Findings about rows over a limit: left out, cut, refused, or longer than the base model can read."""

from collections.abc import Iterator

from workbench.prompts.encoding.limits import ANSWER_TOO_LONG, PROMPT_TOO_LONG, SETTINGS, TOO_LONG, Limits
from workbench.prompts.survey.checks.facts import Marked, Over
from workbench.prompts.survey.checks.seen import Seen, level_of, over, percent, rows, share
from workbench.prompts.survey.findings import Finding, Level

_CUT = {
    TOO_LONG: "truncated",
    PROMPT_TOO_LONG: "prompt-truncated",
    ANSWER_TOO_LONG: "answer-truncated",
}


def findings(seen: Seen) -> Iterator[Finding]:
    """All of this module."""
    for reason in SETTINGS:
        if limit := seen.facts.tokens.over.get(reason):
            yield _over(seen, reason, limit)
    yield from _context(seen)


def _over(seen: Seen, reason: str, limit: Over) -> Finding:
    """The training rows over one limit."""
    found, overlong = seen.facts.tokens, seen.settings.data.overlong
    part = share(limit.sample, found.sample)
    everything = found.looked_at == found.sample
    if everything:
        amount = f"{rows(limit.rows.count)} ({percent(part)})"
    else:
        amount = (
            f"{percent(part)} of {found.sample:,} rows drawn at random, "
            f"{limit.rows.count:,} of {found.looked_at:,} looked at,"
        )
    one = everything and limit.rows.count == 1
    are, lose = ("is", "loses its") if one else ("are", "lose their")
    has_a = {TOO_LONG: are, PROMPT_TOO_LONG: "with a", ANSWER_TOO_LONG: "with an"}[reason]
    long = f"{amount} {has_a} {over(seen, reason)}"
    name, level = reason.replace(" ", "-"), level_of(part)
    if overlong == "error":
        level, what = "red", f"{long}, and data.overlong is error"
    elif overlong == "drop":
        what = f"{long} {'and ' if reason == TOO_LONG else ''}{are} left out"
    elif reason == PROMPT_TOO_LONG:
        name, level = _CUT[reason], _loud(level)
        end = seen.facts.pairing.prompt_end
        what = f"{long} {lose} end, and with it what asks for the answer, such as {end!r}"
    else:
        name = _CUT[reason]
        loses = "loses the end of its" if limit.lost_end == 1 else "lose the end of their"
        lost = f"; {limit.lost_end:,} {loses} answer, and with it the stop mark"
        what = f"{long} {'and ' if reason == TOO_LONG else ''}{are} cut{lost}"
    return seen.finding(name, level, limit.rows, what, _keeps(seen, reason, limit))


def _loud(level: Level) -> Level:
    """A prompt without its end is never a detail: chat sends prompts whole."""
    return "yellow" if level == "note" else level


def _keeps(seen: Seen, reason: str, limit: Over) -> str:
    """The limit that nearly all rows would be within, as far as the base model can read."""
    name, most, gain = SETTINGS[reason], limit.most, "would keep 99%"
    if reason == TOO_LONG and seen.context and most > seen.context:
        most, gain = seen.context, "is all that the base model can take"
    if most > getattr(seen.settings.data, name):
        return f"data.{name} = {most} {gain}"
    return f"the longest has {limit.longest:,} tokens"


def _context(seen: Seen) -> Iterator[Finding]:
    """Rows that are trained on or held out, and longer than the base model can read."""
    limit = seen.context
    if limit is None or Limits.of(seen.settings.data).longest <= limit:
        return
    sides = [seen.facts.statistics.sides.get(side) for side in ("train", "validation")]
    long = [row for side in sides if side for row in side.longest_used if row[2] > limit]
    if long:
        mark = Marked()
        for source, row, _ in long:
            mark.add(source, row)
        most = max(tokens for *_, tokens in long)
        what = f"rows of up to {most:,} tokens; the base model was made for {limit:,}"
        yield seen.finding("context", "red", mark, what, f"set data.max_tokens to {limit} or less")
