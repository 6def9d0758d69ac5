"""How a cleaning rule is called in reports: the same words wherever it is counted."""

from workbench.project.source import Cleaning, CleaningRule

_LONGEST = 40


def label(rule: Cleaning) -> str:
    """`html`, `prefix 答案：`, `replace /x+/ in assistant`: short, and different for different rules."""
    if isinstance(rule, str):
        return rule
    where = "" if rule.on == "all" else f" in {rule.on}"
    return _what(rule) + where


def _what(rule: CleaningRule) -> str:
    if rule.prefix:
        return "prefix " + _listed(rule.prefix)
    if rule.suffix:
        return "suffix " + _listed(rule.suffix)
    if rule.replace:
        return f"replace /{_short(rule.replace)}/" + (f" with {_short(rule.by)}" if rule.by else "")
    limits = [
        f"{word} {limit} characters"
        for word, limit in (("at least", rule.min_chars), ("at most", rule.max_chars))
        if limit is not None
    ]
    return " and ".join(limits) or "nothing"


def _listed(marks: list[str]) -> str:
    return ", ".join(_short(mark.strip()) for mark in marks)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
