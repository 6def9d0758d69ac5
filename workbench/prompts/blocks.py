"""Context blocks before a question, in the style "Ngữ cảnh / Chủ đề / Chat".

First the project's `[[prompt.block]]`, the same in every prompt (knowledge, keywords, notes on culture), then
the row's own blocks, then the user's text. Training, preview and chat compose with the same function.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.data.example import Message, Pairs
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.paths import expanded
from workbench.project.schema import Block, PromptSettings

_PLACES = re.compile(r"\{(title|text)\}")
JOINT = "\n\n"


@dataclass(frozen=True, slots=True)
class Blocks:
    """A project's blocks, their files read.

    Attributes:
        shared: title and text of those that every prompt gets.
        form: how one is written: `{title}` and `{text}` in braces.
        question: title of the user's own text where blocks stand before it; empty for none.
    """

    shared: Pairs = ()
    form: str = "{title}:\n{text}"
    question: str = ""

    def write(self, title: str, text: str) -> str:
        """One block as it is written."""
        return _PLACES.sub(lambda match: title if match[1] == "title" else text, self.form)


NO_BLOCKS = Blocks()


def compose(
    messages: Sequence[Message], own: Pairs, blocks: Blocks, *, shared: bool = True
) -> tuple[Message, ...]:
    """The conversation with its blocks before the text of the first user message, joined by blank lines.

    Args:
        messages: the conversation; without a user message it stays as it is.
        own: blocks of this conversation alone, title and text.
        blocks: those of the project.
        shared: write the project's blocks; without them the form is that of a conversation that has them.
    """
    first = next((i for i, message in enumerate(messages) if message.role == "user"), None)
    if first is None or not (blocks.shared or own):
        return tuple(messages)
    asked = messages[first].content
    parts = [blocks.write(*block) for block in ((*blocks.shared, *own) if shared else own)]
    parts.append(blocks.write(blocks.question, asked) if blocks.question else asked)
    return (
        *messages[:first],
        replace(messages[first], content=JOINT.join(parts)),
        *messages[first + 1 :],
    )


def read_blocks(settings: PromptSettings, folder: Path) -> Blocks:
    """The project's blocks with the texts of their files.

    Raises WorkbenchError with every file that cannot be read or is empty.
    """
    problems: list[Problem] = []
    shared: list[tuple[str, str]] = []
    for block in settings.block:
        try:
            shared.append((block.title, block.text or _read(block, folder)))
        except WorkbenchError as error:
            problems += error.problems
    if problems:
        raise WorkbenchError(*problems)
    return Blocks(tuple(shared), settings.block_form, settings.question)


def with_texts(settings: PromptSettings, folder: Path) -> PromptSettings:
    """The same settings with each block's text in place of its file: what a run keeps of them.

    Raises WorkbenchError as `read_blocks`.
    """
    shared = read_blocks(settings, folder).shared
    return settings.model_copy(update={"block": [Block(title=title, text=text) for title, text in shared]})


def _read(block: Block, folder: Path) -> str:
    file = folder / expanded(block.file)
    try:
        text = file.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        said = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise fault(
            f"block {block.title!r} cannot be read: {said}",
            file,
            "it is looked for in the project folder",
        ) from None
    if not text:
        raise fault(f"block {block.title!r} is empty", file)
    return text
