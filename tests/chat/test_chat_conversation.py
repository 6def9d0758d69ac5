"""A conversation with branches and columns reads back as it stood, whatever was done in it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.chat.conversation import Conversation
from workbench.chat.markdown import as_markdown
from workbench.chat.protocol import Done, Target
from workbench.chat.transcript import read_transcript
from workbench.data.example import Message
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings

TARGETS = [
    Target("base", "base model embedded", "embedded", Path("/p"), "base"),
    Target("checkpoint", "run-1 step 20", "embedded", Path("/p"), "base", run="run-1", step=20),
]
DONE = Done(3, "length", [5, 6], 2, 9, 0, 0.1, 20.0)


def answer(conversation: Conversation, text: str, *columns: int) -> None:
    for column in columns:
        conversation.answer(
            column, Message("assistant", f"{text}{column}"), TARGETS[column], ChatSettings(), DONE
        )


def texts(conversation: Conversation, column: int) -> list[str]:
    return [message.content for message in conversation.messages(column)]


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["ask", "again", "edit", "edit answer", "undo", "branch"]),
        st.sampled_from("abc"),
        st.sampled_from([(0,), (1,), (0, 1)]),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=60)  # every line is forced onto the disk
@given(MOVES)
def test_whatever_was_done_the_file_gives_the_last_answer_back(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, str, tuple[int, ...], int]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    conversation = Conversation(folder)
    conversation.ask(Message("user", "first"))
    by_hand = any(move == "edit answer" for move, *_ in moves)
    answer(conversation, "x", *((0,) if by_hand else (0, 1)))
    for move, text, columns, number in moves:
        if by_hand:  # what a person changed has no line of its own: of several columns, one stands for all
            columns = (0,)
        if conversation.at is None:
            conversation.ask(Message("user", text))
        path = conversation.path
        exchange = path[number % len(path)]
        if move == "ask":
            conversation.ask(Message("user", text))
        elif move == "again":
            conversation.ask_again()
        elif move == "edit":
            conversation.edit(exchange, Message("user", text))
        elif move == "edit answer" and exchange.answer_for(0):
            conversation.edit_answer(exchange, 0, text)
            conversation.ask(Message("user", text))
        elif move == "undo" and conversation.can_undo:
            conversation.undo()
            continue
        elif move == "branch":
            conversation.go_to(conversation.branches[number % len(conversation.branches)])
            continue
        if conversation.open:
            answer(conversation, text, *columns)
            (file,) = (folder / "chats").iterdir()
            again = Conversation.reopen(file, folder)
            for column in columns:
                assert texts(again, column) == texts(conversation, column)
    roles = [message.role for message in conversation.messages(0)]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)


def test_a_column_that_came_later_goes_on_from_the_first(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path)
    conversation.ask(Message("user", "one"))
    answer(conversation, "a", 0)
    conversation.ask(Message("user", "two"))
    assert [m.content for m in conversation.prompt(1)] == ["one", "a0", "two"]
    answer(conversation, "b", 0, 1)
    assert texts(conversation, 1) == ["one", "a0", "two", "b1"]
    assert list(conversation.last_targets) == [0, 1]


def test_an_opinion_follows_its_answer_and_half_a_line_is_taken_off(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path)
    conversation.ask(Message("user", "one"))
    answer(conversation, "a", 0, 1)
    second = conversation.last_answer(1)
    assert second is not None and conversation.transcript is not None
    conversation.judge(second, rating="bad", issue="wrong number")
    conversation.judge(second, issue="rude")
    path = conversation.transcript.path
    with path.open("ab") as stream:
        stream.write(b'{"v":1,"ti')
    again = Conversation.reopen(path, tmp_path)
    again.ask(Message("user", "two"))
    answer(again, "b", 0)
    entries = read_transcript(path)
    assert [(entry.rating, entry.issues) for entry in entries][1] == ("bad", ["wrong number", "rude"])
    assert len(entries) == 3
    text = as_markdown("Chat", entries)
    assert "## run-1 step 20" in text and "> rated bad" in text and "> issue: rude" in text


def test_an_opinion_on_no_answer_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"v": 1, "time": 1.0, "about": 3, "rating": "good"}\n')
    with pytest.raises(WorkbenchError, match="no answer 3 before this line"):
        read_transcript(path)


def test_an_answer_by_hand_cannot_be_judged(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path)
    conversation.ask(Message("user", "one"))
    answer(conversation, "a", 0)
    assert conversation.at is not None
    conversation.edit_answer(conversation.at, 0, "mine")
    changed = conversation.last_answer(0)
    assert changed is not None and changed.message.content == "mine"
    with pytest.raises(WorkbenchError, match="not in the transcript"):
        conversation.judge(changed, rating="good")
    assert [message.content for message in conversation.prompt(0)] == ["one"]
