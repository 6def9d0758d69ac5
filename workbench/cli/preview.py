"""Show one example exactly as it trains: the rendered text, its tokens, and which of them are trained.

With --few-shot the row as it is scored, examples before its question; with --variants the row as each
[[prompt.variant]] writes it. A row without an answer shows the prompt that asks for one. Exit code 1 when a
variant cannot be written, 2 when the project's own way cannot.
"""

import argparse
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from rich.text import Text

    from workbench.project.schema import FewShot
    from workbench.project.store import OpenProject


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`preview PROJECT [--row N] [--source N] [--few-shot [K] | --variants] [--json]`."""
    add_project(parser)
    parser.add_argument(
        "--row",
        type=int,
        metavar="N",
        help="row number in its source, from 0; the first usable one without it",
    )
    parser.add_argument("--source", type=int, default=0, metavar="N", help="which [[data.source]], from 0")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--few-shot",
        type=int,
        nargs="?",
        const=0,
        metavar="K",
        help="put K examples before the question; without K as in prompt.few_shot, or as few-shot kept",
    )
    which.add_argument("--variants", action="store_true", help="as the project and its variants write it")
    add_layers(parser, "prompt.template=chatml")
    add_json(parser, 'print {"text", "ids", "tokens", "mask", ...}')


def run(args: argparse.Namespace) -> int:
    """Print the preview; trained tokens are underlined and stand between brackets."""
    from workbench.cli.console import busy, note, write_json
    from workbench.prompts.preview import preview, preview_variants

    project = opened(args)
    with busy("reading the data"):
        if args.variants:
            fields = preview_variants(project, args.row, args.source)
        else:
            fields = preview(project, args.row, args.source, _few_shot(project, args.few_shot))
    if fields["skipped"]:
        note(
            f"row 0 is left out: {fields['skipped']}; this is row {fields['row']}, the first that can be used"
        )
    if args.json:
        write_json(fields)
    elif args.variants:
        for variant in fields["variants"]:
            _print_variant(variant)
    else:
        _print(fields, f"template {fields['template']}")
        for line in fields["special_tokens"]:
            note(f"special tokens: {line}")
    return _code(fields["variants"]) if args.variants else 0


def _code(variants: list[dict[str, Any]]) -> int:
    """The exit code: that of the project's own way first."""
    failed = [variant["own"] for variant in variants if variant["error"]]
    return 2 if any(failed) else 1 if failed else 0


def _few_shot(project: "OpenProject", asked: int | None) -> "FewShot | None":
    from workbench.errors import fault
    from workbench.prompts.shots.few_shot_store import read_shots

    settings = project.settings.prompt.few_shot
    if asked is None:
        return None
    if not asked:
        kept = None if settings.count else read_shots(project.folder)
        return kept.asked_by(settings) if kept else settings
    if not 0 < asked <= 100:
        raise fault(f"{asked} examples", "--few-shot", "from 1 to 100")
    return settings.model_copy(update={"count": asked})


def _print_variant(variant: dict[str, Any]) -> None:
    from workbench.cli.console import note, say

    own = " (the project's own)" if variant["own"] else ""
    template = f", template {variant['template']}" if variant["template"] != variant["name"] else ""
    say(f"── {variant['name']}{own}{template}")
    if variant["error"]:
        note(f"error: {variant['error']}")
    else:
        _print(variant, f"stop {'trained' if variant['stop_trained'] else 'NOT trained'}")


def _print(fields: dict[str, Any], last: str) -> None:
    from workbench.cli.console import note, out

    out.print(_marked(fields), soft_wrap=True, end="")
    what = (
        "the prompt that asks for an answer"
        if fields["asked"]
        else f"{fields['supervised']} {'scored' if 'shots' in fields else 'trained'} (between ⟦ and ⟧)"
    )
    note(f"{len(fields['ids'])} tokens, {what}, {last}")
    if "shots" in fields:
        note("examples: " + ", ".join(map(_shot, fields["shots"])))
    for warning in fields["warnings"]:
        note(f"warning: {warning}")


def _shot(shot: dict[str, Any]) -> str:
    tags = " ".join(f"{name}={value}" for name, value in shot["tags"].items())
    return f"source {shot['source']} row {shot['row']}" + (f" ({tags})" if tags else "")


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
