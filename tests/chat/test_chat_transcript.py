"""A transcript keeps every answer, and reads back as the conversation stood last."""

import json
import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.chat.protocol import Done, Target
from workbench.chat.transcript import Transcript, conversation, read_transcript
from workbench.data.example import Message
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings

TARGET = Target("checkpoint", "run-1 step 20", "embedded", Path("/p"), "base", run="run-1", step=20)
DONE = Done(3, "length", [5, 6], 2, 9, 0, 0.1, 20.0)


def say(*texts: str) -> list[Message]:
    return [Message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]


def test_two_turns_and_an_answer_asked_for_again(tmp_path: Path) -> None:
    transcript = Transcript.begin(tmp_path)
    cold = ChatSettings(temperature=0)
    transcript.add(say("สวัสดี", "Hello"), TARGET, ChatSettings(), DONE)
    transcript.add(say("สวัสดี", "Hello", "Why?", "So"), TARGET, ChatSettings(), DONE)
    transcript.add(say("สวัสดี", "Hello", "Why?", "Because"), TARGET, cold, DONE)

    entries = read_transcript(transcript.path)
    assert conversation(entries) == say("สวัสดี", "Hello", "Why?", "Because")
    assert conversation(entries[:2])[-1].content == "So"
    assert [entry.keep for entry in entries] == [0, 2, 3]
    assert entries[2].settings["temperature"] == 0
    assert (entries[0].target["label"], entries[0].target["step"]) == ("run-1 step 20", 20)
    assert entries[0].result["ids"] == [5, 6]
    assert transcript.path.parent == tmp_path / "chats"
    assert all(json.loads(line)["v"] == 1 for line in transcript.path.read_text("utf-8").splitlines())


@settings(deadline=None)  # every line is forced onto the disk
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=2, max_size=6), min_size=1, max_size=5))
def test_any_history_of_conversations_reads_back(
    tmp_path_factory: pytest.TempPathFactory, histories: list[list[str]]
) -> None:
    transcript = Transcript.begin(tmp_path_factory.mktemp("any"))
    for count, texts in enumerate(histories, 1):
        transcript.add(say(*texts), TARGET, ChatSettings(), DONE)
        assert conversation(read_transcript(transcript.path)) == say(*texts)
        assert len(read_transcript(transcript.path)) == count


def test_two_transcripts_of_one_second_are_two_files(tmp_path: Path) -> None:
    assert len({Transcript.begin(tmp_path).path for _ in range(3)}) == 3


def test_half_a_last_line_is_left_out(tmp_path: Path) -> None:
    transcript = Transcript.begin(tmp_path)
    transcript.add(say("a", "b"), TARGET, ChatSettings(), DONE)
    whole = transcript.path.read_bytes()
    transcript.path.write_bytes(whole + whole[:30])
    assert len(read_transcript(transcript.path)) == 1


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (path := tmp_path / "x.jsonl").write_text("{}\n")
    with pytest.raises(WorkbenchError, match=r"x\.jsonl:1"):
        read_transcript(path)


def test_an_answer_that_a_full_disk_refused_is_written_with_the_next(tmp_path: Path) -> None:
    """A limit on the file's size stands for the disk: the write is cut short, then refused."""
    transcript = Transcript.begin(tmp_path)
    transcript.add(say("a", "b"), TARGET, ChatSettings(), DONE)
    whole = transcript.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, limits[1]))
        with pytest.raises(WorkbenchError, match="cannot be written"):
            transcript.add(say("a", "b", "c", "d"), TARGET, ChatSettings(), DONE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert transcript.path.read_bytes() == whole
    transcript.add(say("a", "b", "c", "d", "e", "f"), TARGET, ChatSettings(), DONE)
    assert conversation(read_transcript(transcript.path)) == say("a", "b", "c", "d", "e", "f")


def test_a_folder_that_takes_no_files_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "chats").write_text("a file where the folder should be")
    with pytest.raises(WorkbenchError, match="transcript cannot be written"):
        Transcript.begin(tmp_path)
