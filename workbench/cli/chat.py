"""Talk to the base model or to a checkpoint.

In a terminal it is a conversation, kept in the project's chats/: ctrl+c stops an answer, /new begins a new
conversation, ctrl+d ends. Piped, each line is a prompt of its own and gives one line of answer: line breaks
inside an answer become spaces, --json keeps them.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.chat.client import ChatEngine
    from workbench.chat.protocol import Done, Target
    from workbench.data.example import Message
    from workbench.project.store import OpenProject

ANEW = "/new"
KEY = "model"


class Answer(NamedTuple):
    """What was said, and how it ended."""

    text: str
    done: "Done"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`chat PROJECT [--run RUN] [--checkpoint N] [--set chat.temperature=0.2]... [--json]`."""
    add_project(parser)
    parser.add_argument(
        "--run", metavar="RUN", help="talk to a checkpoint of this run; without it, to the base model"
    )
    parser.add_argument(
        "--checkpoint", type=int, metavar="N", help="the checkpoint's step; without it, the run's newest"
    )
    add_layers(parser, "chat.temperature=0.2")
    add_json(parser, 'one object an answer: {"prompt", "answer", "reason", "tokens", ...}')


def run(args: argparse.Namespace) -> int:
    """Start the chat engine, talk, end it."""
    from workbench.chat.client import ChatEngine, EngineDied
    from workbench.chat.targets import remarks
    from workbench.cli.console import busy, note, report
    from workbench.errors import WorkbenchError

    project = opened(args)
    _target(project, args)  # a wrong name is told before the engine is waited for
    engine = ChatEngine()
    # The loop runs only while something is awaited, so that a line is typed with the usual editing keys
    with asyncio.Runner() as loop:
        try:
            with busy("starting the chat engine"):
                loop.run(engine.start())
            target = _target(project, args)  # a training may have moved its checkpoints on meanwhile
            _load(loop, engine, target)
            for remark in remarks(target, project):
                note(f"warning: {remark}")
            if sys.stdin.isatty() and sys.stdout.isatty() and not args.json:
                return _converse(loop, engine, project, target)
            return _answer_lines(loop, engine, project, args.json)
        except EngineDied as error:
            report(WorkbenchError(*(replace(problem, hint="") for problem in error.problems)))
            return 1
        finally:
            loop.run(engine.close())


def _target(project: "OpenProject", args: argparse.Namespace) -> "Target":
    from workbench.chat.targets import targets
    from workbench.errors import fault
    from workbench.runs.folder import find_run, read_spec, require_own

    offered = targets(project)
    if args.run is None:
        if args.checkpoint is not None:
            raise fault("a checkpoint belongs to a run", "--checkpoint", "add --run RUN")
        return offered[0]
    run = find_run(args.run, project.folder)
    require_own(run, project.folder)
    of_run = [target for target in offered if target.run == run.id]
    if not of_run:
        read_spec(run)  # what is wrong with it, if that is the reason
        raise fault("this run has no complete checkpoint yet", run.id)
    if args.checkpoint is None:
        return of_run[0]
    for target in of_run:
        if target.step == args.checkpoint:
            return target
    steps = ", ".join(str(target.step) for target in of_run)
    raise fault(f"no checkpoint at step {args.checkpoint}", run.id, f"there are: {steps}")


def _load(loop: asyncio.Runner, engine: "ChatEngine", target: "Target") -> None:
    from workbench.cli.console import busy

    with busy(f"loading {target.label}"):
        loop.run(engine.start())
        loop.run(engine.load({KEY: target}))


def _converse(loop: asyncio.Runner, engine: "ChatEngine", project: "OpenProject", target: "Target") -> int:
    """A conversation with a person; what goes wrong is told, and the question can be asked again."""
    import readline  # noqa: F401  gives `input` its editing keys and its history

    from workbench.chat.transcript import Transcript
    from workbench.cli.console import note, report
    from workbench.data.example import Message
    from workbench.errors import WorkbenchError
    from workbench.ui.text import clean_lines

    def write(text: str) -> None:
        sys.stdout.write(clean_lines(text))
        sys.stdout.flush()

    note(f"{target.label}. ctrl+c stops an answer, {ANEW} begins a new conversation, ctrl+d ends.")
    conversation: list[Message] = []
    transcript: Transcript | None = None
    while (said := _ask()) is not None:
        if not said.strip():
            continue
        if said.strip() == ANEW:
            conversation, transcript = [], None
            continue
        asked = [*conversation, Message("user", said)]
        try:
            if not engine.running:
                _load(loop, engine, target)
            text, done = loop.run(_answer(engine, asked, project, write))
            write("\n")
            note(f"[{done.reason}, {done.tokens} tokens, {done.tokens_per_second:.0f} tokens/s]")
            if not text.strip():  # templates refuse an empty turn
                note("no answer: ask again")
                continue
            conversation = [*asked, Message("assistant", text)]
            if transcript is None:
                transcript = Transcript.begin(project.folder)
                note(f"kept in {transcript.path}")
            transcript.add(conversation, target, project.settings.chat, done)
        except WorkbenchError as error:
            report(error)
    return 0


def _ask() -> str | None:
    """What the person types; None at the end."""
    try:
        return input("> ")
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        return ""
    except EOFError:
        sys.stdout.write("\n")
        return None


def _answer_lines(loop: asyncio.Runner, engine: "ChatEngine", project: "OpenProject", as_json: bool) -> int:
    """One answer a line, in step with the prompts: a prompt without an answer gives an empty line.

    Raises EngineDied.
    """
    from workbench.chat.client import EngineDied
    from workbench.cli.console import report, say, write_json
    from workbench.data.example import Message
    from workbench.errors import Problem, WorkbenchError

    failed = False
    for number, line in enumerate(sys.stdin, 1):
        prompt = line.rstrip("\r\n")
        try:
            text, done = loop.run(_answer(engine, [Message("user", prompt)], project))
        except EngineDied:
            raise
        except WorkbenchError as error:
            failed = True
            report(WorkbenchError(*(Problem(str(problem), f"line {number}") for problem in error.problems)))
            if as_json:
                write_json({"prompt": prompt, "error": str(error)})
            else:
                say("")
            continue
        if as_json:
            figures = {
                "reason": done.reason,
                "tokens": done.tokens,
                "first_token_seconds": done.first_token_seconds,
                "tokens_per_second": done.tokens_per_second,
            }
            write_json({"prompt": prompt, "answer": text} | figures)
        else:
            say(" ".join(text.split()))
    return 1 if failed else 0


async def _answer(
    engine: "ChatEngine",
    messages: "list[Message]",
    project: "OpenProject",
    write: Callable[[str], None] | None = None,
) -> Answer:
    """One answer; with `write` it is written while it comes, and ctrl+c stops it instead of the program."""
    from workbench.chat.protocol import Column, Failed, Piece
    from workbench.cli.console import note

    loop = asyncio.get_running_loop()

    def stop() -> None:
        # The engine may be out of reach
        loop.remove_signal_handler(signal.SIGINT)
        note("\nstopping; ctrl+c again ends")
        stopping.append(loop.create_task(engine.stop()))

    stopping: list[asyncio.Task[None]] = []
    if write:
        loop.add_signal_handler(signal.SIGINT, stop)
    text = ""
    try:
        async for reply in engine.generate([Column(KEY, messages, project.settings.chat)]):
            if isinstance(reply, Failed):
                raise reply.error()
            if not isinstance(reply, Piece):
                return Answer(text, reply)
            text += reply.text
            if write:
                write(reply.text)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    raise AssertionError("an answer ends in Done, or raises")
