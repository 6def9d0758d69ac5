"""The same tokens as transformers' `generate`, and a presence penalty that does what its name says."""

from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from workbench.data.example import Message
from workbench.engine.generate import Answer, Asked, Session, answer_together
from workbench.engine.sampling import AnswerPenalties, Sampler
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer

TINY = LlamaForCausalLM(
    LlamaConfig(
        vocab_size=24,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
    )
)


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
        {"temperature": 0.0, "no_repeat_ngram_size": 2, "repetition_penalty": 1.2},
        {"temperature": 0.0, "min_new_tokens": 12, "no_repeat_ngram_size": 3},
        {"temperature": 1.5, "typical_p": 0.6},
        {
            "temperature": 1.7,
            "top_k": 50,
            "top_p": 0.9,
            "min_p": 0.01,
            "typical_p": 0.8,
            "repetition_penalty": 1.1,
            "no_repeat_ngram_size": 3,
            "min_new_tokens": 5,
        },
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
    ends = {"eos_token_id": sorted(session.ends.ids), "pad_token_id": 0}
    theirs = session.model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=30, **ends, **sampling
    )
    assert ours.ids == theirs[0, ids.shape[1] :].tolist()


def test_the_seed_decides(session: Session) -> None:
    def drawn(seed: int) -> list[int]:
        settings = ChatSettings(temperature=2, max_new_tokens=20, seed=seed)
        return session.answer([Message("user", "one")], settings, lambda text: None, Event()).ids

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_penalties_count_tokens_of_the_answer_once_and_each_time() -> None:
    ids = torch.tensor([[0, 1, 2, 2, 3]])
    presence = AnswerPenalties(1.5, 0, prompt_tokens=2)
    assert presence(ids, torch.zeros(1, 5)).tolist() == [[0, 0, -1.5, -1.5, 0]]
    both = AnswerPenalties(1.5, 0.5, prompt_tokens=2)
    assert both(ids, torch.zeros(1, 5)).tolist() == [[0, 0, -2.5, -2.0, 0]]


drawing = st.fixed_dictionaries(
    {
        "temperature": st.floats(0.1, 5),
        "top_k": st.integers(0, 30),
        "top_p": st.floats(0.01, 1),
        "min_p": st.floats(0, 1),
        "typical_p": st.floats(0.01, 1),
        "repetition_penalty": st.floats(0.2, 5),
        "no_repeat_ngram_size": st.integers(0, 3),
        "min_new_tokens": st.integers(0, 6),
    }
)


@settings(max_examples=40)
@given(drawing, st.integers(0, 1000))
def test_any_settings_leave_the_same_scores_as_transformers(drawn: dict[str, Any], seed: int) -> None:
    """What is left to draw from, against the list of processors that `generate` makes."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, 24, (1, 9), generator=draw)
    scores = torch.randn(1, 24, generator=draw) * 3
    sampler = Sampler(ChatSettings(**drawn), 4, torch.device("cpu"), (1, 2))
    ours = sampler._processors(ids, scores)
    config = GenerationConfig(
        do_sample=True, **{key: value for key, value in drawn.items() if value or key == "temperature"}
    )
    config._eos_token_tensor = torch.tensor([1, 2])
    theirs = TINY._get_logits_processor(config, input_ids_seq_length=4, device="cpu")(ids, scores)
    assert torch.equal(ours, theirs)


def test_settings_that_rule_out_every_token_are_an_error() -> None:
    sampler = Sampler(ChatSettings(temperature=1, no_repeat_ngram_size=1), 1, torch.device("cpu"))
    with pytest.raises(WorkbenchError, match="rule out every token"):
        sampler.draw(torch.tensor([[0, 1, 2]]), torch.zeros(1, 3))


def test_an_answer_is_as_long_as_is_asked_for(session: Session) -> None:
    question, most = [Message("user", "one")], ChatSettings(temperature=5, max_new_tokens=40)

    def lengths(**wanted: int) -> list[int]:
        each = [most.model_copy(update={"seed": seed, **wanted}) for seed in range(40)]
        asked = [Asked(session, session.prompt(question, how), how, lambda text: None) for how in each]
        return [
            len(answer.ids) for _, answer in answer_together(asked, Event()) if isinstance(answer, Answer)
        ]

    assert min(lengths()) < 20, "some answer ends by itself"
    assert min(lengths(min_new_tokens=20)) >= 20


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
