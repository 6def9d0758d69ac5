"""Take a model out, so that other programs load it and it answers as it did here.

adapter: the LoRA adapter for peft; merged: a whole model for transformers and vLLM; gguf: one file for
llama.cpp and Ollama. The tokenizer, the run's chat template and [chat] come along. A merged model is held
against the model as it was trained, on validation rows; a quantized run is merged in two ways, and the nearer
one is written. Nothing is sent anywhere without --push.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from workbench.cli.arguments import add_json, add_project
from workbench.exporting.request import BEST, KINDS, NEWEST, Dtype

if TYPE_CHECKING:
    from workbench.exporting.push import Parcel
    from workbench.exporting.run import Exported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`export PROJECT --run RUN [--checkpoint N] --as KIND --to FOLDER [--push NAME] ...`."""
    add_project(parser)
    parser.add_argument("--run", metavar="RUN", required=True, help="a run's id, its folder, or `latest`")
    parser.add_argument(
        "--checkpoint",
        metavar="N",
        default=NEWEST,
        help=f"the checkpoint's step, `{BEST}` (lowest validation loss) or `{NEWEST}`, the default",
    )
    kinds = "; ".join(f"{name}: {about}" for name, about in KINDS.items())
    parser.add_argument("--as", dest="kind", choices=KINDS, required=True, help=kinds)
    parser.add_argument("--to", metavar="FOLDER", type=Path, required=True, help="the folder that is made")
    parser.add_argument(
        "--dtype",
        choices=get_args(Dtype),
        help="of the written weights; bf16 without it, fp16 for gguf, fp32 for the embedded model",
    )
    parser.add_argument(
        "--merge",
        choices=["original", "dequantised"],
        help="of a quantized run: merge this way, whatever is nearer",
    )
    parser.add_argument("--replace", action="store_true", help="put it in the place of an earlier export")
    parser.add_argument("--push", metavar="OWNER/NAME", help="then send it to a private hub repository")
    parser.add_argument("--yes", action="store_true", help="--push without asking once more")
    add_json(parser, 'print {"folder", "proof", "remarks", "pushed"}')


def run(args: argparse.Namespace) -> int:
    """Export; push when asked to."""
    from workbench.cli.console import note, say, write_json
    from workbench.errors import fault
    from workbench.exporting.push import parcel, push, require_name
    from workbench.exporting.request import ExportRequest, choose_checkpoint
    from workbench.exporting.run import run_export
    from workbench.project.paths import expanded
    from workbench.project.store import open_project
    from workbench.runs.folder import find_run, require_own

    project = open_project(args.project)
    found = find_run(args.run, project.folder)
    require_own(found, project.folder)
    if args.push:
        require_name(args.push)
        if not (args.yes or sys.stdin.isatty()):
            raise fault("nobody is there to say yes to sending it", "--push", "add --yes")
    request = ExportRequest(
        project=project.folder,
        run=found.folder,
        step=choose_checkpoint(found, args.checkpoint).step,
        kind=args.kind,
        to=expanded(args.to).resolve(),
        dtype=args.dtype,
        merge=args.merge,
        replace=args.replace,
    )
    done = run_export(request, note)
    for remark in done.remarks:
        note(f"warning: {remark}")
    sent = ""
    if args.push:
        it = parcel(request.to, args.push)
        if args.yes or _agreed(it):
            sent = push(it, note)
    if args.json:
        proof = done.proof.model_dump(mode="json") if done.proof else None
        write_json(
            {
                "folder": str(request.to),
                "proof": proof,
                "remarks": list(done.remarks),
                "pushed": sent or None,
            },
            indent=2,
        )
        return 0
    for line in figure_lines(done):
        say(line)
    say(f"in {request.to}")
    if args.push:
        say(f"sent to {sent}" if sent else "nothing was sent")
    return 0


def figure_lines(done: "Exported") -> list[str]:
    """Each way against the model as it was trained, the recommended one named."""
    if done.proof is None:
        return []
    proof = done.proof
    ways = [each.way for each in proof.measured]
    lines = [f"{'*' if way == proof.recommended else ' '} {proof.sentence(way)}" for way in ways]
    return [*lines, f"* comes nearest to the model as it was trained, on {proof.tokens:,} tokens"]


def _agreed(it: "Parcel") -> bool:
    from workbench.cli.console import note

    note(f"This sends {it}.")
    try:
        return input(f"Type {it.name} to send it: ").strip() == it.name
    except EOFError:
        return False
