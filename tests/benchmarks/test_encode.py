"""Encoding against transformers' `apply_chat_template`, row by row: 10,000 conversations.

The rival gives ids, and when asked for it a mask of what stands in ``{% generation %}``. `encode_supervised`
always gives ids and mask, whether every answer teaches to stop, and the remarks on each row.

What counts is the time that a user waits; the processor's time is reported beside it. Each side has its best
of three rounds in turn, as other work on the machine disturbs single ones. Every round begins with tokenizers
that have seen no text.
"""

import gc
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from transformers import PreTrainedTokenizerFast

from workbench import embedded
from workbench.data.example import Example, Message, Origin
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.encode_many import encode_supervised
from workbench.prompts.encoding.encoded import Supervised
from workbench.prompts.encoding.limits import UNLIMITED, Limits
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer

ROWS = 10_000
ROUNDS = 3
T = TypeVar("T")
Seconds = tuple[float, float]
"""On the clock, and of the processor."""


def conversations() -> list[Example]:
    """One to three turns of words that come as often as in a language (Zipf), from 5,000 of them."""
    draw = random.Random(0)
    letters = "etaoinshrdlu"
    words = ["".join(draw.choice(letters) for _ in range(draw.randint(1, 9))) for _ in range(5000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    rows = []
    for n in range(ROWS):
        turns = [
            Message(role, " ".join(draw.choices(words, weights, k=draw.randint(3, 25))) + ".")
            for _ in range(draw.randint(1, 3))
            for role in ("user", "assistant")
        ]
        rows.append(Example(tuple(turns), Origin(0, n)))  # type: ignore[arg-type]
    return rows


def timed(work: Callable[[], list[T]]) -> tuple[Seconds, list[T]]:
    """Time and result; what is in memory already is no work for the garbage collector."""
    gc.collect()
    gc.freeze()
    clock, processor = time.perf_counter(), time.process_time()
    made = work()
    return (time.perf_counter() - clock, time.process_time() - processor), made


def best(rounds: list[Seconds]) -> Seconds:
    """The shortest time of each sort."""
    clock, processor = zip(*rounds, strict=True)
    return min(clock), min(processor)


@pytest.mark.benchmark
def test_five_times_as_fast_as_apply_chat_template(record_property: Any) -> None:
    folder = embedded.FOLDER
    theirs = [PreTrainedTokenizerFast.from_pretrained(str(folder))]
    template = load_template("base", Path(), load_tokenizer(folder))
    rows = conversations()
    plain = [[{"role": m.role, "content": m.content} for m in row.messages] for row in rows]

    def ids(messages: list[dict[str, str]]) -> list[int]:
        made: list[int] = theirs[-1].apply_chat_template(
            messages, chat_template=template.source, tokenize=True, return_dict=False
        )
        return made

    def ids_and_mask(messages: list[dict[str, str]]) -> Any:
        return theirs[-1].apply_chat_template(
            messages, chat_template=template.source, return_dict=True, return_assistant_tokens_mask=True
        )

    ids(plain[0])  # compiles the template
    ids_and_mask(plain[0])
    times: dict[str, list[Seconds]] = {"ours": [], "ids": [], "ids and mask": []}
    for _ in range(ROUNDS):
        theirs.append(PreTrainedTokenizerFast.from_pretrained(str(folder)))
        seconds, expected = timed(lambda: [ids(messages) for messages in plain])
        times["ids"].append(seconds)
        theirs.append(PreTrainedTokenizerFast.from_pretrained(str(folder)))
        seconds, masked = timed(lambda: [ids_and_mask(messages) for messages in plain])
        times["ids and mask"].append(seconds)
        encoder = Encoder(load_tokenizer(folder), template, limits=Limits(UNLIMITED))
        seconds, ours = timed(lambda encoder=encoder: list(encode_supervised(encoder, rows)))  # type: ignore[misc]
        times["ours"].append(seconds)
    made = [row for row in ours if isinstance(row, Supervised)]
    assert [list(row.ids) for row in made] == expected
    assert [list(row.mask) for row in made] == [row["assistant_masks"] for row in masked]

    clock, processor = best(times["ours"])
    record_property("rows_per_second", round(ROWS / clock))
    for rival in ("ids", "ids and mask"):
        their_clock, their_processor = best(times[rival])
        record_property(f"ratio to {rival}", round(their_clock / clock, 2))
        record_property(f"ratio to {rival}, processor", round(their_processor / processor, 2))
    ratio = best(times["ids"])[0] / clock
    assert ratio >= 5, f"only {ratio:.2f} times the speed of apply_chat_template"
