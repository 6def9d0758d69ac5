"""Talk to the base model or to a checkpoint.

In a terminal it is a conversation. Piped, each line is a prompt of its own and gives one line of answer:
line breaks inside an answer become spaces, --json keeps them.
"""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.chat.client import ChatEngine
    from workbench.chat.protocol import Target
    from workbench.data.example import Message
    from workbench.project.store import OpenProject


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`chat PROJECT [--run RUN] [--checkpoint N] [--set chat.temperature=0.2]... [--json]`."""
    add_project(parser)
    parser.add_argument(
        "--run", metavar="RUN", help="talk to a checkpoint of this run; without it, to the base model"
    )
    parser.add_argument(
        "--checkpoint", type=int, metavar="N", help="the checkpoint's step; without it, the run's newest"
    )
    add_layers(parser)
    add_json(parser, 'print one JSON object an answer: {"prompt", "answer", "reason", "tokens", ...}')


def run(args: argparse.Namespace) -> int:
    """Start the chat engine, talk, end it."""
    project = opened(args)
    return asyncio.run(_talk(project, _target(project, args), as_json=args.json))


def _target(project: "OpenProject", args: argparse.Namespace) -> "Target":
    from workbench.chat.targets import targets
    from workbench.errors import fault
    from workbench.runs.folder import find_run

    offered = targets(project)
    if args.run is None:
        if args.checkpoint is not None:
            raise fault("a checkpoint belongs to a run", "--checkpoint", "add --run RUN")
        return offered[0]
    run = find_run(args.run, project.folder)
    of_run = [target for target in offered if target.run == run.id]
    if not of_run:
        raise fault("this run has no complete checkpoint yet", run.id)
    if args.checkpoint is None:
        return of_run[0]
    for target in of_run:
        if target.step == args.checkpoint:
            return target
    steps = ", ".join(str(target.step) for target in of_run)
    raise fault(f"no checkpoint at step {args.checkpoint}", run.id, f"there are: {steps}")


async def _talk(project: "OpenProject", target: "Target", *, as_json: bool) -> int:
    from workbench.chat.client import ChatEngine
    from workbench.cli.console import err, note

    engine = ChatEngine()
    with err.status(f"loading {target.label}") if err.is_terminal else _Silent():
        await engine.start()
        await engine.load(target)
    try:
        if sys.stdin.isatty():
            note(f"{target.label}. An empty line or ctrl+d ends; ctrl+c stops an answer.")
            return await _converse(engine, project)
        return await _answer_lines(engine, project, as_json)
    finally:
        await engine.close()


class _Silent:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


async def _converse(engine: "ChatEngine", project: "OpenProject") -> int:
    from workbench.cli.console import note
    from workbench.data.example import Message

    history: list[Message] = []
    while True:
        try:
            said = await asyncio.to_thread(input, "> ")
        except EOFError:
            return 0
        if not said.strip():
            return 0
        history.append(Message("user", said))
        answer = await _answer(engine, history, project, aloud=True)
        history.append(Message("assistant", answer["answer"]))
        note(f"[{answer['reason']}, {answer['tokens']} tokens, {answer['tokens_per_second']:.0f} tokens/s]")


async def _answer_lines(engine: "ChatEngine", project: "OpenProject", as_json: bool) -> int:
    from workbench.cli.console import say, write_json
    from workbench.data.example import Message

    while line := await asyncio.to_thread(sys.stdin.readline):
        prompt = line.rstrip("\r\n")
        answer = await _answer(engine, [Message("user", prompt)], project)
        if as_json:
            write_json({"prompt": prompt} | answer)
        else:
            say(" ".join(answer["answer"].split()))
    return 0


async def _answer(
    engine: "ChatEngine", messages: "list[Message]", project: "OpenProject", *, aloud: bool = False
) -> dict[str, Any]:
    """One answer with its figures; written out while it comes when `aloud`."""
    from workbench.chat.protocol import Done, Piece
    from workbench.ui.text import clean_lines

    text = ""
    async for reply in engine.generate(messages, project.settings.chat):
        if isinstance(reply, Piece):
            text += reply.text
            if aloud:
                sys.stdout.write(clean_lines(reply.text))
                sys.stdout.flush()
        elif isinstance(reply, Done):
            if aloud:
                sys.stdout.write("\n")
            return {
                "answer": text,
                "reason": reply.reason,
                "tokens": reply.tokens,
                "first_token_seconds": reply.first_token_seconds,
                "tokens_per_second": reply.tokens_per_second,
            }
    raise AssertionError("an answer ends in Done, or raises")
