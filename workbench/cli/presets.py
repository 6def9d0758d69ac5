"""List the presets, show one with where its values come from, or what a project does otherwise than its own.

A preset is chosen with `preset = "NAME"` in [training], or `--set training.preset=NAME`. What the project
sets itself goes over it.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_json, add_layers
from workbench.project.training import PRESETS

if TYPE_CHECKING:
    from workbench.project.store import OpenProject


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`presets [NAME] [--project PROJECT] [--json]`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this one, as TOML")
    parser.add_argument("--project", type=Path, metavar="PROJECT", help="what this project does otherwise")
    add_layers(parser, "training.preset=fika-task-1")
    add_json(parser, 'print {"name", "about", "values", "sources"}, or {"preset", "differences"}')


def run(args: argparse.Namespace) -> int:
    """Print the list, one preset, or the differences of a project."""
    from workbench.cli.arguments import opened
    from workbench.cli.console import say, write_json
    from workbench.errors import fault
    from workbench.project.preset import known_preset, presets

    if args.name and args.project:
        hint = f"such as --project {args.project} --set training.preset={args.name}"
        raise fault("a NAME and --project are two questions", "presets", hint)
    if args.project:
        return _print_differences(opened(args), args.json)
    chosen = [known_preset(args.name, "presets")] if args.name else presets()
    if args.json:
        tables = [
            {"name": each.name, "about": each.about, "values": each.values, "sources": each.sources}
            for each in chosen
        ]
        write_json(tables[0] if args.name else tables, indent=2)
    elif args.name:
        say(chosen[0].text.rstrip())
    else:
        for each in chosen:
            say(f"{each.name:<{max(map(len, PRESETS))}}  {each.about}")
    return 0


def _print_differences(project: "OpenProject", as_json: bool) -> int:
    from dataclasses import asdict

    from workbench.cli.console import note, say, write_json
    from workbench.project.fields import format_value, usual
    from workbench.project.preset import NONE, differences

    name = project.settings.training.preset
    found = differences(project.settings)
    if as_json:
        write_json({"preset": name, "differences": list(map(asdict, found))}, indent=2)
        return 0
    than = "the defaults; no preset is chosen" if name == NONE else f"preset {name}"
    note(f"{project.name}: {len(found)} differ from {than}")
    sources = usual(name)
    for each in found:
        by = f"preset {sources[each.key].preset}" if sources[each.key].preset else "default"
        source = f"   {sources[each.key].source}" if sources[each.key].source else ""
        say(f"{each.key} = {format_value(each.value)}   {by} {format_value(each.default)}{source}")
    return 0
