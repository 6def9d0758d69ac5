"""The chat engine against `generate` of transformers, a whole prompt computed again, one column, a model
loaded again: each measured in the same run, in seconds of the processor.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, TextStreamer

from workbench.chat.protocol import Piece, Target, to_line
from workbench.data.example import Message
from workbench.embedded import FOLDER
from workbench.engine.generate import Answer, Asked, Session, answer_together
from workbench.engine.shelf import Shelf
from workbench.engine.writing import Ends
from workbench.project.schema import ChatSettings

pytestmark = pytest.mark.benchmark

TOKENS = 100
WRITES = ChatSettings(temperature=0, max_new_tokens=TOKENS)
QUESTION = [Message("user", "Hello! What is the capital of Norway, and what is 3 + 4?")]
BASE = Target("base", "base", "embedded", Path("."), "base")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    """The embedded model, and two adapters on it that are far from zero."""
    torch.manual_seed(0)
    config = LoraConfig(r=16, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    found = {"base": BASE}
    for name in ("one", "two"):
        folder = tmp_path_factory.mktemp("run") / f"step-{name}"
        get_peft_model(AutoModelForCausalLM.from_pretrained(FOLDER), config).save_pretrained(folder)
        found[name] = replace(BASE, kind="checkpoint", label=name, weights=folder)
    return found


def seconds(*works: Callable[[], Any], times: int = 5) -> list[float]:
    """Of the processor, for each the best of several; in turn, so that a neighbour disturbs all of them."""
    taken: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(times):
        for each, work in zip(taken, works, strict=True):
            started = time.process_time()
            work()
            each.append(time.process_time() - started)
    return [min(each) for each in taken]


def endless(session: Session) -> Session:
    """Answers are as long as they may be: all are timed over the same number of tokens."""
    session.ends = Ends(frozenset(), (), None)
    return session


def answers(sessions: list[Session], settings: ChatSettings = WRITES) -> list[Answer]:
    """At once, each piece written as the engine writes it."""
    lines: list[bytes] = []
    with torch.inference_mode():
        asked = [
            Asked(
                each,
                each.prompt(QUESTION, settings),
                settings,
                lambda text: lines.append(to_line(Piece(1, text))),
            )
            for each in sessions
        ]
        done = dict(answer_together(asked, Event()))
    assert lines
    return [answer for number in range(len(sessions)) if isinstance(answer := done[number], Answer)]


class Streamer(TextStreamer):  # type: ignore[misc]
    """Says nothing on the screen."""

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        to_line(Piece(1, text))


def test_tokens_a_second_against_generate_with_a_streamer(targets: dict[str, Target]) -> None:
    shelf = Shelf()
    shelf.hold({"base": BASE})
    session = endless(shelf.session("base"))
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None
    ids = torch.tensor([session.prompt(QUESTION, WRITES).ids])

    def theirs() -> list[int]:
        streamer = Streamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
        return model.generate(  # type: ignore[no-any-return]
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=TOKENS,
            do_sample=False,
            streamer=streamer,
        )[0, ids.shape[1] :].tolist()

    assert answers([session])[0].ids == theirs()
    ours, rival = seconds(lambda: answers([session]), theirs, times=16)
    print(f"\ntokens/s of generate with a streamer: {TOKENS / rival:.0f}, here x {rival / ours:.2f}")
    assert ours < rival


def test_three_columns_cost_little_more_than_one(targets: dict[str, Target]) -> None:
    shelf = Shelf()
    shelf.hold(targets)
    sessions = [endless(shelf.session(key)) for key in targets]
    together = [answer.ids for answer in answers(sessions)]
    alone = [answers([session])[0].ids for session in sessions]
    assert together == alone and len({tuple(ids) for ids in alone}) == 3
    one, three, apart = seconds(
        lambda: answers([sessions[1]]),
        lambda: answers(sessions),
        lambda: [answers([session]) for session in sessions],
        times=8,
    )
    print(f"\nthree columns at once: {three / one:.2f} of one column, one after another {apart / one:.2f}")
    assert three < 1.6 * one


def test_switching_an_adapter_against_loading_again(targets: dict[str, Target]) -> None:
    shelf = Shelf()
    shelf.hold(targets)
    rows = shelf.session("one").voice.rows
    assert rows is not None
    names = [shelf.session(key).voice.adapter for key in ("one", "two", "base")]

    def switch() -> None:
        for name in names:
            rows.use([name])

    def reload() -> None:
        for key in ("one", "two", "base"):
            again = Shelf()
            again.hold({key: targets[key]})

    ours, rival = seconds(switch, reload, times=2)
    print(f"\nloading a checkpoint again: {rival / 3 * 1e3:.0f} ms, switching x {rival / ours:.0f} faster")
    assert 20 * ours < rival


def test_the_first_token_of_the_tenth_turn(tmp_path: Path) -> None:
    """Against the whole prompt computed in one go, as `generate` does it.

    What was said before has been read, the last answer while the person read it too.
    """
    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    model.config.max_position_embeddings = 10**5
    shelf = Shelf()
    shelf.hold({"base": BASE})
    encoder = shelf.session("base").encoder
    first = ChatSettings(temperature=0, max_new_tokens=1)
    turn = [
        Message("user", "Tell me about Norway and its capital. " * 10),
        Message("assistant", "Oslo. " * 40),
    ]
    conversation = [message for _ in range(9) for message in turn]
    question = [*conversation, Message("user", "And what is the capital of France?")]
    session = Session(model, encoder)

    def ask(session: Session, messages: list[Message]) -> Answer:
        with torch.inference_mode():
            return session.answer(messages, first, lambda text: None, Event())

    prompt = encoder.prompt(question)[0]
    ids = torch.tensor([prompt])

    def whole() -> list[int]:
        return model.generate(  # type: ignore[no-any-return]
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, do_sample=False
        )[0, ids.shape[1] :].tolist()

    taken = []
    for _ in range(3):
        session.forget()
        ask(session, conversation[:-1])
        with torch.inference_mode():
            session.read_ahead(conversation[:-1], conversation[-1].content, first, Event())
        started = time.process_time()
        answer = ask(session, question)
        taken.append(time.process_time() - started)
    assert answer.ids == whole() == ask(Session(model, encoder), question).ids
    ours, (rival,) = min(taken), seconds(whole, times=2)
    kept = f"{answer.reused_tokens} of {len(prompt)} tokens kept"
    print(f"\nfirst token of the tenth turn, {kept}: x {rival / ours:.1f} sooner")
    assert 10 * ours < rival
