"""A row of an evaluation as text for reading."""

from rich.text import Text

from workbench.evaluation.contents import RowResult
from workbench.evaluation.records import ScoredRow
from workbench.ui.text import shown


def conversation(row: ScoredRow) -> Text:
    """What was asked, with all that stood before it, and the reference."""
    text = Text()
    if row.tags:
        text.append_text(shown("   ".join(f"{name} = {value}" for name, value in row.tags.items()), "italic"))
        text.append("\n")
    for title, block in row.blocks:
        text.append_text(Text.assemble(shown(f"block {title}\n", "bold"), shown(f"{block}\n")))
    for said in row.messages:
        text.append_text(Text.assemble((f"{said.role}\n", "bold"), shown(f"{said.content}\n")))
    if row.given:
        given = "   ".join(f"{name} = {value}" for name, value in row.given.items())
        text.append_text(Text.assemble(("given of the answer  ", "bold"), shown(f"{given}\n", "italic")))
    text.append("reference\n", "bold")
    return text.append_text(shown(f"{row.reference if row.reference is not None else '(none)'}\n"))


def findings_text(result: RowResult) -> Text:
    """What is wrong with the answer, one line each; nothing where nothing is."""
    text = Text()
    if result.skipped:
        text.append_text(shown(f"! {result.skipped}\n", "bold"))
    if result.wrong:
        text.append_text(shown(f"✗ should be {result.true}, is {result.predicted}\n", "bold"))
    for finding in result.findings:
        text.append_text(Text.assemble((f"! {finding.check}: ", "bold"), shown(f"{finding.what}\n")))
    return text
