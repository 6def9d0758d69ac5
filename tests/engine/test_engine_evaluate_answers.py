"""Answers in batches: each as if its prompt were alone."""

from threading import Event

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM, PreTrainedModel

from workbench.data.example import Message
from workbench.embedded import FOLDER
from workbench.engine.evaluation import generation
from workbench.engine.evaluation.batches import Stopped
from workbench.engine.evaluation.generation import Answered, ToAnswer, answer_rows
from workbench.engine.evaluation.prefix import shareable
from workbench.engine.generate import Session
from workbench.engine.models import context_length
from workbench.project.evaluation import Decoding
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer

ANSWER = 16
QUESTIONS = [
    "Hello!",
    "What is the capital of Norway?",
    "How much is 3 + 4?",
    "Was ist die Hauptstadt von Italien?",
    "Guten Morgen",
    "Good evening, how are you today? I hope that you are fine and that the weather is good.",
    "เมืองหลวงของประเทศญี่ปุ่นคืออะไร",
    "Xin chào",
    "What is 2 + 5?",
    "Thank you",
]


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    tokenizer = load_tokenizer(FOLDER)
    return Encoder(tokenizer, load_template("base", FOLDER, tokenizer))


def prompts(encoder: Encoder, system: str = "") -> list[ToAnswer]:
    """Chats of unlike length; a system message is a long beginning that all share."""
    before = [Message("system", system)] if system else []
    return [
        ToAnswer(number, encoder.prompt([*before, Message("user", text)])[0], seed=number)
        for number, text in enumerate(QUESTIONS)
    ]


def answers(
    model: PreTrainedModel, encoder: Encoder, asks: list[ToAnswer], settings: Decoding, **options: int
) -> dict[int, Answered]:
    found: list[Answered] = []
    answer_rows(model, encoder, asks, settings, found.extend, **options)  # type: ignore[arg-type]
    assert sorted(each.number for each in found) == sorted(ask.number for ask in asks)
    return {each.number: each for each in found}


def alone(model: PreTrainedModel, encoder: Encoder, ask: ToAnswer, settings: Decoding) -> Answered:
    """What the chat says to the same prompt."""
    pieces: list[str] = []
    chat = ChatSettings.model_validate(settings.model_dump() | {"seed": settings.seed + ask.seed})
    answer = Session(model, encoder).complete(list(ask.ids), chat, pieces.append, Event())
    return Answered(ask.number, "".join(pieces), len(answer.ids), answer.reason)


SETTINGS = {
    "greedy": {},
    "penalised": {"repetition_penalty": 1.5, "presence_penalty": 0.5},
    "drawn": {"temperature": 0.9, "top_p": 0.9, "top_k": 50, "seed": 3},
    "stopped": {"stop": ["e", "a"]},
}


@pytest.mark.parametrize("system", ["", "You answer shortly, kindly and in the language of the question."])
@pytest.mark.parametrize("name", SETTINGS)
def test_an_answer_is_the_one_of_the_chat(
    model: PreTrainedModel, encoder: Encoder, name: str, system: str
) -> None:
    settings = Decoding.model_validate({"max_new_tokens": ANSWER, **SETTINGS[name]})
    asks = prompts(encoder, system)
    found = answers(model, encoder, asks, settings)
    assert found == {ask.number: alone(model, encoder, ask, settings) for ask in asks}
    assert len({each.text for each in found.values()}) > 5


def test_an_answer_does_not_depend_on_its_neighbours(model: PreTrainedModel, encoder: Encoder) -> None:
    settings = Decoding(max_new_tokens=ANSWER, temperature=1.0)
    asks = prompts(encoder)
    whole = answers(model, encoder, asks, settings)
    few = answers(model, encoder, asks[5:8], settings, tokens=1)
    assert few == {number: whole[number] for number in few}


def test_rows_leave_as_they_end(
    model: PreTrainedModel, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = generation._Batch._forward

    def counted(batch: generation._Batch) -> torch.Tensor:
        sizes.append(len(batch._rows))
        return real(batch)

    monkeypatch.setattr(generation._Batch, "_forward", counted)
    settings = Decoding(max_new_tokens=40, stop=["e", "a", "o"])
    found = answers(model, encoder, prompts(encoder), settings)
    assert sizes[0] == len(QUESTIONS) and sorted(sizes, reverse=True) == sizes
    assert sum(sizes) == sum(each.tokens for each in found.values())


def test_the_context_ends_an_answer(model: PreTrainedModel, encoder: Encoder) -> None:
    room = context_length(model)
    assert room is not None
    asks = prompts(encoder)
    asks[0] = ToAnswer(0, [*asks[1].ids, *asks[1].ids * room][: room - 3], 0)
    found = answers(model, encoder, asks, Decoding(max_new_tokens=50))
    assert (found[0].ended, found[0].tokens) == ("context full", 3)
    assert found[1] == alone(model, encoder, asks[1], Decoding(max_new_tokens=50))


def test_scores_that_are_no_numbers_are_told_row_by_row(
    model: PreTrainedModel, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = generation._Batch._forward

    def broken(batch: generation._Batch) -> torch.Tensor:
        scores = real(batch)
        for place, row in enumerate(batch._rows):
            if row.number == 2:
                scores[place] = torch.nan
        return scores

    monkeypatch.setattr(generation._Batch, "_forward", broken)
    asks, settings = prompts(encoder), Decoding(max_new_tokens=ANSWER)
    found = answers(model, encoder, asks, settings)
    assert "NaN" in found[2].skipped and not found[2].text
    assert found[3] == alone(model, encoder, asks[3], settings)


def test_a_want_of_memory_answers_no_row_twice(
    model: PreTrainedModel, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = generation._Batch._forward, [0]

    def scarce(batch: generation._Batch) -> torch.Tensor:
        calls[0] += 1
        if len(batch._rows) > 4 and calls[0] > 3:
            raise MemoryError
        return real(batch)

    monkeypatch.setattr(generation._Batch, "_forward", scarce)
    settings = Decoding(max_new_tokens=ANSWER, stop=["e"])
    asks = prompts(encoder)
    found = answers(model, encoder, asks, settings)
    monkeypatch.undo()
    assert found == {ask.number: alone(model, encoder, ask, settings) for ask in asks}


def test_it_stops_between_two_tokens(model: PreTrainedModel, encoder: Encoder) -> None:
    ticks = iter(range(3))

    def tick() -> None:
        if next(ticks, None) is None:
            raise Stopped("asked to stop")

    found: list[Answered] = []
    with pytest.raises(Stopped):
        answer_rows(model, encoder, prompts(encoder), Decoding(max_new_tokens=50), found.extend, tick)
    assert all(each.tokens <= 3 for each in found)


def test_a_sliding_window_shares_nothing_and_answers_the_same(encoder: Encoder) -> None:
    torch.manual_seed(4)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = MistralConfig(vocab_size=3072, num_key_value_heads=1, sliding_window=8, **sizes)
    model = MistralForCausalLM(config).eval()
    torch.nn.init.normal_(model.lm_head.weight)
    assert not shareable(model)
    settings, asks = Decoding(max_new_tokens=ANSWER), prompts(encoder)
    found = answers(model, encoder, asks, settings)
    assert found == {ask.number: alone(model, encoder, ask, settings) for ask in asks}
