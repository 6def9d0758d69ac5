"""Records are read by two parsers, and it does not show which."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.files.json_text import _parsed, _quickly, parse_object
from workbench.data.files.rows import RowError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def outcome(line: bytes) -> str:
    try:
        return repr(_parsed(line))
    except RowError as error:
        return str(error)


@given(values, st.sampled_from(["", "    ", None]))
def test_what_the_fast_parser_takes_is_what_python_takes(value: Any, indent: str | None) -> None:
    line = json.dumps(value, indent=indent).encode()
    assert line.isascii()
    fast = _quickly(line)
    assert fast is None or repr(fast) == outcome(line)


@given(st.text(alphabet='{}[]",:0123456789.eE+-\\undNaIfity ', max_size=30))
def test_broken_lines_are_refused_by_both(text: str) -> None:
    fast = _quickly(line := text.encode())
    assert fast is None or repr(fast) == outcome(line)


@pytest.mark.parametrize(
    "line",
    [b'{"a":' + b"9" * digits + b"}" for digits in (4000, 4300, 4301)]
    + [b'{"a":' + b"[" * depth + b"]" * depth + b"}" for depth in (63, 64, 150, 250, 100_000)]
    + [b'{"a":"\\ud800"}', b'{"a":1,"b":2,"a":3}', b'{"a":NaN}', b'{"a":1e400}', b"null", b'{"a":"\x01"}'],
)
def test_numbers_levels_and_escapes_at_their_limits(line: bytes) -> None:
    fast = _quickly(line)
    assert fast is None or repr(fast) == outcome(line)


def test_what_is_wrong_is_said_as_python_says_it() -> None:
    assert math.isnan(parse_object(b'{"a": NaN}')["a"])
    assert parse_object(b'{"a": "\\ud800"}') == {"a": "\ud800"}
    with pytest.raises(RowError, match="broken JSON: Expecting value, column 7"):
        parse_object(b'{"a": }')
    with pytest.raises(RowError, match="the row is null"):
        parse_object(b"null")
