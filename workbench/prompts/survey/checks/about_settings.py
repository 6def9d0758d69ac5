"""Findings about settings that are valid and do not do what one may think."""

from collections.abc import Iterator

from workbench.project.remarks import remarks
from workbench.prompts.survey.checks.about_schedule import schedule
from workbench.prompts.survey.checks.seen import Seen
from workbench.prompts.survey.findings import Finding


def findings(seen: Seen) -> Iterator[Finding]:
    """One note a remark; a project that holds nothing out has a finding of its own, `no-validation`."""
    planned = schedule(seen.facts, seen.settings)
    for remark in remarks(seen.settings, planned.steps if planned else None, seen.weights):
        if remark.key != "data.validation":
            yield Finding("setting", "note", f"{remark.key}: {remark.text}")
