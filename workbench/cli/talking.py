"""A conversation in the terminal: what is typed is a message, or one of a few commands."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.chat.cleanup import clean_answer, takes_leave
from workbench.chat.conversation import Conversation
from workbench.chat.protocol import Done
from workbench.chat.rows import PATH, is_source, save_row
from workbench.chat.transcript import FOLDER
from workbench.cli.console import note, report
from workbench.errors import WorkbenchError, fault
from workbench.ui.text import clean_lines

if TYPE_CHECKING:
    from workbench.chat.client import ChatEngine
    from workbench.cli.chat import Talk
    from workbench.project.store import OpenProject

COMMANDS = {
    "/new": "begin a new conversation",
    "/again": "ask the last question once more",
    "/undo": "take the last message back",
    "/given": "give the answers from now on this: /given emotion=happiness",
    "/good": "rate the last answer",
    "/bad": "rate it, with what is wrong where that is said: /bad wrong number",
    "/save": f"append the conversation to {PATH} as a training row",
    "/help": "this list",
}
ANEW, AGAIN, GIVEN = "/new", "/again", "/given"


def transcript_of(project: "OpenProject", name: str) -> Path:
    """The transcript of this name: a file, or one of the project's `chats/`. Raises WorkbenchError."""
    here = Path(name).expanduser()
    for path in (here, project.folder / FOLDER / name, project.folder / FOLDER / f"{name}.jsonl"):
        if path.is_file():
            return path
    raise fault("no such transcript", name, f"{project.folder / FOLDER} has those of the project")


def converse(
    loop: asyncio.Runner, engine: "ChatEngine", project: "OpenProject", talk: "Talk", kept: Path | None
) -> int:
    """Talk until ctrl+d; what goes wrong is told, and the question can be asked again.

    Raises WorkbenchError: the transcript `kept`, which is to go on, cannot be.
    """
    import readline  # noqa: F401  gives `input` its editing keys and its history

    conversation = Conversation(project.folder)
    note(f"{talk.targets[0].label}. ctrl+c stops an answer, /help lists the commands, ctrl+d ends.")
    if kept is not None:
        conversation = Conversation.reopen(kept, project.folder)
        for message in conversation.messages(0):
            write(f"{'> ' if message.role == 'user' else ''}{message.content}\n")
    while (said := _typed()) is not None:
        word, _, rest = said.strip().partition(" ")
        try:
            if word == ANEW:
                conversation = Conversation(project.folder)
            elif word == GIVEN:
                talk.given = talk.given.with_answer(rest.strip())
            elif word in COMMANDS:
                _carry_out(word, rest.strip(), conversation, project)
            elif word:
                conversation.ask(talk.given.message("user", said))
            if word == AGAIN or (word and word not in COMMANDS):
                _answer(loop, engine, project, talk, conversation)
        except WorkbenchError as error:
            talk.reload()
            report(error)
    return 0


def _carry_out(word: str, rest: str, conversation: Conversation, project: "OpenProject") -> None:
    """A command other than `/new` and `/given`. Raises WorkbenchError."""
    if word == "/help":
        for command, about in COMMANDS.items():
            note(f"{command:<8}{about}")
        return
    if word == "/undo":
        if not conversation.can_undo:
            raise fault("there is nothing to take back")
        conversation.undo()
        note(f"{len(conversation.path)} questions stand")
        return
    if conversation.at is None:
        raise fault("nothing has been said yet")
    if word == AGAIN:
        conversation.ask_again()
        return
    answer = conversation.last_answer(0)
    if answer is None:
        raise fault("there is no answer yet")
    if word == "/save":
        transcript = conversation.transcript
        messages = conversation.messages_to(conversation.at, 0)
        path = save_row(project, messages, answer, transcript=transcript.path if transcript else None)
        hint = (
            "" if is_source(project) else f"; `workbench sources {project.folder} --add {path}` trains on it"
        )
        note(f"saved as a row of {PATH}{hint}")
        return
    conversation.judge(answer, rating="good" if word == "/good" else "bad", issue=rest)
    note(f"rated {answer.rating}")


def _answer(
    loop: asyncio.Runner,
    engine: "ChatEngine",
    project: "OpenProject",
    talk: "Talk",
    conversation: Conversation,
) -> None:
    """Ask the last question and keep what is said. Raises WorkbenchError."""
    from workbench.cli.chat import answers

    settings = project.settings.chat
    talk.load()
    asked = talk.given.prompt(conversation.prompt(0))
    (answer,) = loop.run(answers(engine, talk.keys, asked, project, write))
    if isinstance(answer, WorkbenchError):
        raise answer
    text, done = answer
    write("\n")
    blocks = [(block.title, block.text) for block in talk.targets[0].prompt.block]
    cleaned = clean_answer(text, settings.stop, blocks)
    taken_out = f"; taken out: {', '.join(cleaned.removed)}" if cleaned.removed else ""
    figures = f"{done.reason}, {done.tokens} tokens, {done.tokens_per_second:.0f} tokens/s"
    note(f"[{figures}{_left_out(done)}{taken_out}]")
    if not cleaned.text:  # templates refuse an empty turn
        note("no answer: ask again")
        return
    begins = conversation.transcript is None
    conversation.answer(
        0,
        talk.given.message("assistant", cleaned.text),
        talk.targets[0],
        settings,
        done,
        cut=", ".join(cleaned.removed),
        raw=text,
    )
    if begins and conversation.transcript is not None:
        note(f"kept in {conversation.transcript.path}")
    if conversation.at is not None and takes_leave(conversation.at.question.content):
        note("leave was taken: /new begins a new conversation")


def write(text: str) -> None:
    """Foreign text, as it comes."""
    sys.stdout.write(clean_lines(text))
    sys.stdout.flush()


def _typed() -> str | None:
    """What the person types; None at the end."""
    try:
        return input("> ")
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        return ""
    except EOFError:
        sys.stdout.write("\n")
        return None


def _left_out(done: Done) -> str:
    if not done.dropped_turns:
        return ""
    turns = "question was" if done.dropped_turns == 1 else f"{done.dropped_turns} questions were"
    return f"; the oldest {turns} left out, {done.dropped_tokens} tokens"
