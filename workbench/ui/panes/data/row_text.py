"""Rows as text for reading: who says what, where it belongs, or why it is left out."""

from rich.text import Text

from workbench.data.example import Example, Rejected
from workbench.data.report import SourceReport
from workbench.ui.text import clean_lines, shown

DETAIL_CHARACTERS = 20_000


def turns(example: Example, most: int = DETAIL_CHARACTERS) -> Text:
    """A conversation: tags, blocks, then each speaker on a line of its own, of `most` characters."""
    text = Text()
    if example.tags:
        text.append_text(shown("   ".join(f"{name} = {value}" for name, value in example.tags), "italic"))
        text.append("\n\n")
    for title, block in example.blocks:
        text.append_text(Text.assemble(shown(f"block {title}", "bold"), f"\n{shortened(block, most)}\n\n"))
    for message in example.messages:
        text.append("text, trained on as it stands" if example.plain else message.role, style="bold")
        for name, value in message.given:
            text.append_text(shown(f"  {name} = {value}", "italic"))
        text.append(f"\n{shortened(message.content, most)}\n\n")
    return text


def why_left_out(outcome: Rejected) -> Text:
    """The reason with its mark and word."""
    sign = "– filtered out: " if outcome.filtered else "✗ rejected: "
    reason = f"{outcome.reason}: {outcome.detail[:DETAIL_CHARACTERS]}" if outcome.detail else outcome.reason
    return Text.assemble((sign, "bold"), shown(reason), "\n\n")


def shortened(text: str, most: int = DETAIL_CHARACTERS) -> str:
    """Foreign text ready to draw; of a very long one the beginning, and how much is left out."""
    left_out = len(text) - most
    note = f"\n… {left_out:,} more characters" if left_out > 0 else ""
    return clean_lines(text[:most]) + note


def outcome(report: SourceReport) -> Text:
    """What became of a source's rows, in one line: the sources view says all of it."""
    line = Text(f"  {report.read:,} rows  {report.kept:,} kept")
    used = ((report.train, "trained on"), (report.validation, "validation"), (report.test, "test"))
    line.append("  " + ", ".join(f"{count:,} {what}" for count, what in used if count))
    for sign, word, reasons in (("✗", "rejected", report.rejected), ("–", "filtered", report.filtered)):
        if reasons:
            by_count = sorted(reasons.items(), key=lambda item: -len(item[1]))
            line.append(f"  {sign} {sum(map(len, reasons.values())):,} {word}: ", style="bold")
            line.append_text(shown(", ".join(f"{len(rows):,} × {reason}" for reason, rows in by_count)))
    return line
