"""Statistics of a project's rows: lengths, what is trained, what padding would cost, scripts."""

import argparse
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.prompts.statistics import Lengths, SideStatistics
    from workbench.prompts.survey import Survey

BAR = 30
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SHOWN_LONGEST = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`stats PROJECT [--profile P] [--set key=value]... [--exact] [--json]`."""
    add_project(parser)
    add_layers(parser, "data.max_tokens=2048")
    parser.add_argument("--exact", action="store_true", help="tokenise every row, however many there are")
    add_json(parser, 'print {"sides", "padding"}')


def run(args: argparse.Namespace) -> int:
    """Print the statistics of each side of the split."""
    from workbench.cli.console import say, write_json
    from workbench.cli.surveying import surveyed
    from workbench.prompts.statistics import padding

    project = opened(args)
    found, settings = surveyed(project, exact=args.exact), project.settings
    wasted = padding(
        found.statistics.train_lengths,
        settings.training.per_device_train_batch_size,
        settings.data.max_tokens,
        settings.training.seed,
    )
    if args.json:
        from dataclasses import asdict

        write_json(asdict(found.statistics) | {"padding": wasted}, indent=2)
        return 0
    for side, figures in found.statistics.sides.items():
        for line in side_lines(side, figures, found):
            say(line)
    if found.statistics.train_lengths:
        say(f"padding of random batches of {settings.training.per_device_train_batch_size}")
        for name, share in wasted.items():
            chosen = "  (chosen)" if name == settings.training.packing else ""
            say(f"  {name:<8}{share:>6.1%} {bar(share)}{chosen}")
    return 0


def side_lines(side: str, figures: "SideStatistics", found: "Survey") -> list[str]:
    """One side in lines of at most 80 cells; names of sources are cut to fit."""
    sampled = (
        "" if found.statistics.exact else f"; tokens: sampled {figures.encoded:,} of {figures.rows:,} rows"
    )
    lines = [f"{side}: {figures.rows:,} rows{sampled}"]
    if figures.encoded:
        lines.append(f"  {'tokens':<12}{'mean':>9}{'50%':>8}{'90%':>8}{'95%':>8}{'99%':>8}{'longest':>9}")
        named = (("prompt", figures.prompt), ("completion", figures.completion), ("together", figures.total))
        lines += [_row(name, lengths) for name, lengths in named]
        lines.append(f"  {figures.supervised:.1%} of the tokens are trained")
    lines.append(f"  {'characters':<12}{'mean':>9}{'50%':>8}{'90%':>8}{'95%':>8}{'99%':>8}{'longest':>9}")
    lines.append(_row("question", figures.question_characters))
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
    most = max(figures.scripts.values(), default=0)
    for script, rows in figures.scripts.items():
        lines.append(f"    {script:<22}{rows:>10,} {bar(rows / most)}")
    return lines


def bar(share: float) -> str:
    """A bar of BAR cells for the whole, to an eighth of a cell."""
    eighths = round(min(1.0, max(0.0, share)) * BAR * 8)
    if share > 0:
        eighths = max(1, eighths)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def _row(name: str, lengths: "Lengths") -> str:
    at: Any = lengths.percentiles
    cells = "".join(f"{at.get(p, 0):>8,}" for p in (50, 90, 95, 99))
    return f"  {name:<12}{lengths.mean:>9,.1f}{cells}{lengths.longest:>9,}"


def _histogram(lengths: "Lengths") -> list[str]:
    most = max((count for _, _, count in lengths.histogram), default=0)
    return [f"  {'tokens of a row':>15} {'rows':>10}"] * bool(most) + [
        f"  {f'{first:,}-{last:,}':>15} {count:>10,} {bar(count / most)}"
        for first, last, count in lengths.histogram
    ]
