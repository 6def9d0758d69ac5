"""The front door: finds the command, imports its module only then, turns faults into exit codes.

Exit codes: 0 done, 1 findings (red ones in the rows, for `check` and for `train`; a variant that cannot be
written, a run that failed or would not fit into memory, a box that lacks something), 2 misuse (a wrong
argument, a project or a file that cannot be read).
"""

import argparse
import importlib
import io
import keyword
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol, cast

from workbench import __version__

DONE, FINDINGS, MISUSE = 0, 1, 2
INTERRUPTED = 130
"""128 + SIGINT, as shells count."""

COMMANDS = {
    "tour": "the screen, with a walk through its panes",
    "new": "make a project that trains: from a data file of any known shape, or like one that comes along",
    "fetch": "fetch a base model from the hub before it is needed",
    "presets": "hyperparameters by model size and of real projects; what a project does otherwise",
    "import-config": "settings out of a qlora.py command, a TRL, LLaMA-Factory or Axolotl YAML",
    "sources": "what became of each source's rows, or --add: propose a mapping for one more file",
    "augment": "make rows from rows: one for each reply, other words, other ways to ask",
    "clean": "show which rows each cleaning rule touches, before and after; offer rules",
    "preview": "show one example exactly as it trains: text, token ids, mask",
    "few-shot": "draw the examples of few-shot prompts, and keep them",
    "check": "look at all rows before GPU time is spent: what would go wrong, and in which rows",
    "stats": "lengths in tokens, what is trained, padding, scripts",
    "estimate": "memory, time and disk that a run would need, and what would save how much; --measure tries",
    "train": "start a run in the background and follow it",
    "join": "take part in a run of several nodes, on one of the others",
    "slurm": "write the sbatch script of a run, and hand it to Slurm with --submit",
    "queue": "runs that wait for their turn: add, start, stop",
    "sweep": "try settings against each other, judged on the same validation rows",
    "runs": "list runs with their state",
    "show": "one run: verdict, settings, state, curve in numbers, checkpoints, notes",
    "describe": "count, mean, std, min, quartiles, max of every metric of a run",
    "compare": "runs side by side: settings that differ, figures, verdicts, notes",
    "note": "add to the journal entry of a run, or read it",
    "report": "Markdown and HTML of a run, a sweep or the project, to hand on",
    "import-run": "make runs of what others logged: OpenAI CSV, trainer_state.json, tables, TensorBoard",
    "watch": "follow a run that is going",
    "stop": "stop a run after a checkpoint, or --now",
    "checkpoint": "write a checkpoint of a running run now",
    "validate": "score the validation rows of a running run now",
    "sample": "let a running run answer three held-out prompts now",
    "pause": "let a running run wait between two steps",
    "continue": "let a paused run go on",
    "logging": "change the distance of points of a running run's curve",
    "evaluate": "hold models against each other on the same rows: was it worth it?",
    "evaluation": "what evaluations found: list, table, rows, labels, checks, predictions",
    "rate": "rate answers of an evaluation blind",
    "issue": "note what is wrong with an answer, or write it as it should be",
    "chat": "talk to the base model or to a checkpoint",
    "export": "take a model out: adapter, merged with proof, or GGUF, as it answers here",
    "doctor": "look at terminal, colours, clipboard, CUDA, bitsandbytes, disk: what to change",
}


class Command(Protocol):
    """What a module of this package offers; its docstring is the command's description."""

    __doc__: str | None

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None: ...

    @staticmethod
    def run(args: argparse.Namespace) -> int: ...


class _Parser(argparse.ArgumentParser):
    """Arguments may be foreign text too, such as the names of files."""

    def error(self, message: str) -> NoReturn:
        """Usage and message on stderr, exit code 2."""
        from workbench.ui.text import clean_lines

        super().error(clean_lines(message))


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command line and return its exit code; never raises for a fault of the input."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _dispatch(words)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): what is left in the buffer must not fail at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _dispatch(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        command = _load(words[0])
        parser = _Parser(
            prog=f"workbench {words[0]}",
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(parser)
        args = parser.parse_args(words[1:])
    else:
        # `--version` and `--help` answer here, before the screen's module is imported
        args = _front_parser().parse_args(words)
        command = _load("screen")
    from workbench.errors import WorkbenchError

    try:
        return command.run(args)
    except WorkbenchError as error:
        from workbench.cli.console import report

        report(error)
        return MISUSE


def _load(name: str) -> Command:
    module = f"{name}_" if keyword.iskeyword(name) else name.replace("-", "_")
    return cast(Command, importlib.import_module(f"workbench.cli.{module}"))


def _front_parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    parser = _Parser(
        prog="workbench",
        usage="workbench [PATH] [--profile NAME]\n       workbench COMMAND ...",
        description="A terminal workbench for fine-tuning language models.",
        epilog="commands:\n"
        + "\n".join(f"  {name:<{width}}  {help}" for name, help in COMMANDS.items())
        + "\n\nworkbench COMMAND --help says more",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        help="a project or a folder of projects (default: the folder you are in, or ./projects)",
    )
    parser.add_argument("--profile", metavar="NAME", help="lay [profile.NAME] over the project")
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    return parser
