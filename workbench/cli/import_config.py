"""Read the settings of another tool: a qlora.py command line, or a TRL, LLaMA-Factory or Axolotl YAML.

Also the Python of a notebook, which is looked at and never run, and command lines that a report has damaged.
What comes out is printed as lines of project.toml, or written --into a project, whose comments stay. On
stderr stands what became of every setting, and what the tool does unasked where workbench does otherwise.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json

if TYPE_CHECKING:
    from workbench.project.importing.translate import Imported

FROM = ("qlora", "trl", "llama-factory", "axolotl", "transformers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`import-config FILE [--into PROJECT] [--from TOOL] [--json]`, or `import-config -- COMMAND`."""
    parser.add_argument(
        "words",
        nargs="+",
        metavar="FILE",
        help="a YAML file, a shell script, a Python file; `-` for stdin; or, behind `--`, the command itself",
    )
    parser.add_argument("--into", type=Path, metavar="PROJECT", help="write the settings to this project")
    parser.add_argument(
        "--from", choices=FROM, default="", dest="tool", help="by default told from its names"
    )
    add_json(parser, 'print {"tool", "settings", "notes": [{"where", "given", "became", "remark"}]}')


def run(args: argparse.Namespace) -> int:
    """Print the settings, or write them; and a note on each thing."""
    from dataclasses import asdict

    from workbench.cli.console import note, say, write_json
    from workbench.project.importing.toml_text import as_toml

    imported = _read(args)
    written = _write(args.into, imported) if args.into else None
    if args.json:
        notes = list(map(asdict, imported.notes))
        write_json({"tool": imported.tool, "settings": imported.changes, "notes": notes}, indent=2)
        return 0
    if written is None:
        say(as_toml(imported).rstrip())
    _print_notes(imported)
    if written is not None:
        said = ", ".join(written) or "nothing: it is all so already"
        note(f"written to {args.into}: {said}")
    return 0


def _read(args: argparse.Namespace) -> "Imported":
    import sys

    from workbench.project.importing.translate import import_file, import_text, import_words

    words = args.words
    if words == ["-"]:
        return import_text(sys.stdin.read(), "stdin", args.tool)
    if len(words) == 1 and not words[0].startswith("-"):
        return import_file(Path(words[0]).expanduser(), args.tool)
    return import_words(words, args.tool)


def _write(into: Path, imported: "Imported") -> list[str]:
    """Write what the project does not say already, without a preset under it; what was written."""
    from workbench.project.fields import format_value
    from workbench.project.preset import NONE
    from workbench.project.store import open_project, save_settings

    project = open_project(into)
    before: dict[str, Any] = project.settings.model_dump()
    # A recipe of its own lies on no other: what the two have in common stays when the preset goes
    has_preset = project.settings.training.preset != NONE
    changes: dict[str, Any] = {"training.preset": NONE} if has_preset else {}
    for key, value in imported.changes.items():
        section, name = key.split(".")
        if has_preset or before[section][name] != value:
            changes[key] = value
    save_settings(project, changes)
    return [f"{key} = {format_value(value)}" for key, value in changes.items()]


def _print_notes(imported: "Imported") -> None:
    """One line for each thing, with a sign of what became of it."""
    from workbench.cli.console import note

    note(f"read as settings of {imported.tool}: = has a setting here, - has none, ? unknown, + done unasked")
    for each in imported.notes:
        sign = "=" if each.became else "?" if "unknown" in each.remark else "-"
        line = f"{sign if each.where else '+'} {each.where} {each.given}".replace("  ", " ")
        line += f" -> {each.became}" if each.became else ""
        note(f"{line}   {each.remark}".rstrip())
