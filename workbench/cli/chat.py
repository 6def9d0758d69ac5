"""Talk to the base model or to a checkpoint.

In a terminal it is a conversation, kept in the project's chats/: ctrl+c stops an answer, /help lists the
commands, ctrl+d ends. --transcript goes on with one that was kept. Piped, each line is a prompt of its own
and gives one line of answer: line breaks inside an answer become spaces, --json keeps them. With --beside
others answer the same line: an answer each.

Of a run that is still training the newest checkpoint answers, whichever it is at each question.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.chat.client import ChatEngine
    from workbench.chat.protocol import Done, Target
    from workbench.chat.structure import Given
    from workbench.data.example import Message
    from workbench.errors import WorkbenchError
    from workbench.project.store import OpenProject


class Answer(NamedTuple):
    """What was said, and how it ended."""

    text: str
    done: "Done"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`chat PROJECT [--run RUN] [--checkpoint N] [--beside RUN[:N]]... [--quantization Q]
    [--given KEY=VALUE]... [--transcript FILE] [--json]`.
    """
    add_project(parser)
    parser.add_argument(
        "--run", metavar="RUN", help="talk to a checkpoint of this run; without it, to the base model"
    )
    parser.add_argument(
        "--checkpoint", type=int, metavar="N", help="the checkpoint's step; without it, the run's newest"
    )
    parser.add_argument(
        "--beside",
        metavar="RUN[:N]",
        action="append",
        default=[],
        help="piped: another checkpoint, or `base`, that answers too; may be repeated, up to seven times",
    )
    parser.add_argument(
        "--transcript",
        metavar="FILE",
        help="go on with a conversation of chats/; piped, write it as Markdown and end",
    )
    parser.add_argument(
        "--quantization",
        choices=("none", "int8", "nf4"),
        help="hold base models in this way; without it as in training. What it changes is measured and told",
    )
    parser.add_argument(
        "--given",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="what the answer is given, such as emotion=happiness; may be repeated",
    )
    parser.add_argument("--cpu", action="store_true", help="leave the GPU alone: for one that has no room")
    add_layers(parser, "chat.temperature=0.2")
    add_json(
        parser, 'one object a prompt: {"prompt", "answer", "reason", "tokens", ...}, a list with --beside'
    )


def run(args: argparse.Namespace) -> int:
    """Start the chat engine, talk, end it."""
    from workbench.chat.client import ChatEngine, EngineDied
    from workbench.chat.markdown import as_markdown
    from workbench.chat.targets import remarks
    from workbench.chat.transcript import read_transcript
    from workbench.cli.console import busy, note, report, say
    from workbench.cli.talking import converse, transcript_of
    from workbench.errors import WorkbenchError, fault

    project = opened(args)
    # A wrong name is told before the engine is waited for
    _targets(project, args)
    given = _given(project, args.given)
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and not args.json
    if terminal and args.beside:
        raise fault("several answers to a line are for pipes", "--beside", "or talk in the Chat pane")
    kept = transcript_of(project, args.transcript) if args.transcript else None
    if kept and not terminal:
        say(as_markdown(f"Chat of {kept.stem}", read_transcript(kept)).rstrip())
        return 0
    engine = ChatEngine()
    # The loop runs only while something is awaited, so that a line is typed with the usual editing keys
    with asyncio.Runner() as loop:
        try:
            with busy("starting the chat engine"):
                loop.run(engine.start(cpu=args.cpu))
            # A training may have moved its checkpoints on meanwhile
            talk = Talk(loop, engine, _targets(project, args), args.cpu, given)
            said = talk.load()
            said += [remark for target in talk.targets for remark in remarks(target, project)]
            for remark in dict.fromkeys(said):
                note(f"warning: {remark}")
            if terminal:
                return converse(loop, engine, project, talk, kept)
            return _answer_lines(loop, engine, project, talk, args.json)
        except EngineDied as error:
            report(WorkbenchError(*(replace(problem, hint="") for problem in error.problems)))
            return 1
        finally:
            loop.run(engine.close())


def _targets(project: "OpenProject", args: argparse.Namespace) -> "list[Target]":
    from workbench.chat.protocol import MOST_COLUMNS
    from workbench.chat.targets import quantized
    from workbench.errors import fault

    if args.run is None and args.checkpoint is not None:
        raise fault("a checkpoint belongs to a run", "--checkpoint", "add --run RUN")
    if len(args.beside) >= MOST_COLUMNS:
        raise fault(f"more than {MOST_COLUMNS} answers to a line", "--beside")
    found = [_target(project, args.run, args.checkpoint)]
    for name in args.beside:
        run, colon, step = name.partition(":")
        if colon and not step.isdecimal():
            raise fault(f"not a step: {step!r}", "--beside", "RUN:STEP, or RUN for its newest checkpoint")
        found.append(_target(project, None if name == "base" else run, int(step) if colon else None))
    return [quantized(target, args.quantization) for target in found] if args.quantization else found


def _given(project: "OpenProject", wanted: list[str]) -> "Given":
    from workbench.chat.structure import structure_of, usually_given
    from workbench.data.dataset import open_dataset
    from workbench.errors import WorkbenchError

    try:
        dataset = open_dataset(project)
    except WorkbenchError:  # one can talk without the data
        found = None
    else:
        try:
            found = structure_of(dataset)
        finally:
            dataset.close()
    given = usually_given(found)
    for each in wanted:
        given = given.with_answer(each)
    return given


