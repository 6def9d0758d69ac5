"""One look at all of a project's rows, for the command line, the screen and before a run starts."""

from dataclasses import dataclass, replace
from typing import Any

from workbench.data.dataset import open_dataset
from workbench.data.files.rows import Cancelled, Progress
from workbench.data.report import SourceReport
from workbench.project.base_model import context_length
from workbench.project.remarks import weight_bytes
from workbench.project.store import OpenProject
from workbench.prompts.encoding.encode import Encoder, make_encoder
from workbench.prompts.encoding.limits import UNLIMITED
from workbench.prompts.special_tokens import consequences
from workbench.prompts.survey import survey_cache
from workbench.prompts.survey.checks.facts import Facts
from workbench.prompts.survey.checks.gather import gather
from workbench.prompts.survey.checks.judge import judge, require_known
from workbench.prompts.survey.findings import Finding
from workbench.prompts.survey.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found.

    Attributes:
        reports: what became of each source's rows.
        facts: what was seen in the rows.
        findings: what it means with the project's settings, the gravest first.
    """

    reports: list[SourceReport]
    facts: Facts
    findings: list[Finding]

    @property
    def statistics(self) -> Statistics:
        """Lengths, scripts, what is trained."""
        return self.facts.statistics

    @property
    def blocking(self) -> list[Finding]:
        """The findings that keep a run from starting."""
        return [finding for finding in self.findings if finding.blocks]


def survey(
    project: OpenProject,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    *,
    exact: bool = False,
) -> Survey:
    """Look at every row of a project, or take what was kept of the last look at the same rows.

    Args:
        project: with profile and overrides laid in.
        progress: told the share that is done, 0 to 1.
        cancelled: asked now and then.
        exact: tokenise every row, where otherwise a sample of a large data set is.

    Raises:
        WorkbenchError: it was cancelled; `data.accept` has a name that no finding has; everything that
            `make_encoder` raises. A source that cannot be read is a finding instead.
    """
    found = _survey(project, progress, cancelled, exact, only_kept=False)
    assert found
    return found


def survey_cached(project: OpenProject) -> Survey | None:
    """The survey of the project as it is now, if one was made; takes some milliseconds.

    Raises as `survey`.
    """
    return _survey(project, None, None, exact=False, only_kept=True)


def _survey(
    project: OpenProject,
    progress: Progress | None,
    cancelled: Cancelled | None,
    exact: bool,
    only_kept: bool,
) -> Survey | None:
    require_known(project.settings)
    encoder = make_encoder(_unlimited(project))
    dataset = open_dataset(project)
    try:
        file = survey_cache.cache_file(project, dataset, encoder)
        kept = survey_cache.load(file, exact)
        if kept is None and not only_kept:
            gathered = gather(dataset, encoder, project.settings.data, progress, cancelled, exact)
            kept = gathered.facts, gathered.reports
            if not any(report.error for report in gathered.reports):
                survey_cache.store(file, *kept, gathered.facts.statistics.exact)
    finally:
        dataset.close()
    return _judged(project, encoder, *kept) if kept else None


def survey_of(project: OpenProject, plain: Any) -> Survey | None:
    """The survey that another process made of `project` and gave away as `survey_cache.plain`; None when it
    is none. Raises as `survey`."""
    kept = survey_cache.from_plain(plain)
    return _judged(project, make_encoder(_unlimited(project)), *kept) if kept else None


def _judged(project: OpenProject, encoder: Encoder, facts: Facts, reports: list[SourceReport]) -> Survey:
    settings = project.settings
    told = consequences(encoder.tokenizer, settings.prompt.special_tokens, settings.training.method)
    base = encoder.tokenizer.folder
    found = judge(facts, reports, settings, told, context_length(base), weight_bytes(base))
    return Survey(reports, facts, found)


def _unlimited(project: OpenProject) -> OpenProject:
    """The project without a limit on the length of rows: what is too long is measured whole."""
    none = {"max_tokens": UNLIMITED, "max_prompt_tokens": 0, "max_answer_tokens": 0, "overlong": "drop"}
    data = project.settings.data.model_copy(update=none)
    return replace(project, settings=project.settings.model_copy(update={"data": data}))
