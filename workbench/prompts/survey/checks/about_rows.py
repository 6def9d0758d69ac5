"""Findings about which rows are used: lost sources, rejected rows, duplicates, leaks, balance, the split."""

from collections import Counter
from collections.abc import Iterator

from workbench.data.report import SourceReport
from workbench.prompts.survey.checks.facts import Marked, marked
from workbench.prompts.survey.checks.seen import Seen, all_of, counted, have, merged, percent, rows, share
from workbench.prompts.survey.findings import Finding, Level

OUT_OF_ORDER = "roles out of order"
"""Reason of `data.mapping` for conversations in which user and assistant do not take turns."""
MISALIGNED = "labels do not match utterances"
"""Reason of `data.mapping` for dialogues whose labels cannot belong to their turns."""
FEW, VERY_FEW = 100, 30
LARGEST, SMALLEST, MOST_VALUES = 0.8, 0.05, 12
MANY_REJECTED, MANY_DUPLICATES = 0.05, 0.01


def findings(seen: Seen) -> Iterator[Finding]:
    """All of this module."""
    yield from _lost(seen)
    yield from _nothing(seen)
    yield from _rejected(seen)
    yield from _repeated(seen)
    yield from _leaks(seen)
    yield from _split(seen)
    yield from _balance(seen)


def _lost(seen: Seen) -> Iterator[Finding]:
    for number, report in enumerate(seen.reports):
        if not (report.lost or (report.complete and report.read == 0)):
            continue
        lost = _left_out(report, number)
        if report.error:
            what, hint = f"{report.name}: cannot be read: {report.error}", "nothing of it is trained on"
        elif not report.read:
            what, hint = f"{report.name}: there are no rows in it", "take the source out, or look at its path"
        else:
            reasons = Counter({reason: len(lines) for reason, lines in report.rejected.items()})
            reasons.update({f"filtered: {reason}": len(lines) for reason, lines in report.filtered.items()})
            reasons["duplicate"] = len(report.duplicate)
            what = f"{report.name}: {all_of(report.read)} lost: {counted(+reasons)}"
            columns = seen.facts.columns[number] if number < len(seen.facts.columns) else []
            hint = f"columns there: {', '.join(columns)}" if columns else ""
        yield seen.finding("source-lost", "red", lost, what, hint)


def _left_out(report: SourceReport, number: int) -> Marked:
    """All rows of a source that are not used; those of `take` are not known one by one."""
    lists = [*report.rejected.values(), *report.filtered.values(), report.duplicate]
    return merged(marked((number, row) for row in lines) for lines in lists)


def _nothing(seen: Seen) -> Iterator[Finding]:
    facts = seen.facts
    usable, mark = facts.rows.get("train", 0), Marked()
    reasons: Counter[str] = Counter()
    if usable and facts.tokens.looked_at:
        lost = [item for part in facts.tokens.parts if part.side == "train" for item in part.lost.items()]
        for reason, rows_lost in lost:
            reasons[reason] += rows_lost.count
        mark = merged(rows_lost for _, rows_lost in lost)
        usable = facts.tokens.looked_at - mark.count
    elif not usable:
        mark = merged(_left_out(report, number) for number, report in enumerate(seen.reports))
        for report in seen.reports:
            reasons.update({reason: len(lines) for reason, lines in report.rejected.items()})
            reasons.update({reason: len(lines) for reason, lines in report.filtered.items()})
    if usable <= 0:
        what = f"no row can be trained on: {counted(+reasons) or 'the sources have no rows for training'}"
        hint = "look at the reasons in the data pane, or in `workbench sources`"
        if not seen.reports:
            what, hint = (
                "the project has no sources",
                "a in the data pane or `workbench sources PROJECT --add FILE` adds one",
            )
        yield seen.finding("nothing-to-train", "red", mark, what, hint)


def _rejected(seen: Seen) -> Iterator[Finding]:
    """Rows left out although nobody asked for it; sources that lose all of theirs are red already."""
    read = sum(report.read for report in seen.reports)
    sorts: dict[str, list[Marked]] = {}
    for number, report in enumerate(seen.reports):
        if report.lost:
            continue
        for reason, lines in report.rejected.items():
            sorts.setdefault(reason, []).append(marked((number, row) for row in lines))
    by_reason = {reason: merged(marks) for reason, marks in sorts.items()}
    if mark := by_reason.pop(OUT_OF_ORDER, None):
        what = f"{rows(mark.count)} {have(mark.count)} user and assistant out of turn: left out"
        yield seen.finding(
            "roles", "yellow", mark, what, "map further speakers with `roles`, or mend the rows"
        )
    if mark := by_reason.pop(MISALIGNED, None):
        what = f"{rows(mark.count)} {have(mark.count)} not as many labels as turns: left out"
        yield seen.finding("labels-misaligned", "yellow", mark, what, "a label would stand at the wrong turn")
    if by_reason:
        mark = merged(by_reason.values())
        reasons = counted(Counter({reason: each.count for reason, each in by_reason.items()}))
        level: Level = "yellow" if share(mark.count, read) >= MANY_REJECTED else "note"
        what = f"{rows(mark.count)} of {read:,} cannot be used: {reasons}"
        yield seen.finding("rejected", level, mark, what)


