"""Tokens become text without broken characters, special tokens, or any part of a stop text."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

from workbench.engine.text_stream import TextStream
from workbench.prompts.tokenizer import Tokenizer as Loaded
from workbench.prompts.tokenizer import load_tokenizer

WRITING = ["สวัสดีครับ", "Tiếng Việt", "春眠不覺曉", "👩‍👩‍👧 family", "plain text", "\n\n", " ", "naïve"]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.lists(
    st.sampled_from(WRITING), max_size=6
).map("".join)


@pytest.fixture(scope="module")
def byte_level(tiny_base: Path) -> Loaded:
    return load_tokenizer(tiny_base)


@pytest.fixture(scope="module")
def byte_fallback(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """As SentencePiece makes them (Llama 2, Mistral): blanks are a letter, rare characters come in bytes."""
    vocabulary = {"<unk>": 0, "</s>": 1, **{f"<0x{byte:02X}>": byte + 2 for byte in range(256)}}
    for piece in ["▁", *"abcdefghijklmnopqrstuvwxyz", "春"]:
        vocabulary[piece] = len(vocabulary)
    backend = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1, right=0),
        ]
    )
    backend.add_special_tokens([AddedToken("</s>", special=True)])
    folder = tmp_path_factory.mktemp("byte-fallback")
    backend.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    return load_tokenizer(folder)


def stream_of(tokenizer: Loaded, prompt: str, *stops: str) -> TextStream:
    return TextStream(tokenizer, tokenizer.encode(prompt)[0], stops)


def written(stream: TextStream, ids: list[int]) -> list[str]:
    pieces = []
    for token in ids:
        pieces.append(stream.add(token))
        if stream.stopped:
            return pieces
    return [*pieces, stream.end()]


@given(answer=texts, prompt=st.sampled_from(["", "ask\n", "春", "[/INST]"]))
@example(answer="👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", prompt="")
@settings(deadline=None)
def test_pieces_make_up_the_text(byte_level: Loaded, answer: str, prompt: str) -> None:
    pieces = written(stream_of(byte_level, prompt), byte_level.encode(answer)[0])
    assert "".join(pieces) == answer.removeprefix(" ")
    if "\ufffd" not in answer:
        assert not any("\ufffd" in piece for piece in pieces)


@given(answer=texts, prompt=st.sampled_from(["ask\n", "春", "inst"]))
@settings(deadline=None)
def test_pieces_make_up_the_text_of_bytes_too(byte_fallback: Loaded, answer: str, prompt: str) -> None:
    """The tokens after the prompt are those of the whole text, as the model was trained to write them."""
    whole, start = byte_fallback.encode(prompt + answer)[0], len(byte_fallback.encode(prompt)[0])
    pieces = written(TextStream(byte_fallback, whole[:start], ()), whole[start:])
    assert "".join(pieces) == answer.replace("▁", " ").removeprefix(" ")


def test_a_character_appears_with_its_last_byte_and_not_before(byte_level: Loaded) -> None:
    ids = byte_level.encode("ก👍")[0]
    assert len(ids) == 7
    assert written(stream_of(byte_level, "x"), ids) == ["", "", "ก", "", "", "", "👍", ""]


def test_half_a_character_at_the_end_is_left_out(byte_level: Loaded) -> None:
    ids = byte_level.encode("a👍")[0][:-1]
    assert "".join(written(stream_of(byte_level, "x"), ids)) == "a"


def test_special_tokens_have_no_text(byte_level: Loaded) -> None:
    mark = byte_level.encode("<|im_end|>")[0]
    ids = byte_level.encode("a")[0] + mark + byte_level.encode("b")[0]
    assert "".join(written(stream_of(byte_level, "x"), ids)) == "ab"


@given(answer=st.text("abc", max_size=30), stops=st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
@settings(deadline=None)
def test_the_text_ends_before_the_first_stop(byte_level: Loaded, answer: str, stops: list[str]) -> None:
    stream, ids = stream_of(byte_level, "x", *stops), byte_level.encode(answer)[0]
    text = "".join(written(stream, ids))
    for length in range(1, len(ids) + 1):
        so_far = byte_level.decode(ids[:length])
        if found := [so_far.find(stop) for stop in stops if stop in so_far]:
            assert (text, stream.stopped) == (so_far[: min(found)], True)
            return
    assert (text, stream.stopped) == (answer, False)


def test_a_stop_text_in_several_tokens_is_never_shown_in_part(byte_level: Loaded) -> None:
    stream = stream_of(byte_level, "x", "\nUser:")
    pieces = written(stream, byte_level.encode("fine\nUse it\nUser: me")[0])
    assert "".join(pieces) == "fine\nUse it"
    assert stream.stopped


def test_bytes_that_make_no_character_are_shown_while_they_come(byte_fallback: Loaded) -> None:
    broken = [0xFF + 2] * 40  # <0xFF>
    pieces = written(stream_of(byte_fallback, "so "), broken)
    assert max(len(piece) for piece in pieces) <= 12, "none waits for long"
    assert "\ufffd" in "".join(pieces)
    after = written(stream_of(byte_fallback, "so "), [*broken, *byte_fallback.encode("春")[0]])
    assert "".join(after).endswith("春")