def _target(project: "OpenProject", name: str | None, step: int | None) -> "Target":
    from workbench.chat.targets import targets
    from workbench.errors import fault
    from workbench.runs.folder import find_run, read_spec, require_own

    offered = targets(project)
    if name is None:
        return offered[0]
    run = find_run(name, project.folder)
    require_own(run, project.folder)
    of_run = [target for target in offered if target.run == run.id]
    if not of_run:
        read_spec(run)  # what is wrong with it, if that is the reason
        raise fault("this run has no complete checkpoint yet", run.id)
    if step is None:
        return of_run[0]
    fixed = [target for target in of_run if target.kind == "checkpoint"]
    for target in fixed:
        if target.step == step:
            return target
    steps = ", ".join(str(target.step) for target in fixed)
    raise fault(f"no checkpoint at step {step}", run.id, f"there are: {steps}")


class Talk:
    """Whom we talk to, and what is loaded of them.

    Attributes:
        targets: as they are now: of a run that goes on, its newest checkpoint.
        keys: under which the engine holds them.
        given: what is given with what is said.
    """

    def __init__(
        self,
        loop: asyncio.Runner,
        engine: "ChatEngine",
        targets: "list[Target]",
        cpu: bool,
        given: "Given",
    ) -> None:
        self.targets, self.given = targets, given
        self.keys = [str(number) for number in range(len(targets))]
        self._loop, self._engine, self._cpu = loop, engine, cpu
        self._loaded: list[Target] | None = None

    def load(self) -> list[str]:
        """Load what is not loaded: at first, after the engine has died, when there is a newer checkpoint.

        Returns:
            What a person should know of what was loaded.
        """
        from workbench.chat.targets import newest
        from workbench.cli.console import busy

        if not self._engine.running:
            self._loaded = None
        self.targets = [newest(target) for target in self.targets]
        if self._loaded == self.targets:
            return []
        with busy(f"loading {', '.join(target.label for target in self.targets)}"):
            self._loop.run(self._engine.start(cpu=self._cpu))
            about = self._loop.run(self._engine.load(dict(zip(self.keys, self.targets, strict=True))))
        self._loaded = self.targets
        return [remark for held in about.held.values() for remark in held.remarks]

    def reload(self) -> None:
        """Ask for what is to be held once more: an engine that ran out of memory has let go of it."""
        self._loaded = None


def _answer_lines(
    loop: asyncio.Runner, engine: "ChatEngine", project: "OpenProject", talk: Talk, as_json: bool
) -> int:
    """The answers to each line, in step with the prompts: no answer gives an empty line.

    Raises EngineDied.
    """
    from workbench.chat.client import EngineDied
    from workbench.cli.console import report, say, write_json
    from workbench.errors import Problem, WorkbenchError

    failed = False
    for number, line in enumerate(sys.stdin, 1):
        prompt = line.rstrip("\r\n")
        found: list[Answer | WorkbenchError]
        try:
            talk.load()
            asked = talk.given.prompt([talk.given.message("user", prompt)])
            found = loop.run(answers(engine, talk.keys, asked, project))
        except EngineDied:
            raise
        except WorkbenchError as error:
            talk.reload()
            found = [error for _ in talk.targets]
        objects = []
        for target, answer in zip(talk.targets, found, strict=True):
            named = {"target": target.label} if len(found) > 1 else {}
            if isinstance(answer, WorkbenchError):
                failed = True
                where = ": ".join([f"line {number}", *named.values()])
                report(WorkbenchError(*(Problem(str(problem), where) for problem in answer.problems)))
                objects.append({"prompt": prompt, **named, "error": str(answer)})
                said = ""
            else:
                objects.append({"prompt": prompt, **named, "answer": answer.text, **_figures(answer.done)})
                said = " ".join(answer.text.split())
            if not as_json:
                say(": ".join([*named.values(), said]))
        if as_json:
            write_json(objects if len(objects) > 1 else objects[0])
    return 1 if failed else 0


def _figures(done: "Done") -> dict[str, Any]:
    timed = ("reason", "tokens", "first_token_seconds", "tokens_per_second")
    return {name: getattr(done, name) for name in (*timed, "dropped_turns", "dropped_tokens")}


async def answers(
    engine: "ChatEngine",
    keys: list[str],
    messages: "list[Message]",
    project: "OpenProject",
    write: Callable[[str], None] | None = None,
) -> "list[Answer | WorkbenchError]":
    """What each target answers, or why it does not.

    With `write`, which is for one target, the answer is written while it comes, and ctrl+c stops it instead
    of the program.
    """
    from workbench.chat.protocol import Column, Done, Failed, Piece
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
    texts = [""] * len(keys)
    ended: dict[int, Answer | WorkbenchError] = {}
    try:
        async for reply in engine.generate([Column(key, messages, project.settings.chat) for key in keys]):
            match reply:
                case Piece(text=text, column=column):
                    texts[column] += text
                    if write:
                        write(text)
                case Done(column=column):
                    ended[column] = Answer(texts[column], reply)
                case Failed(column=column):
                    ended[column or 0] = reply.error()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    return [ended[number] for number in range(len(keys))]
