"""The same tokens as transformers' `generate`, and a presence penalty that does what its name says."""

from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from workbench.data.example import Message
from workbench.engine.generate import Session
from workbench.engine.sampling import PresencePenalty, Sampler
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer


@pytest.fixture(scope="module")
def session(tiny_base: Path) -> Session:
    tokenizer = load_tokenizer(tiny_base)
    model = LlamaForCausalLM.from_pretrained(tiny_base).eval()
    return Session(model, Encoder(tokenizer, load_template("base", tiny_base, tokenizer)))


@pytest.mark.parametrize(
    "drawn",
    [
        {"temperature": 0.0},
        {"temperature": 0.0, "repetition_penalty": 1.5},
        {"temperature": 1.0},
        {"temperature": 0.5, "top_k": 7, "top_p": 0.8},
        {"temperature": 2.0, "min_p": 0.2, "repetition_penalty": 1.3},
    ],
)
def test_tokens_are_those_of_generate(session: Session, drawn: dict[str, Any]) -> None:
    question = [Message("user", "what is the capital of norway")]
    settings = ChatSettings(max_new_tokens=30, seed=7, **drawn)
    ours = session.answer(question, settings, lambda text: None, Event())
    ids = torch.tensor([session.encoder.prompt(question)[0]])
    torch.manual_seed(7)
    sampling = (
        {"do_sample": True, "top_k": 0, **drawn} if drawn["temperature"] else {**drawn, "temperature": None}
    )
    theirs = session.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=30, **sampling)
    assert ours.ids == theirs[0, ids.shape[1] :].tolist()


def test_the_seed_decides(session: Session) -> None:
    def drawn(seed: int) -> list[int]:
        settings = ChatSettings(temperature=2, max_new_tokens=20, seed=seed)
        return session.answer([Message("user", "one")], settings, lambda text: None, Event()).ids

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_presence_penalty_counts_a_token_of_the_answer_once() -> None:
    penalty = PresencePenalty(1.5, prompt_tokens=2)
    scores = penalty(torch.tensor([[0, 1, 2, 2, 3]]), torch.zeros(1, 5))
    assert scores.tolist() == [[0, 0, -1.5, -1.5, 0]]


def test_presence_penalty_makes_an_answer_vary(session: Session) -> None:
    def distinct(penalty: float) -> int:
        settings = ChatSettings(temperature=0, max_new_tokens=25, presence_penalty=penalty)
        return len(set(session.answer([Message("user", "one")], settings, lambda text: None, Event()).ids))

    assert distinct(2) > distinct(0)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers_are_an_error(broken: float) -> None:
    sampler = Sampler(ChatSettings(temperature=0), 1, torch.device("cpu"))
    with pytest.raises(WorkbenchError, match="NaN or infinite"):
        sampler.draw(torch.tensor([[1]]), torch.tensor([[0.0, broken]]))


def test_a_temperature_next_to_nothing_is_greedy() -> None:
    sampler = Sampler(ChatSettings(temperature=1e-40), 1, torch.device("cpu"))
    assert sampler.draw(torch.tensor([[0]]), torch.tensor([[0.0, 0.1, 0.0]])) == 1
