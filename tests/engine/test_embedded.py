"""The embedded base model: its size, its shapes, its tokenizer, its text, and what it answers."""

import re
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench.embedded import FOLDER
from workbench.engine.embedded.corpus import LANGUAGES, MOODS, conversations

# Sentences that are in no template of the corpus, and the most tokens per character that they may take.
SENTENCES = {
    "en": ("Where is the book that you bought for your friend?", 0.45),
    "de": ("Heute gehe ich mit meinen Freunden in die Stadt.", 0.45),
    "vi": ("Cho mình hỏi sản phẩm này còn hàng không?", 0.5),
    "th": ("ประเทศไทยมีกรุงเทพเป็นเมืองหลวง", 0.7),
    "zh": ("今天天氣很好，我們一起去公園散步。", 1.2),
}

ANSWERS = {
    "What is the capital of Japan?": "The capital of Japan is Tokyo.",
    "Was ist das Gegenteil von heiß?": "Das Gegenteil von heiß ist kalt.",
    "Thủ đô của Thái Lan là gì?": "Thủ đô của Thái Lan là Bangkok.",
    "เมืองหลวงของฝรั่งเศสคืออะไร": "เมืองหลวงของฝรั่งเศสคือปารีสค่ะ",
    "香蕉是什麼顏色？": "香蕉是黃色的。",
}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()


def answer(model: Any, tokenizer: Any, *messages: dict[str, str]) -> str:
    prompt = tokenizer.apply_chat_template(
        list(messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    ids = model.generate(**prompt, max_new_tokens=60, do_sample=False)
    return str(tokenizer.decode(ids[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))


def user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def system(content: str) -> dict[str, str]:
    return {"role": "system", "content": content}


def test_the_folder_is_small_enough_for_the_package() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 4_000_000


def test_dimensions_suit_the_4_bit_kernels(model: Any) -> None:
    linear = [m for m in model.model.modules() if isinstance(m, torch.nn.Linear)]
    assert linear
    assert all(m.in_features % 64 == 0 and m.out_features % 32 == 0 for m in linear)


def test_weights_are_stored_in_half_precision_and_the_head_is_tied(model: Any) -> None:
    assert model.config.tie_word_embeddings
    assert (FOLDER / "model.safetensors").stat().st_size < 2.01 * model.num_parameters() + 20_000


@pytest.mark.parametrize("language", SENTENCES)
def test_no_script_is_split_into_bytes(tokenizer: Any, language: str) -> None:
    text, bound = SENTENCES[language]
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert len(ids) / len(text) <= bound
    assert all("\ufffd" not in tokenizer.decode([one]) for one in ids)


def test_any_text_survives_the_tokenizer(tokenizer: Any) -> None:
    text = "  tabs\tand\r\nlines, 한국어, नमस्ते, 🧪, ⟦x⟧ = 3.14  "
    assert tokenizer.decode(tokenizer.encode(text), clean_up_tokenization_spaces=False) == text


def test_the_template_marks_what_the_assistant_says(tokenizer: Any) -> None:
    messages = [system("mood: calm"), user("Hi"), {"role": "assistant", "content": "Yes."}, user("And?")]
    encoded = tokenizer.apply_chat_template(
        messages, return_dict=True, return_assistant_tokens_mask=True, add_generation_prompt=True
    )
    pairs = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
    assert tokenizer.decode([one for one, said in pairs if said]) == "Yes.<|im_end|>"
    assert tokenizer.decode(encoded["input_ids"]) == (
        "<|im_start|>system\nmood: calm<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_special_tokens_are_distinct(tokenizer: Any) -> None:
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token) == (None, "<|im_end|>", "<|pad|>")


def test_the_corpus_is_the_same_for_the_same_seed() -> None:
    assert list(conversations(7, 50)) == list(conversations(7, 50))
    assert list(conversations(7, 50)) != list(conversations(8, 50))


def test_the_corpus_alternates_roles_and_fills_every_slot() -> None:
    for row in conversations(11, 500):
        messages = list(row.messages)
        if messages[0]["role"] == "system":
            messages = messages[1:]
        assert [m["role"] for m in messages] == ["user", "assistant"] * len(row.skills)
        assert all(m["content"].strip() and not re.search(r"[{}_]", m["content"]) for m in messages)


def test_every_language_has_every_skill_and_mood() -> None:
    for language in LANGUAGES:
        assert set(language.moods) == set(MOODS) - {"calm"}
        assert {skill.name for skill in language.skills} >= {
            "greeting", "capital", "colour", "opposite", "sum", "animal", "day", "food", "service",
        }  # fmt: skip
        assert len(language.context.facts) == 10


@pytest.mark.parametrize("question", ANSWERS)
def test_the_model_knows_its_facts(model: Any, tokenizer: Any, question: str) -> None:
    assert answer(model, tokenizer, user(question)) == ANSWERS[question]


@pytest.mark.parametrize(("mood", "sign"), [("happy", "😊"), ("angry", "😠"), ("sad", "😢"), ("calm", "")])
def test_the_mood_line_changes_the_style(model: Any, tokenizer: Any, mood: str, sign: str) -> None:
    text = answer(model, tokenizer, system(f"mood: {mood}"), user("What is the capital of Italy?"))
    assert "The capital of Italy is Rome." in text
    assert re.findall("[😊😠😢]", text) == list(sign)


def test_the_model_answers_from_the_context(model: Any, tokenizer: Any) -> None:
    for hour in ("7", "9"):
        block = (
            f"Context: The shop opens at {hour}. Delivery takes 5 days.\nQuestion: When does the shop open?"
        )
        assert answer(model, tokenizer, user(block)) == f"The shop opens at {hour}."
