"""What must hold between the keys of one `[[data.source]]`, and between the sources of a project."""

from collections.abc import Iterator, Sequence

from workbench.project.complaints import Complaint
from workbench.project.paths import HUB
from workbench.project.patterns import fault_of
from workbench.project.placeholders import placeholders
from workbench.project.positions import KeyPath
from workbench.project.source import (
    CleaningRule,
    Condition,
    FieldsSource,
    MessagesSource,
    Source,
    TextSource,
    UtterancesSource,
)

_EXAMPLE = 'write a column in braces, such as "{output}"'


def broken_in_sources(sources: Sequence[Source]) -> Iterator[Complaint]:
    """Every relation that valid sources break."""
    for i, source in enumerate(sources):
        path: KeyPath = ("data", "source", i)
        yield from _broken_in_all_kinds(path, source)
        match source:
            case FieldsSource():
                yield from _broken_in_fields(path, source)
            case MessagesSource():
                if source.role == source.content:
                    what = f"role and content are the same key, {source.role!r}"
                    yield Complaint((*path, "content"), what, involved=((*path, "role"),))
            case UtterancesSource():
                yield from _broken_in_utterances(path, source)
            case TextSource():
                yield from _broken_in_text(path, source)
    held_out = [("data", "source", i, "split") for i, source in enumerate(sources) if _is_held_out(source)]
    if sources and len(held_out) == len(sources):
        hint = 'one source needs split = "train" or "auto"'
        yield Complaint(held_out[0], "no source is trained on", hint, tuple(held_out[1:]))


def _is_held_out(source: Source) -> bool:
    return source.split in ("validation", "test")


def _broken_in_all_kinds(path: KeyPath, source: Source) -> Iterator[Complaint]:
    if source.repeat > 1 and _is_held_out(source):
        what = f"rows for {source.split} are not repeated: that changes no score but their weights"
        yield Complaint((*path, "repeat"), what, involved=((*path, "split"),))
    for name, condition in source.where.items():
        yield from _broken_in_condition((*path, "where", name), condition)
    for n, rule in enumerate(source.clean):
        if isinstance(rule, CleaningRule):
            yield from _broken_in_rule((*path, "clean", n), rule)
    for name, tag in source.tags.items():
        for value, pattern in tag.items() if isinstance(tag, dict) else ():
            yield from _broken_pattern((*path, "tags", name, value), pattern)
    if placeholders(source.group):
        yield Complaint((*path, "group"), "is the name of a column, without braces")
    for key in ("hub_split", "hub_config"):
        if key in source.model_fields_set and not source.path.startswith(HUB):
            yield Complaint((*path, key), "is for data sets of the hub", "their path is hub:owner/name")


def _broken_in_condition(path: KeyPath, condition: Condition) -> Iterator[Complaint]:
    if not condition.model_fields_set:
        yield Complaint(path, "no condition", "give equals, in, matches, min_chars or max_chars")
    if condition.matches is not None:
        yield from _broken_pattern((*path, "matches"), condition.matches)
    yield from _swapped(path, condition)


def _broken_in_rule(path: KeyPath, rule: CleaningRule) -> Iterator[Complaint]:
    limits = rule.min_chars is not None or rule.max_chars is not None
    actions = sum(map(bool, (rule.prefix, rule.suffix, rule.replace, limits)))
    hint = "one of prefix, suffix, replace, or min_chars and max_chars; write a rule for each"
    if not actions:
        yield Complaint(path, "a rule that does nothing", hint)
    elif actions > 1:
        yield Complaint(path, "a rule with two actions, whose order would be open", hint)
    for key, marks in (("prefix", rule.prefix), ("suffix", rule.suffix)):
        if not all(map(str.strip, marks)):
            yield Complaint((*path, key), "a mark of blanks only", "the rule `strip` takes blanks off")
    if rule.by and not rule.replace:
        yield Complaint((*path, "with"), "needs `replace`", involved=((*path, "replace"),))
    if rule.replace and (what := fault_of(rule.replace, rule.by)):
        yield Complaint((*path, "replace"), what, involved=((*path, "with"),))
    yield from _swapped(path, rule)


def _broken_pattern(path: KeyPath, pattern: str) -> Iterator[Complaint]:
    if what := fault_of(pattern):
        yield Complaint(path, what)


def _swapped(path: KeyPath, limits: Condition | CleaningRule) -> Iterator[Complaint]:
    fewest, most = limits.min_chars, limits.max_chars
    if fewest is not None and most is not None and fewest > most:
        what = f"no text has at least {fewest} and at most {most} characters"
        yield Complaint((*path, "min_chars"), what, involved=((*path, "max_chars"),))


def _broken_in_fields(path: KeyPath, source: FieldsSource) -> Iterator[Complaint]:
    if not any(map(placeholders, source.user)):
        yield Complaint((*path, "user"), "names no column, all rows would ask the same", _EXAMPLE)
    if not placeholders(source.assistant):
        yield Complaint((*path, "assistant"), "names no column, all rows would answer the same", _EXAMPLE)


def _broken_in_utterances(path: KeyPath, source: UtterancesSource) -> Iterator[Complaint]:
    if "text" in source.labels:
        yield Complaint((*path, "labels", "text"), "{text} is the utterance: give the label another name")
    for key, form in (("turn", source.turn), ("reply", source.reply)):
        if isinstance(form, str):
            if "text" not in placeholders(form):
                yield Complaint((*path, key), "has no {text}, the utterance itself would be lost")
            continue
        holders = [name for name, template in form.items() if "text" in placeholders(template)]
        if len(holders) != 1:
            named = f" ({', '.join(holders)})" if holders else ""
            what = f"one of its keys must hold {{text}}, not {len(holders) or 'none'}{named}"
            yield Complaint((*path, key), what, "that key is what the assistant writes, the others are given")


def _broken_in_text(path: KeyPath, source: TextSource) -> Iterator[Complaint]:
    if not placeholders(source.text):
        yield Complaint((*path, "text"), "names no column, all rows would be the same", _EXAMPLE)
    for key, value in (("system", source.system), ("blocks", source.blocks)):
        if value:
            what = "a text is trained on as it stands, without a system message and without blocks"
            yield Complaint((*path, key), what, "write it into `text`, or use another kind")
