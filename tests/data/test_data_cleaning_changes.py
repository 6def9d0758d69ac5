"""The before/after view: pieces that make up both texts."""

import time

from hypothesis import given
from hypothesis import strategies as st

from workbench.data.cleaning.changes import Change, changes, excerpt, spelled

TEXTS = st.lists(st.sampled_from(["a", "b ", "  ", "\n", "ดาว", "。", "<p>", "long word "])).map("".join)


@given(TEXTS, TEXTS)
def test_pieces_make_up_both_texts(before: str, after: str) -> None:
    pieces = changes(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "in") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "out") == after
    assert all(piece.text for piece in pieces)
    assert all(a.kind != b.kind for a, b in zip(pieces, pieces[1:], strict=False))


def test_what_changed_is_found_word_by_word() -> None:
    assert changes("the old house\nstands", "the new house\nstands") == [
        Change("same", "the "),
        Change("out", "old"),
        Change("in", "new"),
        Change("same", " house\nstands"),
    ]
    assert changes("答案：甲", "甲") == [Change("out", "答案："), Change("same", "甲")]
    assert changes("A\ufeffB", "AB") == [Change("same", "A"), Change("out", "\ufeff"), Change("same", "B")]
    assert changes("same", "same") == [Change("same", "same")]


def test_an_excerpt_is_short() -> None:
    pieces = changes("x" * 500 + " old " + "y" * 500, "x" * 500 + " new " + "y" * 500)
    shown = "".join(piece.text for piece in excerpt(pieces, around=10))
    assert shown == "…xxxxxxxxx oldnew yyyyyyyyy…"
    many = changes(" ".join(f"<b> number{i}" for i in range(50)), " ".join(f"number{i}" for i in range(50)))
    assert len(excerpt(many, most=5)) == 6


def test_what_cannot_be_seen_is_spelled() -> None:
    assert spelled("a\ufeff \ue1ef\u00a0b") == "aU+FEFF U+E1EFU+00A0b"


def test_no_pair_of_texts_takes_long() -> None:
    for before, after in (
        ("a " * 50_000, "b " * 50_000),
        (" \t" * 500 + "x\n", " " * 500 + "y\n"),
        ("a  b|" * 400, "a b|" * 400),
    ):
        begin = time.perf_counter()
        changes(before, after)
        assert time.perf_counter() - begin < 3
