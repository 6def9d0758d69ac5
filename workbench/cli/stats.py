"""Statistics of a project's rows: lengths, what is trained, what padding would cost, scripts, tags.

Exit code 1 when no row is used, 2 without sources.
"""

import argparse
from collections import Counter
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened
from workbench.ui.widgets.bars import bar

if TYPE_CHECKING:
    from workbench.prompts.survey.statistics import Lengths, SideStatistics
    from workbench.prompts.survey.survey import Survey

BAR = 30
_SHOWN_LONGEST, _SHOWN_VALUES = 5, 20
WIDTH = 80
_COUNT, _SIDE_BAR = 13, 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`stats PROJECT [--profile P] [--set key=value]... [--exact] [--json]`."""
    add_project(parser)
    add_layers(parser, "data.max_tokens=2048")
    parser.add_argument("--exact", action="store_true", help="tokenise every row, however many there are")
    add_json(parser, 'print {"sides", "tags", "padding"}')


def run(args: argparse.Namespace) -> int:
    """Print the statistics of each side of the split."""
    from workbench.cli.console import note, say, write_json
    from workbench.cli.surveying import surveyed
    from workbench.errors import fault
    from workbench.prompts.encoding.limits import SETTINGS
    from workbench.prompts.survey.statistics import padding

    project = opened(args)
    if not project.settings.data.source:
        hint = f"workbench sources {project.folder} --add FILE adds one"
        raise fault("the project has no sources", project.file, hint)
    found, settings = surveyed(project, exact=args.exact), project.settings
    wasted = padding(
        found.statistics.train_lengths,
        settings.training.per_device_train_batch_size,
        settings.data.max_tokens,
        settings.training.seed,
    )
    if args.json:
        from dataclasses import asdict

        write_json(asdict(found.statistics) | {"tags": found.facts.tags, "padding": wasted}, indent=2)
        return 0 if found.facts.used else 1
    if not found.facts.used:
        note(f"no row is used: workbench check {project.folder} says why")
        return 1
    if settings.data.overlong == "truncate":
        limits = {name: getattr(settings.data, name) for name in SETTINGS.values()}
        said = ", ".join(f"data.{name} = {limit:,}" for name, limit in limits.items() if limit)
        for line in wrap(f"lengths are those before anything is cut off: {said}", WIDTH):
            say(line)
    for side, figures in found.statistics.sides.items():
        for line in side_lines(side, figures, found):
            say(line)
    for name, sides in found.facts.tags.items():
        for line in tag_lines(name, sides):
            say(line)
    for finding in found.findings:
        if finding.name == "imbalance":
            for line in wrap(f"! {finding.what}", WIDTH, subsequent_indent="  "):
                say(line)
    if found.statistics.train_lengths:
        say(f"padding of random batches of {settings.training.per_device_train_batch_size}")
        for name, share in wasted.items():
            chosen = "  (chosen)" if name == settings.training.packing else ""
            say(f"  {name:<8}{share:>6.1%} {bar(share, BAR).rstrip()}{chosen}")
    return 0


def side_lines(side: str, figures: "SideStatistics", found: "Survey") -> list[str]:
    """One side in lines of at most 80 cells; names of sources are cut to fit."""
    from workbench.prompts.survey.checks.seen import rows as counted_rows

    sampled = (
        "" if found.statistics.exact else f"; tokens: sampled {figures.encoded:,} of {figures.rows:,} rows"
    )
    lines = [f"{side}: {counted_rows(figures.rows)}{sampled}"]
    if figures.encoded:
        lines.append(f"  {'tokens':<12}{'mean':>9}{'50%':>8}{'90%':>8}{'95%':>8}{'99%':>8}{'longest':>9}")
        named = (("prompt", figures.prompt), ("completion", figures.completion), ("together", figures.total))
        if figures.supervised:
            lines += [_row(name, lengths) for name, lengths in named]
            lines.append(f"  {figures.supervised:.1%} of the tokens are trained")
        else:
            lines += [_row("prompt", figures.prompt), "  no answers: for prediction only"]
    lines.append(f"  {'characters':<12}{'mean':>9}{'50%':>8}{'90%':>8}{'95%':>8}{'99%':>8}{'longest':>9}")
    lines.append(_row("question", figures.question_characters))
    if figures.answer_characters.longest:
        lines.append(_row("answer", figures.answer_characters))
    lines += _histogram(figures.total)
    names = [report.name for report in found.reports]
    longest = figures.longest[:_SHOWN_LONGEST]
    if longest:
        lines.append("  longest rows")
        width = max(len(f"{tokens:,}") for _, _, tokens in longest)
        for source, row, tokens in longest:
            name = f"{names[source][:40]} " if len(names) > 1 else ""
            lines.append(f"    {tokens:>{width},} tokens  {name}row {row:,}")
    lines.append(f"  {'script':<24}{'rows':>10}")
    for script, rows in figures.scripts.items():
        part = rows / figures.rows
        lines.append(f"    {script:<22}{rows:>10,}{part:>7.1%} {bar(part, BAR).rstrip()}")
    return lines


def tag_lines(name: str, sides: dict[str, dict[str, int]]) -> list[str]:
    """How often each value of a tag occurs on each side that has rows, in lines of at most 80 cells."""
    from rich.cells import set_cell_size

    totals = {side: sum(counts.values()) for side, counts in sides.items() if any(counts.values())}
    if not totals:
        return []
    room = WIDTH - len(totals) * (_COUNT + _SIDE_BAR + 1)
    together: Counter[str] = Counter()
    for side in totals:
        together.update(sides[side])
    heads = "".join(f"{side:>{_COUNT}}" + " " * (_SIDE_BAR + 1) for side in totals)
    lines = [set_cell_size(f"tag {name}", room) + heads.rstrip()]
    for value, _ in together.most_common(_SHOWN_VALUES):
        cells = ""
        for side, total in totals.items():
            count = sides[side].get(value, 0)
            figures = f"{count:,} {count / total:4.0%}"
            cells += f"{figures:>{_COUNT}} {bar(count / total, _SIDE_BAR)}"
        lines.append((set_cell_size(f"  {value or '(none)'}", room) + cells).rstrip())
    if len(together) > _SHOWN_VALUES:
        lines.append(f"  and {len(together) - _SHOWN_VALUES:,} more values")
    return lines


def _row(name: str, lengths: "Lengths") -> str:
    at: Any = lengths.percentiles
    cells = "".join(f"{at.get(p, 0):>8,}" for p in (50, 90, 95, 99))
    return f"  {name:<12}{lengths.mean:>9,.1f}{cells}{lengths.longest:>9,}"


def _histogram(lengths: "Lengths") -> list[str]:
    most = max((count for _, _, count in lengths.histogram), default=0)
    return [f"  {'tokens of a row':>15} {'rows':>10}"] * bool(most) + [
        f"  {f'{first:,}-{last:,}':>15} {count:>10,} {bar(count / most, BAR).rstrip()}"
        for first, last, count in lengths.histogram
    ]
