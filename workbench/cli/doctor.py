"""Look at this box: terminal, colours, clipboard, disk, CUDA, bitsandbytes; say what to change."""

import argparse
from pathlib import Path

from workbench.cli.arguments import add_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`doctor [--json]`."""
    add_json(parser, "print a list of findings")


def run(args: argparse.Namespace) -> int:
    """Print each finding as it comes; exit code 1 when something has to change."""
    from dataclasses import asdict

    from workbench.cli.console import say, write_json
    from workbench.machine.doctor import Finding, examine

    findings: list[Finding] = []
    for finding in examine(Path("projects")):
        findings.append(finding)
        if not args.json:
            say(f"{'ok  ' if finding.ok else 'MEND'}  {finding.name:<13}{finding.seen}")
            if finding.remedy:
                say(f"      {'':<13}-> {finding.remedy}")
    if args.json:
        write_json([asdict(finding) for finding in findings], indent=2)
    return 0 if all(finding.ok for finding in findings) else 1
