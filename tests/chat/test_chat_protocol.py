"""Everything that is sent arrives as it was; nothing that a line can hold gets through unless it is valid."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.chat.protocol import (
    MOST_COLUMNS,
    Alternative,
    Column,
    Done,
    Failed,
    Generate,
    Held,
    Load,
    Loaded,
    Piece,
    Ready,
    Reply,
    Request,
    Stop,
    Target,
    TokenDetail,
    id_of,
    read_reply,
    read_request,
    to_line,
)
from workbench.data.example import Message
from workbench.errors import Problem, WorkbenchError
from workbench.project.schema import Block, ChatSettings, PromptSettings

ids = st.integers(0, 2**31)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
seconds = st.floats(0, 1e6)
paths = text.filter(bool).map(Path)
settings = st.builds(
    ChatSettings,
    temperature=st.floats(0, 5),
    top_p=st.floats(0.001, 1),
    top_k=st.integers(0, 1000),
    seed=st.integers(0, 2**31),
    stop=st.lists(text.filter(bool), max_size=3),
)
targets = st.builds(
    Target,
    label=text,
    base=text,
    project_folder=paths,
    template=text,
    template_source=st.none() | text,
    prompt=st.builds(PromptSettings, system=text, block=st.just([Block(title="K", text="k")])),
    weights=st.none() | paths,
    run=st.none() | text,
    step=st.none() | ids,
    base_fingerprint=text,
)
messages = st.lists(st.builds(Message, content=text), max_size=4)
columns = st.builds(Column, text, messages, settings)
requests = st.one_of(
    st.builds(Load, ids, st.dictionaries(text, targets, max_size=3)),
    st.builds(Generate, ids, st.lists(columns, min_size=1, max_size=MOST_COLUMNS), st.booleans()),
    st.builds(Stop, ids),
)
problems = st.builds(Problem, text, text, text)
held = st.builds(Held, text, ids, st.none() | ids, st.booleans(), st.lists(text, max_size=2))
share = st.floats(0, 1)
alternatives = st.builds(Alternative, ids, text, share)
details = st.builds(TokenDetail, ids, text, share, seconds, st.lists(alternatives, max_size=5))
replies = st.one_of(
    st.builds(Ready),
    st.builds(Loaded, ids, seconds, st.dictionaries(text, held, max_size=3)),
    st.builds(Piece, ids, text, ids),
    st.builds(
        Done,
        ids,
        st.sampled_from(["stop token", "stop text", "length", "stopped", "context full"]),
        st.lists(ids, max_size=5),
        *[ids] * 3,
        *[seconds] * 2,
        *[ids] * 2,
        st.lists(details, max_size=2),
        ids,
    ),
    st.builds(Failed, ids, st.lists(problems, min_size=1, max_size=3), st.none() | ids, st.booleans()),
)


@given(requests)
def test_a_request_arrives_as_it_was(request: Request) -> None:
    line = to_line(request)
    assert line.count(b"\n") == 1
    assert read_request(line) == request
    assert id_of(line) == request.id
    assert json.loads(line)["v"] == 1


@given(replies)
def test_a_reply_arrives_as_it_was(reply: Reply) -> None:
    line = to_line(reply)
    assert line.count(b"\n") == 1
    assert read_reply(line) == reply


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["op", "id", "columns", "targets", "details", "v"]), inner)
    ),
)


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_other_line_is_an_error_of_the_line(line: bytes) -> None:
    with pytest.raises(WorkbenchError):
        read_request(line)
    assert isinstance(id_of(line), int)


def asked(*columns: dict[str, Any]) -> bytes:
    whole = [{"target": "a", "messages": [], "settings": {}} | column for column in columns]
    return json.dumps({"op": "generate", "id": 1, "columns": whole}).encode()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b'{"op": "dance", "id": 1}', "dance"),
        (b'{"op": "stop", "id": "1"}', "id"),
        (b'{"op": "stop", "id": 1, "v": 2}', "v"),
        (asked({"settings": {"temperature": -1}}), "temperature"),
        (asked({"settings": {"heat": 1}}), "heat"),
        (asked({"messages": [{"role": "dog", "content": ""}]}), "role"),
        (b'{"op": "generate", "id": 1, "columns": []}', "columns"),
        (asked(*[{}] * (MOST_COLUMNS + 1)), "columns"),
        (b'{"op": "stop", "id": ', "EOF"),
    ],
)
def test_an_error_names_what_is_wrong(line: bytes, named: str) -> None:
    with pytest.raises(WorkbenchError, match=named):
        read_request(line)


def test_half_a_surrogate_pair_is_refused_where_it_is_sent() -> None:
    with pytest.raises(WorkbenchError, match="surrogate"):
        to_line(Generate(1, [Column("a", [Message("user", "\udce4")], ChatSettings())]))
