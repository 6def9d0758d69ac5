"""Look at this box: terminal, colours, clipboard, disk, CUDA, bitsandbytes; say what to change."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_json

if TYPE_CHECKING:
    from rich.text import Text

    from workbench.machine.doctor import Finding

INDENT = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`doctor [--json]`."""
    add_json(parser, "print a list of findings")


def run(args: argparse.Namespace) -> int:
    """Print each finding as it comes; exit code 1 when something has to change."""
    from dataclasses import asdict

    from workbench.cli.console import busy, out, write_json
    from workbench.machine.doctor import examine

    findings: list[Finding] = []
    checks = examine(Path("projects"))
    while True:
        with busy("looking"):
            finding = next(checks, None)
        if finding is None:
            break
        findings.append(finding)
        if not args.json:
            out.print(_lines(finding, out.width))
    if args.json:
        write_json([asdict(finding) for finding in findings], indent=2)
    return 0 if all(finding.ok for finding in findings) else 1


def _lines(finding: "Finding", width: int) -> "Text":
    """What was seen, and under it what to do; long texts stay in their column."""
    from rich.text import Text

    from workbench.cli.console import out
    from workbench.ui.text import shown

    texts = [shown(finding.seen)]
    if finding.remedy:
        texts.append(shown(f"-> {finding.remedy}", "" if finding.ok else "bold"))
    lines = [line for text in texts for line in text.wrap(out, max(width - INDENT, INDENT))]
    mark = Text("ok", style="green") if finding.ok else Text("MEND", style="bold red")
    mark.pad_right(6 - len(mark))
    return Text.assemble(mark, f"{finding.name:<{INDENT - 6}}", Text("\n" + " " * INDENT).join(lines))
