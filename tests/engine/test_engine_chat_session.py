"""One model's answers: why they end, that a kept prompt changes nothing, what is refused."""

import copy
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM, MistralConfig, MistralForCausalLM, PreTrainedModel

from workbench.data.example import Message
from workbench.engine import batch, generate
from workbench.engine.generate import Answer, Session
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import Template, load_template
from workbench.prompts.tokenizer import load_tokenizer

COLD = ChatSettings(temperature=0, max_new_tokens=20)
ONE = [Message("user", "one two three")]
PLAIN = "{% for message in messages %}{{ message.content }}{% endfor %}"


@pytest.fixture(scope="module")
def model(tiny_base: Path) -> LlamaForCausalLM:
    return LlamaForCausalLM.from_pretrained(tiny_base).eval()


@pytest.fixture(scope="module")
def encoder(tiny_base: Path) -> Encoder:
    tokenizer = load_tokenizer(tiny_base)
    return Encoder(tokenizer, load_template("base", tiny_base, tokenizer))


@pytest.fixture
def session(model: LlamaForCausalLM, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(generate, "BLOCK", 8)
    monkeypatch.setattr(generate, "FINE", 4)
    return Session(model, encoder)


def ask(
    session: Session, messages: list[Message], settings: ChatSettings = COLD, stop: Event | None = None
) -> tuple[str, Answer]:
    pieces: list[str] = []
    answer = session.answer(messages, settings, pieces.append, stop or Event())
    return "".join(pieces), answer


def favouring(model: LlamaForCausalLM, token: int) -> LlamaForCausalLM:
    """The same model, but for one token that always wins."""
    changed = copy.deepcopy(model)
    changed.lm_head = torch.nn.Linear(64, model.config.vocab_size, bias=True)
    torch.nn.init.zeros_(changed.lm_head.weight)
    torch.nn.init.zeros_(changed.lm_head.bias)
    changed.lm_head.bias.data[token] = 9
    return changed


def test_length_ends_an_answer(session: Session) -> None:
    _, answer = ask(session, ONE)
    assert (answer.reason, len(answer.ids)) == ("length", 20)
    assert answer.prompt_tokens == len(session.encoder.prompt(ONE)[0])
    assert answer.first_token_seconds > 0 and answer.tokens_per_second > 0


def test_a_system_message_of_the_settings_stands_in_front(session: Session) -> None:
    with_system = COLD.model_copy(update={"system": "two"})
    spoken = ask(session, ONE, with_system)
    assert spoken[1].prompt_tokens > ask(session, ONE)[1].prompt_tokens
    assert spoken[0] == ask(session, [Message("system", "two"), *ONE])[0]
    already = [Message("system", "three"), *ONE]
    assert ask(session, already, with_system)[0] == ask(session, already)[0]


def test_a_stop_token_ends_it_and_is_not_in_the_text(model: LlamaForCausalLM, encoder: Encoder) -> None:
    text, answer = ask(Session(favouring(model, encoder.stop_ids[0]), encoder), ONE)
    assert (text, answer.reason, answer.ids) == ("", "stop token", [encoder.stop_ids[0]])


def test_an_end_token_of_the_generation_config_ends_it(model: LlamaForCausalLM, encoder: Encoder) -> None:
    """Llama 3's models name a second one there."""
    changed = favouring(model, 70)
    changed.generation_config = copy.deepcopy(model.generation_config)
    changed.generation_config.eos_token_id = [1, 70]
    assert ask(Session(changed, encoder), ONE)[1].reason == "stop token"


def test_a_stop_text_ends_it(session: Session) -> None:
    whole, _ = ask(session, ONE)
    settings = COLD.model_copy(update={"stop": [whole[2:4]]})
    text, answer = ask(session, ONE, settings)
    assert (text, answer.reason) == (whole[: whole.find(whole[2:4])], "stop text")


def test_a_full_context_ends_it(session: Session) -> None:
    _, answer = ask(session, ONE, ChatSettings(temperature=0, max_new_tokens=1000))
    assert answer.reason == "context full"
    assert answer.prompt_tokens + len(answer.ids) == session.context == 128


def test_stopping_ends_it_at_the_next_token(session: Session) -> None:
    stop, pieces = Event(), []

    def emit(text: str) -> None:
        pieces.append(text)
        stop.set()

    answer = session.answer(ONE, COLD, emit, stop)
    assert answer.reason == "stopped"
    assert len(answer.ids) < 10


def test_stopping_ends_the_reading_of_a_prompt(session: Session) -> None:
    stop = Event()
    stop.set()
    assert ask(session, ONE, stop=stop)[1].ids == []
    assert ask(session, ONE)[0] == ask(Session(session.model, session.encoder), ONE)[0]


def test_what_is_kept_of_a_prompt_changes_no_answer(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores are compared to the bit: the next turn, the same again, another last message, the first turn."""
    seen: list[torch.Tensor] = []
    forward = batch.forward

    def watched(*arguments: Any, **more: torch.Tensor) -> torch.Tensor:
        seen.append(forward(*arguments, **more))
        return seen[-1]

    for module in (generate, batch):
        monkeypatch.setattr(module, "forward", watched)
    answered = [*ONE, Message("assistant", "four five"), Message("user", "what is the capital of norway")]
    edited = [*answered[:2], Message("user", "what is one")]
    for messages, reuses in ((ONE, False), (answered, True), (answered, True), (edited, True), (ONE, True)):
        seen.clear()
        _, warm = ask(session, messages)
        warm_scores = torch.cat(seen[-len(warm.ids) :])
        seen.clear()
        _, cold = ask(Session(session.model, session.encoder), messages)
        assert (warm.reused_tokens > 0) == reuses
        assert warm.reused_tokens % 4 == 0 and cold.reused_tokens == 0
        assert warm.ids == cold.ids
        assert torch.equal(warm_scores, torch.cat(seen[-len(cold.ids) :]))


def test_a_sliding_window_that_has_moved_on_is_computed_anew(
    model: LlamaForCausalLM, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "BLOCK", 8)
    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = MistralConfig(
        vocab_size=model.config.vocab_size, num_key_value_heads=1, sliding_window=12, **sizes
    )
    sliding: PreTrainedModel = MistralForCausalLM(config).eval()
    session = Session(sliding, encoder)
    assert ask(session, ONE)[0] == ask(session, ONE)[0]
    assert ask(session, ONE)[1].reused_tokens == 0


def test_a_conversation_without_room_is_refused(session: Session) -> None:
    with pytest.raises(WorkbenchError, match=r"prompt of \d+ tokens, the model has room for 128"):
        ask(session, [Message("user", "zz " * 100)])


def test_a_tokenizer_of_another_model_is_refused(model: LlamaForCausalLM, encoder: Encoder) -> None:
    smaller = copy.deepcopy(model)
    smaller.resize_token_embeddings(100)
    with pytest.raises(WorkbenchError, match="the model knows 100"):
        ask(Session(smaller, encoder), ONE)


def test_an_empty_prompt_is_refused(model: LlamaForCausalLM, encoder: Encoder) -> None:
    with pytest.raises(WorkbenchError, match="empty prompt"):
        ask(Session(model, Encoder(encoder.tokenizer, Template("plain", PLAIN))), [])


def test_weights_that_have_diverged_are_named(model: LlamaForCausalLM, encoder: Encoder) -> None:
    with pytest.raises(WorkbenchError, match="NaN or infinite"):
        ask(Session(favouring_nan(model), encoder), ONE)


def favouring_nan(model: LlamaForCausalLM) -> LlamaForCausalLM:
    changed = copy.deepcopy(model)
    changed.model.norm.weight.data.fill_(float("nan"))
    return changed
