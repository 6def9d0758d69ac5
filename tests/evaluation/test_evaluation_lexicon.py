"""A classifier of words: what it finds, what a file tells it, and what is said when the file is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.evaluation.lexicon import Lexicon, read_lexicon

EMOTIONS = {"neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"}
BUILT_IN = read_lexicon()


def test_the_built_in_lexicon_knows_the_seven_emotions_of_dailydialog() -> None:
    assert set(BUILT_IN.labels) == EMOTIONS and BUILT_IN.default == "neutral"
    words = [word for each in BUILT_IN.words.values() for word in each]
    assert len(words) == len(set(words)), "no word speaks for two labels"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The train leaves at nine .", "neutral"),
        ("That ’ s enough ! How dare you !", "anger"),
        ("Yuck, this is disgusting.", "disgust"),
        ("I was so scared of the dark.", "fear"),
        ("That's WONDERFUL, thank you!", "happiness"),
        ("I'm sorry to hear that, what a pity.", "sadness"),
        ("Wow! Are you kidding?", "surprise"),
        ("They sang a sadly long song about gladiators.", "neutral"),
        ("", "neutral"),
        ("好的。", "neutral"),
    ],
)
def test_emotions_by_their_words(text: str, label: str) -> None:
    assert BUILT_IN.classify(text).label == label


def test_the_score_is_the_share_of_the_words_found() -> None:
    lexicon = Lexicon({"joy": ["happy", "so glad"], "grief": ["sad"]}, "none")
    found = lexicon.classify("Happy, happy, so glad, and a little sad.")
    assert (found.label, found.words, found.score) == ("joy", ("happy", "so glad"), 2 / 3)
    assert lexicon.classify("Happy or sad?").label == "joy", "of equally many the first"
    assert (lexicon.classify("Well.").label, lexicon.classify("Well.").score) == ("none", 0)


def test_rules_by_script_and_phrases_of_any_script(tmp_path: Path) -> None:
    file = tmp_path / "direction.toml"
    file.write_text('classical = ["曰", "也。"]\nmodern = ["的", "了"]\nthai = ["script:Thai"]\n', "utf-8")
    lexicon = read_lexicon(file)
    assert lexicon.labels == ("classical", "modern", "thai")
    texts = ["子曰：善。", "他說了。", "สวัสดีครับ", "Hello."]
    assert [lexicon.classify(text).label for text in texts] == ["classical", "modern", "thai", ""]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("joy = [", ["is no TOML"]),
        ("", ["has no words for any label"]),
        ('default = "joy"', ["has no words for any label"]),
        ('joy = "happy"', ["joy: is no list of words"]),
        ('joy = ["happy", 3, " "]', ["joy: 3 is no word", "joy: ' ' is no word"]),
        ('default = 3\njoy = ["script:Elvish"]', ["default: is no text", "no script 'Elvish': one of Latin"]),
    ],
)
def test_all_that_is_wrong_with_a_file_is_said(tmp_path: Path, text: str, faults: list[str]) -> None:
    file = tmp_path / "lexicon.toml"
    file.write_text(text)
    with pytest.raises(WorkbenchError) as error:
        read_lexicon(file)
    assert len(error.value.problems) == len(faults)
    for problem, said in zip(error.value.problems, faults, strict=True):
        assert said in str(problem) and str(file) in str(problem)


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="cannot be read"):
        read_lexicon(tmp_path / "none.toml")


@given(st.text(max_size=80))
def test_every_text_has_a_label(text: str) -> None:
    found = BUILT_IN.classify(text)
    assert found.label in EMOTIONS and 0 <= found.score <= 1
    assert bool(found.words) == (found.score > 0)
