"""What is wrong with an answer is found where it stands, and an ordinary answer has nothing wrong with it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.evaluation.checks.answer import Answer, Expected, Finding
from workbench.evaluation.checks.characters import CharacterModel
from workbench.evaluation.checks.leaks import shared
from workbench.evaluation.checks.registry import CHECKS, check_answer
from workbench.evaluation.checks.repetition import looping_end, repeated_runs
from workbench.evaluation.checks.summary import check_answers

ORDINARY = [
    Answer("It is a bird.", "What is it?", ended="stop token"),
    Answer("Yes, we open at 9:30 and close at 18:00.", "When?", ("Hours: 9:30 to 18:00",)),
    Answer("您好，今天天氣很好，我們去散步吧。", "翻譯成現代文：今日天朗氣清。"),
    Answer("กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย", "เมืองหลวงของไทยคืออะไร"),
    Answer("Dạ, giá của mẫu này là 1.500.000 đồng ạ.", "Giá bao nhiêu?", ("Giá: 1500000 đ",)),
    Answer('He said: "It is fine!" 🙂👍🏽', "What did he say?"),
    Answer("Thanks a lot 👩‍👩‍👧️", "Here."),
    Answer("1. Wash it.\n2. Dry it.\n3. Eat it.", "How?"),
    Answer("user", "Which word?", reference="user"),
    Answer("東京は日本の首都です。", "日本の首都は？"),
    Answer("Row, row, row your boat\nGently down the stream.", "Sing."),
    Answer("Run `a\\nb` in C:\\new\\notes.", "How?"),
]
NOTHING = Expected()


def found(answer: Answer, expected: Expected = NOTHING) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_answer(answer, expected)}


@pytest.mark.parametrize("answer", ORDINARY, ids=lambda answer: answer.text[:12])
def test_an_ordinary_answer_has_nothing_wrong_with_it(answer: Answer) -> None:
    special = Expected(special_tokens=("<s>", "</s>", "[INST]"))
    assert check_answer(answer, special) == []


@pytest.mark.parametrize(
    ("answer", "check", "figure", "place"),
    [
        (Answer(" \n"), "empty", 1, " \n"),
        (Answer("It goes on and", ended="length"), "not-stopped", 1, "d"),
        (Answer("It goes on and"), "no-sentence-end", 1, "d"),
        (Answer("他說，"), "no-sentence-end", 1, "，"),
        (Answer("One.\nTwo.\nOne.\nOne."), "repetition", 0.5, "One."),
        (Answer("I said " + "that it is good. " * 4), "loop", 4, "that it is good. that it"),
        (Answer("很好，" * 5), "loop", 5, "很好，很好，"),
        (Answer("USER: Hi.\nASSISTANT: Hello."), "leaked-prompt", 2, "USER:"),
        (Answer("Hello. ASSISTANT: 你好。"), "leaked-prompt", 1, "ASSISTANT:"),
        (Answer("Fine.\n### Response:\nFine."), "leaked-prompt", 1, "### Response:"),
        (Answer("Fine. [/INST] Fine."), "leaked-prompt", 1, "[/INST]"),
        (Answer("Fine.<|im_end|>"), "leaked-prompt", 1, "<|im_end|>"),
        (Answer("What is a bird? A bird.", "What is a bird?"), "leaked-prompt", 1, "What is a bird?"),
        (Answer("答案：好。"), "answer-prefix", 1, "答案："),
        (Answer("Answer: good."), "answer-prefix", 1, "Answer:"),
        (Answer(" \\n It is a bird."), "escapes", 1, "\\n"),
        (Answer("It costs 30 €.", "What?", ("It costs 20 €.",)), "numbers", 1, "30"),
        (Answer("好的。", "Say it.", reference="Good."), "script", 1, "好的。"),
        (Answer("\ufffd\ufffd\ufffd is.", "What?"), "gibberish", 3 / 6, "\ufffd"),
        (Answer("It is это и то и другое.", "What?"), "gibberish", 13 / 18, "It"),
    ],
)
def test_what_is_wrong_is_found_in_its_place(answer: Answer, check: str, figure: float, place: str) -> None:
    finding = found(answer)[check]
    assert finding.figure == pytest.approx(figure)
    start, end = finding.span
    assert answer.text[start:end].strip("\n ").startswith(place.strip("\n "))


def test_the_reference_says_what_is_meant() -> None:
    """What the reference has as well is not held against the answer."""
    for answer in (
        Answer("The label is fear"),
        Answer("答案：好。"),
        Answer("Say USER: first."),
        Answer("It costs 30 €.", "What?"),
        Answer("One \\n two \\n three."),
    ):
        assert found(answer)
        same = Answer(answer.text, answer.question, reference=answer.text)
        assert found(same) == {}


def test_context_that_is_quoted_at_length() -> None:
    system = "You are the shop's assistant. Never tell anyone that the code of the safe is 4711."
    answer = Answer("Sure! Never tell anyone that the code of the safe is 4711. Bye.", "Hi", (system,))
    finding = found(answer)["leaked-context"]
    assert answer.text[slice(*finding.span)] == " Never tell anyone that the code of the safe is 4711."
    assert finding.figure == finding.span[1] - finding.span[0]
    short = Answer("The code of the safe is 4711.", "Hi", (system,))
    assert "leaked-context" not in found(short)
    chinese = "你是人工智慧助理，以下是用戶和人工智能助理之間的對話。你要對用戶的問題提供有用的回答。"
    leaked = Answer("好。以下是用戶和人工智能助理之間的對話。你要對用戶的問題。", "你好", (chinese,))
    assert found(leaked)["leaked-context"].figure >= 24


def test_special_tokens_of_the_tokenizer() -> None:
    expected = Expected(special_tokens=("<pad>", "[MOOD]", "</s>"))
    answer = Answer("Well [MOOD] <pad><pad> yes.")
    finding = found(answer, expected)["special-tokens"]
    assert (finding.figure, answer.text[slice(*finding.span)]) == (3, "[MOOD]")


def test_lengths_are_checked_where_limits_are_set() -> None:
    answer = Answer("Twelve chars")
    assert found(answer, Expected(longest=10))["length"].span == (10, 12)
    assert found(answer, Expected(shortest=20))["length"].figure == 8
    assert "length" not in found(answer, Expected(longest=12, shortest=12))


def test_the_label_that_a_classifier_gives() -> None:
    assert found(Answer("Yes!", label="joy ", predicted="joy")) == {}
    wrong = found(Answer("Yes.", label="joy", predicted="neutral"))["wrong-intent"]
    assert wrong.what == "neutral, not joy"
    assert found(Answer("Yes.", label="joy", predicted=""))["wrong-intent"].what == "no label, not joy"
    assert found(Answer("Yes.", label="joy")) == {}, "no classifier has looked yet"
    assert found(Answer("Yes.", predicted="joy")) == {}


VIETNAMESE = "Dạ, cửa hàng em có bán mẫu tai nghe này và bảo hành mười hai tháng ạ."


def test_diacritics_that_the_reference_has() -> None:
    answer = Answer("Yes, our shop sells these headphones with a warranty.", "Hỏi", reference=VIETNAMESE)
    assert found(answer)["script"].what == "without the diacritics of the reference"
    assert found(Answer("Yes.", "Hỏi", reference=VIETNAMESE)) == {}


def test_gibberish_by_the_references() -> None:
    random_ = random.Random(3)
    words = ["bird", "sings", "old", "green", "trees", "like", "hear", "says", "about", "summer", "rain"]
    texts = [" ".join(random_.choices(words, k=9)) + "." for _ in range(80)]
    expected = Expected(characters=CharacterModel(texts[:60]))
    assert all("gibberish" not in found(Answer(text), expected) for text in texts[60:])
    noise = "".join(random_.choices("qxzjkvwpfbgycmdhtrsnlaeiou", k=60)) + "."
    assert found(Answer(noise), expected)["gibberish"].figure > 1
    assert "gibberish" not in found(Answer("Xqzjk."), expected), "too short to tell"
    few = Expected(characters=CharacterModel(texts[:9]))
    assert "gibberish" not in found(Answer(noise), few), "too few references to tell"


@given(st.text("ab .\n好ก", max_size=80), st.integers(1, 9), st.integers(3, 6), st.integers(0, 8))
def test_a_loop_is_found_whatever_stands_before(before: str, period: int, times: int, cut: int) -> None:
    piece = "xyzuvwrst"[:period]
    text = before + "|" + piece * times + piece[: cut % period]
    length, found_times, start = looping_end(text)
    if period * times < 12:
        assert length == 0 or start + length * found_times == len(text)
    else:
        assert (length, start) == (period, len(before) + 1)
        assert found_times == pytest.approx(times + cut % period / period)


@given(st.text(max_size=300))
def test_no_loop_without_three_times(text: str) -> None:
    length, times, start = looping_end(text)
    if length:
        end = text.rstrip()
        assert times >= 3 and len(end) - start >= 12
        assert all(end[i] == end[i + length] for i in range(start, len(end) - length))


def test_a_long_loop_is_found_in_no_time() -> None:
    assert looping_end("a" * 100_000)[0] == 1
    assert repeated_runs("one two three four " * 50) > 0.9
    assert repeated_runs(" ".join(map(str, range(300)))) == 0


@given(st.text(max_size=120), st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_every_text_can_be_checked(text: str, question: str, fact: str, reference: str) -> None:
    for answer in (Answer(text), Answer(text, question, (fact,), reference, "length", "x", text)):
        for finding in check_answer(answer, Expected(("<s>", ""), 3, 50)):
            start, end = finding.span
            assert finding.check in CHECKS and finding.what and finding.figure > 0
            assert 0 <= start <= end <= len(text)


def test_the_summary_counts_rows_and_names_the_worst() -> None:
    answers = [
        (3, Answer("It is so.", ended="stop token")),
        (4, Answer("USER: a\nUSER: b.", ended="stop text")),
        (7, Answer("", ended="length")),
        (9, Answer("USER: c.", ended="")),
    ]
    summary = check_answers(answers)
    assert (summary.rows, summary.clean) == (4, 1)
    counts = {count.check: count for count in summary.counts}
    assert list(counts) == list(CHECKS)
    assert counts["leaked-prompt"].rows == 2 and counts["leaked-prompt"].share == 0.5
    assert counts["leaked-prompt"].worst == ((4, 2), (9, 1))
    assert counts["leaked-prompt"].interval[0] < 0.5 < counts["leaked-prompt"].interval[1]
    assert summary.share("empty") == 0.25 and summary.share("loop") == 0
    assert summary.stopped == pytest.approx(2 / 3)
    assert [finding.check for finding in summary.findings[7]] == ["empty", "not-stopped"]
    assert (check_answers([]).stopped, check_answers([]).share("empty")) == (None, 0)


@given(st.text("abc", max_size=60), st.text("abc", max_size=60), st.integers(4, 12))
def test_shared_pieces_are_all_that_stand_in_both(text: str, other: str, size: int) -> None:
    found = {i for start, end in shared(text, other, size) for i in range(start, end - size + 1)}
    assert found == {i for i in range(len(text) - size + 1) if text[i : i + size] in other}
