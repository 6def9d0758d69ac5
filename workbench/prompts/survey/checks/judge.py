"""From facts to findings: every check in turn, the gravest first."""

from collections.abc import Sequence

from workbench.data.report import SourceReport
from workbench.errors import WorkbenchError, fault
from workbench.project.complaints import did_you_mean
from workbench.project.schema import Project
from workbench.prompts.survey.checks import (
    about_limits,
    about_losses,
    about_rows,
    about_schedule,
    about_settings,
    about_texts,
    about_tokens,
)
from workbench.prompts.survey.checks.facts import Facts
from workbench.prompts.survey.checks.seen import Seen
from workbench.prompts.survey.findings import Finding

RED = (
    "source-lost",
    "nothing-to-train",
    "leak",
    "no-supervised",
    "too-long",
    "context",
    "truncated",
    "prompt-too-long",
    "prompt-truncated",
    "answer-too-long",
    "answer-truncated",
    "stop-not-trained",
    "double-bos",
    "double-eos",
)
"""Names that can be red: what `data.accept` takes."""
_ORDER = {"red": 0, "yellow": 1, "note": 2}


def judge(
    facts: Facts,
    reports: list[SourceReport],
    settings: Project,
    special_tokens: Sequence[str] = (),
    context: int | None = None,
    weights: int | None = None,
) -> list[Finding]:
    """All findings, red ones first; those that `data.accept` names are marked accepted.

    `special_tokens` is what adding them changes, as `special_tokens.consequences` says it; `context` how many
    tokens the base model has positions for, `weights` the bytes of its weights.
    """
    seen = Seen(facts, reports, settings, context, weights)
    found = [
        finding
        for about in (
            about_rows,
            about_losses,
            about_limits,
            about_tokens,
            about_texts,
            about_schedule,
            about_settings,
        )
        for finding in about.findings(seen)
    ]
    if special_tokens:
        found.append(Finding("special-tokens", "note", "; ".join(special_tokens)))
    for finding in found:
        finding.accepted = finding.level == "red" and finding.name in settings.data.accept
    return sorted(found, key=lambda finding: _ORDER[finding.level])


def require_known(settings: Project) -> None:
    """Raises WorkbenchError for a name in `data.accept` that no finding has."""
    problems = [
        problem
        for name in settings.data.accept
        if name not in RED
        for problem in fault(
            f"no red finding is called {name!r}",
            "data.accept",
            did_you_mean(name, RED) or f"there are: {', '.join(RED)}",
        ).problems
    ]
    if problems:
        raise WorkbenchError(*problems)
