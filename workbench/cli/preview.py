"""Show one example exactly as it trains: the rendered text, its tokens, and which of them are trained."""

import argparse

from workbench.cli.arguments import add_json, add_layers, add_project, opened


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`preview PROJECT [--row N] [--source N] [--json]`."""
    add_project(parser)
    parser.add_argument("--row", type=int, default=0, metavar="N", help="row number in its source, from 0")
    parser.add_argument("--source", type=int, default=0, metavar="N", help="which [[data.source]], from 0")
    add_layers(parser)
    add_json(parser, 'print {"text", "ids", "tokens", "mask", ...}')


def run(args: argparse.Namespace) -> int:
    """Print the preview; trained tokens are underlined and stand between brackets."""
    from workbench.prompts.preview import preview

    shown = preview(opened(args), args.row, args.source)
    if args.json:
        from workbench.cli.console import write_json

        write_json(shown)
    else:
        _print(shown)
    return 0


def _print(shown: dict[str, object]) -> None:
    from typing import Any, cast

    from rich.text import Text

    from workbench.cli.console import note, out
    from workbench.ui.text import clean_lines

    fields = cast(dict[str, Any], shown)
    text = Text()
    trained_before = False
    end = 0
    for (start, stop), trained in zip(fields["spans"], fields["mask"], strict=True):
        if bool(trained) != trained_before:
            text.append("⟦" if trained else "⟧", style="bold green")
            trained_before = bool(trained)
        piece = fields["text"][max(start, end) : stop]
        text.append(clean_lines(piece), style="green underline" if trained else "")
        end = max(end, stop)
    if trained_before:
        text.append("⟧", style="bold green")
    out.print(text, soft_wrap=True)
    note(
        f"{len(fields['ids'])} tokens, {fields['supervised']} trained (between ⟦ and ⟧), "
        f"template {fields['template']}"
    )
    for warning in fields["warnings"]:
        note(f"warning: {warning}")
