"""A row's prompt with examples before its question, as turns of the conversation or as one text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from workbench.data.example import Example, Message
from workbench.errors import fault
from workbench.project.schema import FewShot
from workbench.prompts.blocks import JOINT, Blocks, compose
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.limits import UNLIMITED, Limits
from workbench.prompts.shots.few_shot import Shots

_PLACES = re.compile(r"\{(user|assistant)\}")


def with_shots(example: Example, shots: Shots, settings: FewShot, blocks: Blocks) -> Example:
    """`example` with the shots before its question, and all blocks written; for `scoring_encoder`.

    With `settings.shot` the examples are text before the question, as `before`, the shots, `after`; without
    it they are turns. The project's blocks come once, in front; a row's own blocks stay with its question.

    Raises WorkbenchError when nobody asks in the example.
    """
    system = example.messages[:1] if example.messages[0].role == "system" else ()
    if not any(message.role == "user" for message in example.messages):
        raise fault("nobody asks in this row: examples have no place")
    body = compose(example.messages[len(system) :], example.blocks, blocks, shared=False)
    # As text a shot needs no title where it has no blocks; as turns it is written like the question
    form = replace(blocks, shared=()) if settings.shot else blocks
    told = [_told(shot, form) for shot in shots.examples]
    if settings.shot:
        text = settings.before + "".join(_as_text(turns, settings.shot) for turns in told) + settings.after
        body = (replace(body[0], content=text + body[0].content), *body[1:])
    else:
        body = (*(message for turns in told for message in turns), *body)
    if blocks.shared:
        knowledge = [blocks.write(*block) for block in blocks.shared]
        body = (replace(body[0], content=JOINT.join([*knowledge, body[0].content])), *body[1:])
    return replace(example, messages=(*system, *body), blocks=())


def scoring_encoder(encoder: Encoder) -> Encoder:
    """The same encoder for conversations of `with_shots`: their blocks are written, only the last answer
    counts, and the length of the training examples is no limit."""
    return Encoder(
        encoder.tokenizer, encoder.template, limits=Limits(UNLIMITED), train_on="last", system=encoder.system
    )


def _told(shot: Example, blocks: Blocks) -> tuple[Message, ...]:
    turns = tuple(message for message in shot.messages if message.role != "system")
    return compose(turns, shot.blocks, blocks, shared=False)


def _as_text(turns: Sequence[Message], form: str) -> str:
    filled = (
        _PLACES.sub(lambda match, exchange=exchange: exchange[match[1]], form)  # type: ignore[misc]
        for exchange in _exchanges(turns)
    )
    return "".join(filled)


def _exchanges(turns: Sequence[Message]) -> Iterator[dict[str, str]]:
    for asked, said in zip(turns, turns[1:], strict=False):
        if (asked.role, said.role) == ("user", "assistant"):
            yield {"user": asked.content, "assistant": said.content}
