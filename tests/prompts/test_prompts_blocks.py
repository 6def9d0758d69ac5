"""Context blocks: what stands before a question, in training as in chat, and what a run keeps of it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_prompts_project import folder, project  # noqa: F401  (folder is a fixture)

from workbench.data.example import Example, Message, Origin, Rejected
from workbench.errors import WorkbenchError
from workbench.project.schema import PromptSettings
from workbench.prompts.blocks import NO_BLOCKS, Blocks, compose, read_blocks, with_texts
from workbench.prompts.encoding.encode import make_encoder
from workbench.prompts.fingerprint import fingerprints

ASKED = (Message("user", "Shop ơi, còn size M không?"), Message("assistant", "Dạ còn ạ."))
VIETNAMESE = Blocks((("Kiến thức", "Size: S, M, L."),), question="Chat")


def test_blocks_stand_in_their_order_before_the_question() -> None:
    messages = compose(ASKED, (("Ngữ cảnh", "Áo thun."), ("Chủ đề", "Kích cỡ")), VIETNAMESE)
    assert messages[0].content == (
        "Kiến thức:\nSize: S, M, L.\n\n"
        "Ngữ cảnh:\nÁo thun.\n\n"
        "Chủ đề:\nKích cỡ\n\n"
        "Chat:\nShop ơi, còn size M không?"
    )
    assert messages[1:] == ASKED[1:]


def test_only_the_first_question_gets_them() -> None:
    talk = (Message("system", "Be brief."), *ASKED, Message("user", "Màu gì?"))
    messages = compose(talk, (), VIETNAMESE)
    assert messages[0] == talk[0] and messages[2:] == talk[2:]
    assert messages[1].content.startswith("Kiến thức:\n")


def test_without_blocks_the_question_gets_no_title() -> None:
    assert compose(ASKED, (), Blocks(question="Chat")) == ASKED
    assert compose(ASKED[1:], (("Ngữ cảnh", "x"),), VIETNAMESE) == ASKED[1:], "nobody asks"


def test_without_the_shared_ones_the_form_stays() -> None:
    assert compose(ASKED, (), VIETNAMESE, shared=False)[0].content == f"Chat:\n{ASKED[0].content}"
    own = (("Ngữ cảnh", "Áo"),)
    assert compose(ASKED, own, VIETNAMESE, shared=False)[0].content == (
        f"Ngữ cảnh:\nÁo\n\nChat:\n{ASKED[0].content}"
    )


def test_structured_content_keeps_what_is_given() -> None:
    asked = Message("user", "Hello", given=(("emotion", "joy"),), text_key="dialog")
    made = compose([asked], (("Topic", "Weather"),), NO_BLOCKS)[0]
    assert made.for_template == {"emotion": "joy", "dialog": "Topic:\nWeather\n\nHello"}


@given(st.text(), st.text(), st.text())
def test_texts_survive_as_they_are(title: str, text: str, asked: str) -> None:
    """Braces in a text are no places to fill."""
    made = compose([Message("user", asked)], ((title, text),), Blocks(form="<{title}>{text}</{title}>"))
    assert made[0].content == f"<{title}>{text}</{title}>\n\n{asked}"


def test_files_are_read_beside_the_project(tmp_path: Path) -> None:
    (tmp_path / "knowledge.txt").write_text("\ufeffShip 2 ngày.\n", "utf-8")
    settings = prompt(block=[{"title": "Kiến thức", "file": "knowledge.txt"}], question="Chat")
    assert read_blocks(settings, tmp_path) == Blocks((("Kiến thức", "Ship 2 ngày."),), question="Chat")
    kept = with_texts(settings, tmp_path)
    (tmp_path / "knowledge.txt").unlink()
    assert read_blocks(kept, tmp_path) == Blocks((("Kiến thức", "Ship 2 ngày."),), question="Chat")


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"file": "gone.txt"}, "gone.txt.*cannot be read"),
        ({"file": "."}, "cannot be read"),
        ({"file": "bytes.txt"}, "bytes.txt.*cannot be read"),
        ({"file": "empty.txt"}, "empty.txt.*is empty"),
        ({"file": "a\0b"}, "cannot be read"),
    ],
)
def test_a_block_that_cannot_be_written(tmp_path: Path, block: dict[str, str], said: str) -> None:
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(WorkbenchError, match=said):
        read_blocks(prompt(block=[{"title": "K"} | block]), tmp_path)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    settings = prompt(block=[{"title": "K", "file": "none"}, {"title": "L", "file": "gone"}])
    with pytest.raises(WorkbenchError) as caught:
        read_blocks(settings, tmp_path)
    assert len(caught.value.problems) == 2


def test_training_and_chat_write_the_same(folder: Path) -> None:  # noqa: F811
    (folder / "culture.txt").write_text("Xưng hô: em - anh/chị.", "utf-8")
    blocks = [{"title": "Ghi chú", "file": "culture.txt"}]
    encoder = make_encoder(project(folder, prompt={"block": blocks, "question": "Chat"}))
    encoded = encoder.encode(Example(ASKED, Origin(0, 0)))
    assert not isinstance(encoded, Rejected)
    ids, text = encoder.prompt(ASKED[:1])
    assert "Ghi chú:\nXưng hô: em - anh/chị.\n\nChat:\nShop ơi" in text
    assert encoded.ids[: len(ids)] == ids
    own = (("Chủ đề", "Áo"),)
    with_own = encoder.encode(Example(ASKED, Origin(0, 0), blocks=own))
    assert not isinstance(with_own, Rejected)
    assert with_own.text.startswith(encoder.prompt(ASKED[:1], own)[1])
    (folder / "culture.txt").unlink()
    with pytest.raises(WorkbenchError, match=r"culture\.txt"):
        make_encoder(project(folder, prompt={"block": blocks}))


def test_a_changed_block_is_another_template(folder: Path) -> None:  # noqa: F811
    bare = fingerprints(project(folder))
    (folder / "k.txt").write_text("one")
    settings = {"block": [{"title": "K", "file": "k.txt"}]}
    first = fingerprints(project(folder, prompt=settings))
    assert first["template"] != bare["template"] and first["data"] == bare["data"]
    kept = with_texts(project(folder, prompt=settings).settings.prompt, folder)
    (folder / "k.txt").write_text("two")
    second = fingerprints(project(folder, prompt=settings))
    assert second["template"] not in (first["template"], bare["template"])
    assert fingerprints(project(folder, prompt=kept.model_dump()))["template"] == first["template"]


def prompt(**settings: Any) -> PromptSettings:
    return PromptSettings.model_validate(settings)