def _repeated(seen: Seen) -> Iterator[Finding]:
    mark = seen.facts.duplicates
    if mark.count:
        dropped = seen.settings.data.duplicates == "drop"
        say = "say the same as an earlier one" if mark.count > 1 else "says the same as an earlier one"
        what = f"{rows(mark.count)} {say}" + (": left out" if dropped else "")
        many = share(mark.count, seen.facts.used) >= MANY_DUPLICATES and not dropped
        hint = "" if dropped else 'data.duplicates = "drop" leaves them out'
        yield seen.finding("duplicates", "yellow" if many else "note", mark, what, hint)
    mark = seen.facts.near_duplicates
    if mark.count:
        shares = "share" if mark.count > 1 else "shares"
        what = f"{rows(mark.count)} {shares} four fifths of the text with an earlier one"
        hint = 'data.near_duplicates = "drop" leaves them out'
        yield seen.finding("near-duplicates", "note", mark, what, hint)
    mark = seen.facts.same_question
    if mark.count:
        ask, answer = ("ask", "answer") if mark.count > 1 else ("asks", "answers")
        what = f"{rows(mark.count)} {ask} what an earlier one asks, and {answer} otherwise"
        yield seen.finding("same-question", "note", mark, what, "fine when several answers are right")


def _leaks(seen: Seen) -> Iterator[Finding]:
    overlap = seen.facts.overlap
    if overlap.same.count:
        held = rows(overlap.same.count)
        what = (
            f"{held} held out {'is' if overlap.same.count == 1 else 'are'} trained on as well, to the letter"
        )
        hint = "take them out of one side: the validation loss measures memory now"
        yield seen.finding("leak", "red", overlap.same, what, hint)
    if overlap.group.count:
        what = f"{rows(overlap.group.count)} held out whose group is trained on as well"
        hint = "a source with its own `split` parts a group: name the same rows on one side, or leave it out"
        yield seen.finding("leak-group", "yellow", overlap.group, what, hint)
    for name, mark, what in (
        ("leak-question", overlap.question, "with a question that is trained on as well"),
        ("leak-near", overlap.near, "with four fifths of the text of one that is trained on"),
    ):
        if mark.count:
            compared = (
                f" (looked for among {overlap.held_out:,} and {overlap.trained:,} training rows)"
                if overlap.trained < seen.facts.rows.get("train", 0)
                else ""
            )
            hint = "give what belongs together one `group`, so that it stays on one side of the split"
            yield seen.finding(name, "yellow", mark, f"{rows(mark.count)} held out {what}{compared}", hint)


def _split(seen: Seen) -> Iterator[Finding]:
    train, held = seen.facts.left("train"), seen.facts.rows.get("validation", 0)
    if train and not held:
        hint = 'data.validation = 0.1, or a source with split = "validation"'
        if asked := seen.settings.data.validation:
            own = all(source.split != "auto" for source in seen.settings.data.source)
            hint = (
                f'data.validation = {asked:g} divides the sources with split = "auto", and there are none'
                if own
                else f"data.validation = {asked:g} comes to no row here: give a number of rows, such as 5"
            )
        yield Finding("no-validation", "yellow", "no row is held out: overfitting would not show", hint)
    if 0 < train < FEW:
        level: Level = "yellow" if train < VERY_FEW else "note"
        hint = "more rows, or rows made from these: workbench augment"
        yield Finding("few-rows", level, f"only {rows(train)} to train on", hint)


def _balance(seen: Seen) -> Iterator[Finding]:
    for name, sides in seen.facts.tags.items():
        train = {value: count for value, count in sides.get("train", {}).items() if value}
        total = sum(train.values())
        if total == 0:
            continue
        validation = sides.get("validation", {})
        said: list[str] = []
        level: Level = "note"
        largest = max(train, key=lambda value: train[value])
        if share(train[largest], total) > LARGEST and len(train) > 1:
            level = "yellow"
            said.append(f"{percent(train[largest] / total)} are {largest}")
        if len(train) <= MOST_VALUES:
            few = [value for value, count in train.items() if share(count, total) < SMALLEST]
            if few:
                said.append(f"under {percent(SMALLEST)} each: {', '.join(few)}")
            if held := sum(validation.values()):
                # With fewer than three expected their absence may be chance
                missing = [v for v, n in train.items() if not validation.get(v) and n / total * held >= 3]
                if missing:
                    level = "yellow"
                    said.append(f"none in validation: {', '.join(missing)}")
        if said:
            hint = "`take` and `repeat` of a source with `where` change the balance"
            yield Finding("imbalance", level, f"{name}: {'; '.join(said)}", hint, total)
