"""Show one example exactly as it trains: the rendered text, its tokens, and which of them are trained."""

import argparse
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from rich.text import Text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`preview PROJECT [--row N] [--source N] [--json]`."""
    add_project(parser)
    parser.add_argument("--row", type=int, default=0, metavar="N", help="row number in its source, from 0")
    parser.add_argument("--source", type=int, default=0, metavar="N", help="which [[data.source]], from 0")
    add_layers(parser, "prompt.template=chatml")
    add_json(parser, 'print {"text", "ids", "tokens", "mask", ...}')


def run(args: argparse.Namespace) -> int:
    """Print the preview; trained tokens are underlined and stand between brackets."""
    from workbench.cli.console import busy, note, out, write_json
    from workbench.prompts.preview import preview

    with busy("reading the data"):
        fields = preview(opened(args), args.row, args.source)
    if args.json:
        write_json(fields)
        return 0
    out.print(_marked(fields), soft_wrap=True, end="")
    note(
        f"{len(fields['ids'])} tokens, {fields['supervised']} trained (between ⟦ and ⟧), "
        f"template {fields['template']}"
    )
    for warning in fields["warnings"]:
        note(f"warning: {warning}")
    return 0


def _marked(fields: dict[str, Any]) -> "Text":
    """The text with its trained spans marked, one newline at its end."""
    from rich.text import Text

    from workbench.ui.text import clean_lines

    marked, end, trained_before = Text(), 0, False
    for (start, stop), trained in zip(fields["spans"], map(bool, fields["mask"]), strict=True):
        if trained != trained_before:
            marked.append("⟦" if trained else "⟧", style="bold green")
            trained_before = trained
        # Tokens of one character share its span: it is written once
        marked.append(
            clean_lines(fields["text"][max(start, end) : stop]), style="green underline" if trained else ""
        )
        end = max(end, stop)
    if trained_before:
        marked.append("⟧", style="bold green")
    return marked if marked.plain.endswith("\n") else marked.append("\n")
