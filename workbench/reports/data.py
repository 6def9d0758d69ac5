"""What became of a project's rows: the part of a report that says what was trained on."""

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject
from workbench.prompts.survey.survey import Survey, survey_cached
from workbench.reports.document import Block, Listing, Paragraph, Part, Table

NOT_LOOKED = "not looked at since they were changed: workbench check looks at every row"


def data_parts(project: OpenProject) -> list[Part]:
    """Rows by source, lengths in tokens, findings; from the last look at these rows, if one was kept."""
    try:
        survey = survey_cached(project)
    except WorkbenchError as error:
        return [Part("Data", [Paragraph(f"the rows cannot be looked at: {error}")])]
    if survey is None:
        sources = [f"{source.kind}: {source.path}" for source in project.settings.data.source]
        return [Part("Data", [Listing(sources), Paragraph(f"The rows were {NOT_LOOKED}.")])]
    return [Part("Data", [_sources(survey), *_lengths(survey), *_findings(survey)])]


def _sources(survey: Survey) -> Block:
    rows = [
        [
            report.name or report.path.name,
            *(f"{count:,}" for count in (report.read, report.train, report.validation, report.test)),
            "; ".join(f"{count:,} {why}" for why, count, _ in report.left_out) or "none",
        ]
        for report in survey.reports
    ]
    return Table(["source", "read", "training", "validation", "test", "left out"], rows)


def _lengths(survey: Survey) -> list[Block]:
    rows = []
    for side, figures in survey.statistics.sides.items():
        for name, lengths in (("prompt", figures.prompt), ("answer", figures.completion)):
            if lengths.count:
                at = [f"{lengths.percentiles[p]:,}" for p in (50, 90, 99)]
                cells = [f"{lengths.count:,}", f"{lengths.mean:,.1f}", *at, f"{lengths.longest:,}"]
                rows.append([f"{side}: {name}", *cells])
    says = ["In tokens, before anything is cut off; 50%: the length that half of the rows do not exceed."]
    return (
        [Table(["lengths", "rows", "mean", "50%", "90%", "99%", "longest"], rows, says=says)] if rows else []
    )


def _findings(survey: Survey) -> list[Block]:
    lines = [
        f"{'accepted' if finding.accepted else finding.level}: {finding.name}: {finding.what}"
        for finding in survey.findings
    ]
    return [Listing(lines)] if lines else []
