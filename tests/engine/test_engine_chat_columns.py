"""Several targets at once: a base model held once, adapters beside it, answers written in one batch."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, MistralConfig, MistralForCausalLM

from workbench.chat.protocol import NoRoom, Target
from workbench.data.example import Message
from workbench.engine import room, shelf
from workbench.engine.chat_model import load_encoder, load_model, model_folder
from workbench.engine.generate import Answer, Asked, Session, answer_together
from workbench.engine.shelf import Shelf
from workbench.errors import WorkbenchError
from workbench.machine.host import HostMemory
from workbench.project.schema import ChatSettings
from workbench.prompts.fingerprint import base_model_fingerprint

COLD = ChatSettings(temperature=0, max_new_tokens=14)
QUESTION = [Message("user", "what is the capital of norway")]
LONGER = [*QUESTION, Message("assistant", "oslo"), Message("user", "what is the capital of france")]


@pytest.fixture(scope="module")
def base(tiny_base: Path) -> Target:
    return Target("base", "base", str(tiny_base), tiny_base.parent, "base")


@pytest.fixture(scope="module")
def checkpoint(base: Target, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Target]:
    """Writes an adapter that is far from zero."""

    def write(name: str, seed: int = 0, **settings: Any) -> Target:
        torch.manual_seed(seed)
        fields = {"r": 4, "target_modules": "all-linear", "init_lora_weights": False, **settings}
        folder = tmp_path_factory.mktemp("run") / name
        model = AutoModelForCausalLM.from_pretrained(base.base)
        get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **fields)).save_pretrained(folder)
        fingerprint = base_model_fingerprint(Path(base.base))
        return replace(base, kind="checkpoint", label=name, weights=folder, base_fingerprint=fingerprint)

    return write


@pytest.fixture(scope="module")
def held(base: Target, checkpoint: Callable[..., Target]) -> dict[str, Target]:
    """Adapters of other ranks, other scalings and other layers than each other."""
    return {
        "base": base,
        "one": checkpoint("one", 1),
        "two": checkpoint(
            "two", 2, r=8, lora_alpha=200, use_rslora=True, target_modules=["q_proj", "down_proj"]
        ),
    }


def together(
    sessions: list[Session],
    messages: list[list[Message]],
    settings: list[ChatSettings],
    details: bool = False,
) -> list[Answer]:
    asked = [
        Asked(session, session.prompt(said, how), how, lambda text: None)
        for session, said, how in zip(sessions, messages, settings, strict=True)
    ]
    done = dict(answer_together(asked, Event(), details=details))
    assert all(isinstance(answer, Answer) for answer in done.values())
    return [done[number] for number in range(len(asked))]  # type: ignore[misc]


def plain_peft(target: Target, messages: list[Message]) -> list[int]:
    """The greedy tokens of transformers and peft."""
    folder = Path(target.base)
    model = AutoModelForCausalLM.from_pretrained(folder)
    if target.weights:
        model = PeftModel.from_pretrained(model, target.weights)
    ids = torch.tensor([load_encoder(target, folder).prompt(messages)[0]])
    made = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=14, do_sample=False
    )
    return made[0, ids.shape[1] :].tolist()  # type: ignore[no-any-return]


def test_columns_answer_as_each_would_alone(held: dict[str, Target]) -> None:
    here = Shelf()
    told = here.hold(held)
    assert all(each.shares for each in told.values())
    assert told["one"].parameters > told["base"].parameters
    sessions = [here.session(key) for key in held]
    answers = together(sessions, [QUESTION] * 3, [COLD] * 3)
    assert [answer.ids for answer in answers] == [plain_peft(target, QUESTION) for target in held.values()]
    assert len({tuple(answer.ids) for answer in answers}) == 3
    mixed = together(sessions, [QUESTION, LONGER, QUESTION], [COLD] * 3)
    assert mixed[1].ids == plain_peft(held["one"], LONGER), "prompts of several lengths in one batch"
    assert [mixed[0].ids, mixed[2].ids] == [answers[0].ids, answers[2].ids]


def test_one_model_answers_with_several_settings_that_end_at_several_times(held: dict[str, Target]) -> None:
    here = Shelf()
    here.hold({"one": held["one"]})
    session = here.session("one")
    settings = [
        COLD.model_copy(update={"max_new_tokens": 3}),
        ChatSettings(temperature=1.5, top_k=20, seed=3, max_new_tokens=14),
        COLD.model_copy(update={"repetition_penalty": 1.4, "no_repeat_ngram_size": 2}),
        COLD,
    ]
    answers = together([session] * 4, [QUESTION] * 4, settings)
    alone = [together([session], [QUESTION], [how])[0].ids for how in settings]
    assert [answer.ids for answer in answers] == alone
    assert len(alone[0]) == 3 and len({tuple(ids) for ids in alone}) == 4


def test_the_base_model_stays_while_adapters_come_and_go(
    base: Target, held: dict[str, Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    load = shelf.load_base
    monkeypatch.setattr(shelf, "load_base", lambda *args: loaded.append(args) or load(*args))
    here = Shelf()
    here.hold({"a": base})
    first = together([here.session("a")], [QUESTION], [COLD])[0].ids
    here.hold({"a": held["one"]})
    model = here.session("a").model
    assert together([here.session("a")], [QUESTION], [COLD])[0].ids != first
    here.hold({"a": held["two"], "b": base})
    assert here.session("a").model is model and len(loaded) == 1
    assert not any(".adapter000001." in name for name, _ in model.named_parameters()), "the first one is gone"
    assert together([here.session("b")], [QUESTION], [COLD])[0].ids == first
    assert together([here.session("a")], [QUESTION], [COLD])[0].ids == plain_peft(held["two"], QUESTION)
    here.clear()
    with pytest.raises(WorkbenchError, match="no model is loaded"):
        here.session("a")


def test_what_is_held_keeps_what_it_has_read(base: Target, held: dict[str, Target]) -> None:
    here = Shelf()
    here.hold({"a": base})
    session = here.session("a")
    here.hold({"a": replace(base, label="another name"), "b": held["one"]})
    assert here.session("a") is session


@pytest.mark.parametrize("kind", ["dora", "saved whole", "embeddings", "full"])
def test_what_changes_more_than_linear_layers_is_loaded_for_itself(
    base: Target, held: dict[str, Target], checkpoint: Callable[..., Target], tmp_path: Path, kind: str
) -> None:
    match kind:
        case "dora":
            target = checkpoint("dora", 4, use_dora=True)
        case "saved whole":
            target = checkpoint("whole", 4, target_modules=["q_proj"], modules_to_save=["down_proj"])
        case "embeddings":
            target = checkpoint("embeddings", 4, target_modules=["q_proj", "embed_tokens"])
        case _:
            shutil.copytree(base.base, tmp_path / "step-4")
            target = replace(base, weights=tmp_path / "step-4")
    here = Shelf()
    told = here.hold({"base": base, "one": held["one"], "other": target})
    assert not told["other"].shares
    sessions = [here.session(key) for key in ("base", "one", "other")]
    assert sessions[2].model is not sessions[0].model
    answers = together(sessions, [QUESTION] * 3, [COLD] * 3)
    others = replace(target, weights=None) if kind == "full" else target
    expected = [plain_peft(each, QUESTION) for each in (base, held["one"], others)]
    assert [answer.ids for answer in answers] == expected


def test_an_adapter_that_does_not_fit_leaves_the_others_as_they_were(
    base: Target, held: dict[str, Target], tmp_path: Path
) -> None:
    assert held["one"].weights is not None
    shutil.copytree(held["one"].weights, tmp_path / "wide")
    config = tmp_path / "wide" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"r": 5}))
    broken = replace(held["one"], weights=tmp_path / "wide")
    for others in ({"base": base}, {"base": base, "two": held["two"]}):
        here = Shelf()
        with pytest.raises(WorkbenchError, match="does not fit the base model"):
            here.hold({**others, "broken": broken})
        sessions = [here.session(key) for key in others]
        answers = together(sessions, [QUESTION] * len(sessions), [COLD] * len(sessions))
        assert [a.ids for a in answers] == [plain_peft(target, QUESTION) for target in others.values()]
        with pytest.raises(WorkbenchError, match="no model is loaded as 'broken'"):
            here.session("broken")


def test_an_adapter_of_nothing_but_nan_spoils_no_other_column(
    held: dict[str, Target], checkpoint: Callable[..., Target]
) -> None:
    from safetensors.torch import load_file, save_file

    diverged = checkpoint("diverged", 5)
    assert diverged.weights is not None
    file = diverged.weights / "adapter_model.safetensors"
    save_file({name: weight * math.nan for name, weight in load_file(file).items()}, file)
    here = Shelf()
    here.hold({"one": held["one"], "diverged": diverged})
    sessions = [here.session("one"), here.session("diverged")]
    asked = [Asked(each, each.prompt(QUESTION, COLD), COLD, lambda text: None) for each in sessions]
    done = dict(answer_together(asked, Event()))
    assert isinstance(done[1], WorkbenchError) and "NaN" in str(done[1])
    assert isinstance(done[0], Answer) and done[0].ids == plain_peft(held["one"], QUESTION)


@pytest.mark.parametrize("family", ["sliding", "transposed"])
def test_other_architectures_answer_together_too(base: Target, family: str) -> None:
    """Caches of sliding windows cannot be laid over each other; GPT-2 has positions of its own."""
    encoder = load_encoder(base, Path(base.base))
    torch.manual_seed(1)
    model: Any
    if family == "sliding":
        sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = MistralForCausalLM(
            MistralConfig(vocab_size=320, num_key_value_heads=1, sliding_window=12, **sizes)
        )
    else:
        model = GPT2LMHeadModel(GPT2Config(vocab_size=320, n_embd=32, n_layer=2, n_head=2, n_positions=128))
    session = Session(model.eval(), encoder)
    answers = together([session] * 2, [LONGER, QUESTION], [COLD] * 2)
    alone = [together([Session(model, encoder)], [said], [COLD])[0].ids for said in (LONGER, QUESTION)]
    assert [answer.ids for answer in answers] == alone
    assert together([session], [LONGER], [COLD])[0].ids == alone[0]


def test_details_tell_what_the_model_thought(held: dict[str, Target]) -> None:
    model = load_model(held["one"], model_folder(held["one"]))
    session = Session(model, load_encoder(held["one"], Path(held["one"].base)))
    hot = ChatSettings(temperature=2, seed=1, max_new_tokens=6, repetition_penalty=1.5)
    for settings in (COLD, hot):
        (answer,) = together([session], [QUESTION], [settings], details=True)
        assert [detail.id for detail in answer.details] == answer.ids
        ids = session.prompt(QUESTION, settings).ids + answer.ids
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -len(answer.ids) - 1 : -1]
        chances = logits.softmax(-1)
        for row, detail in zip(chances, answer.details, strict=True):
            assert detail.probability == pytest.approx(float(row[detail.id]), abs=1e-5)
            assert detail.entropy == pytest.approx(float(-(row * row.log()).sum()), abs=1e-4)
            assert [each.id for each in detail.alternatives] == row.topk(5).indices.tolist()
            assert detail.text == session.encoder.tokenizer.token(detail.id)
    assert not together([session], [QUESTION], [COLD])[0].details


def test_reading_ahead_changes_no_answer_and_spares_the_next_question(
    held: dict[str, Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.engine import generate

    monkeypatch.setattr(generate, "BLOCK", 16)
    monkeypatch.setattr(generate, "FINE", 4)
    here = Shelf()
    here.hold({"one": held["one"]})
    session = here.session("one")
    together([session], [QUESTION], [COLD])
    session.read_ahead(QUESTION, "oslo is the capital", COLD, Event())
    following = [*QUESTION, Message("assistant", "oslo is the capital"), Message("user", "one")]
    (warm,) = together([session], [following], [COLD])
    session.forget()
    (cold,) = together([session], [following], [COLD])
    assert warm.ids == cold.ids
    before = len(session.prompt(QUESTION, COLD).ids)
    assert warm.reused_tokens > before and cold.reused_tokens == 0


def test_a_model_that_has_no_room_is_refused_with_figures(
    base: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "host_memory", lambda: HostMemory(8 * 2**30, 1000))
    with pytest.raises(
        WorkbenchError, match=r"needs 0\.0 GiB, 0\.0 of the 8\.0 GiB of this machine are free"
    ):
        Shelf().hold({"a": base})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2**20, 2**34))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H200")
    with pytest.raises(NoRoom, match=r"16\.0 GiB of H200 are free.*talk to it on the CPU"):
        room.require_room(base, Path(base.base))
