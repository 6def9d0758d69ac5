"""Findings about the rows as tokens: what is not trained, what template and chat do otherwise."""

from collections import Counter
from collections.abc import Iterator

from workbench.prompts.survey.checks.facts import Marked
from workbench.prompts.survey.checks.seen import (
    YELLOW_SHARE,
    Seen,
    counted,
    have,
    level_of,
    percent,
    rows,
    share,
    short,
)
from workbench.prompts.survey.findings import Finding, Level

SYSTEM_SHARE = 0.5


def findings(seen: Seen) -> Iterator[Finding]:
    """All of this module."""
    yield from _unsupervised(seen)
    yield from _ends(seen)
    yield from _doubled(seen)
    yield from _prompt(seen)
    yield from _template(seen)


def looked_at(seen: Seen) -> str:
    """` (of 20,000 looked at)` where not every training row was encoded."""
    found = seen.facts.tokens
    return (
        "" if found.looked_at == seen.facts.rows.get("train", 0) else f" (of {found.looked_at:,} looked at)"
    )


def _unsupervised(seen: Seen) -> Iterator[Finding]:
    found = seen.facts.tokens
    mark = found.no_supervised
    if not mark.count:
        return
    reasons = Counter({reason: each.count for reason, each in found.refused.items()})
    reasons["cut off before the answer"] = found.answerless.count
    level = level_of(share(mark.count, found.looked_at))
    what = f"{rows(mark.count)} {have(mark.count)} nothing to train: {counted(+reasons)}{looked_at(seen)}"
    detail = next((each.example for each in found.refused.values() if each.example), "")
    yield seen.finding("no-supervised", "yellow" if level == "note" else level, mark, what, detail)


def _ends(seen: Seen) -> Iterator[Finding]:
    found = seen.facts.tokens
    mark, end = found.stop_missing, seen.facts.pairing.end_mark
    if not mark.count:
        return
    why = f"the end mark {end!r} is not trained" if end else "the template writes no end mark after an answer"
    hint = "the model would not learn to stop: choose a template that closes every answer"
    if not found.stop_trained:
        yield seen.finding("stop-not-trained", "red", mark, f"no row trains a stop mark: {why}", hint)
    else:
        level: Level = "yellow" if share(mark.count, found.looked_at) > YELLOW_SHARE else "note"
        what = f"{rows(mark.count)} {have(mark.count)} an answer without a trained end mark{looked_at(seen)}"
        yield seen.finding("stop-not-trained", level, mark, what, hint)


def _doubled(seen: Seen) -> Iterator[Finding]:
    for name, mark, which in (
        ("double-bos", seen.facts.tokens.double_bos, "beginning"),
        ("double-eos", seen.facts.tokens.double_eos, "end"),
    ):
        if mark.count:
            token = f"the {which}-of-text token twice in a row"
            what = f"{rows(mark.count)} {have(mark.count)} {token}{looked_at(seen)}"
            hint = "the template writes it, and the rows hold it as text too: clean the rows, or the template"
            level: Level = (
                "red" if share(mark.count, seen.facts.tokens.looked_at) > YELLOW_SHARE else "yellow"
            )
            yield seen.finding(name, level, mark, what, hint)


def _prompt(seen: Seen) -> Iterator[Finding]:
    """What stands before an answer in chat is not what stood there in training."""
    found, pairing = seen.facts.tokens, seen.facts.pairing
    if found.prompt_differs.count:
        ends_blank = pairing.prompt_end[-1:].isspace() and not pairing.prompt_end.endswith("\n")
        why = f"chat's prompt ends in {pairing.prompt_end!r}" + (", with a blank" if ends_blank else "")
        what = (
            f"the tokens before an answer are not those of chat in {found.prompt_differs.count:,} of "
            f"{found.prompts_compared:,} rows compared: {why}"
        )
        hint = "end the template's generation prompt where a token ends, without a blank"
        yield seen.finding("generation-prompt", "yellow", found.prompt_differs, what, hint)
    settings = seen.settings
    chat, trained = settings.chat.system, settings.prompt.system
    if chat and chat != trained:
        what = f"chat.system is {short(chat)}, training has {short(trained) if trained else 'none'}"
        yield Finding("system-differs", "yellow", what, "leave chat.system empty to take that of training")
    systems, own = seen.facts.writing.systems, seen.facts.writing.marks.get("own_system", Marked())
    if not chat and not trained and systems and share(own.count, seen.facts.used) >= SYSTEM_SHARE:
        text, mark = next(iter(systems.items()))
        part = percent(share(own.count, seen.facts.used))
        what = f"{part} of the rows have a system message, chat sends none"
        often = f"the one of {rows(mark.count)}" if len(systems) > 1 else "theirs"
        hint = f"set chat.system, such as {short(text)}, {often}"
        yield seen.finding("system-differs", "yellow", own, what, hint)


def _template(seen: Seen) -> Iterator[Finding]:
    pairing, unknown = seen.facts.pairing, seen.facts.tokens.unknown
    if unknown.count:
        part = share(unknown.count, seen.facts.tokens.looked_at)
        level: Level = "yellow" if part > YELLOW_SHARE else "note"
        pieces = "pieces that the tokenizer does not know"
        what = f"{rows(unknown.count)} {have(unknown.count)} {pieces}{looked_at(seen)}"
        yield seen.finding(
            "unknown-tokens", level, unknown, what, "they are read, and trained, as one and the same"
        )
    if pairing.end_pieces > 1 and pairing.end_mark.startswith(("<", "[")):
        what = (
            f"no token of the base model is the end mark {pairing.end_mark!r}: it takes {pairing.end_pieces}"
        )
        hint = "choose a template of the base model's family, or add it to prompt.special_tokens"
        yield Finding("no-template-token", "yellow", what, hint)
    if pairing.reads_clock:
        hint = "tomorrow's prompt is another one: fix the date in a template of your own"
        yield Finding("template-clock", "yellow", "the template writes today's date", hint)
    if pairing.bos_missing:
        what = f"the base model knows texts that begin with {pairing.bos_missing}; the template writes none"
        yield Finding("no-bos", "note", what)
