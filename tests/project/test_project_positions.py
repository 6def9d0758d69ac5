"""Lines of keys in a TOML text."""

import tomllib
from typing import Any

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from workbench.project.positions import KeyPath, comments, positions

TEXT = '''\
title = "x"
[train]
"learning rate" = 1   # note = 5
note = """
[fake]
b = 2
"""
arr = [
  1, # one
  [2, 3],
]
opt.lr = 3
[[data.files]]
path = "a"
[[data.files]]
path = "b" # [x]
[data.files.extra]
k = { a = 1, b.c = [
  { d = 2 },
] }
[ spaced . 'quoted.key' ]
"é\\u0041" = ""
'''


def test_every_sort_of_key() -> None:
    found = positions(TEXT)
    expected: dict[KeyPath, int] = {
        ("title",): 1,
        ("train",): 2,
        ("train", "learning rate"): 3,
        ("train", "note"): 4,
        ("train", "arr"): 8,
        ("train", "arr", 0): 9,
        ("train", "arr", 1, 1): 10,
        ("train", "opt", "lr"): 12,
        ("data",): 13,
        ("data", "files", 0, "path"): 14,
        ("data", "files", 1): 15,
        ("data", "files", 1, "path"): 16,
        ("data", "files", 1, "extra"): 17,
        ("data", "files", 1, "extra", "k", "b", "c", 0, "d"): 19,
        ("spaced", "quoted.key"): 21,
        ("spaced", "quoted.key", "éA"): 22,
    }
    assert {path: found.get(path) for path in expected} == expected
    assert ("fake",) not in found


def test_comments_are_told_from_texts() -> None:
    assert comments(TEXT) == ["# note = 5", "# one", "# [x]"]
    assert comments('a = \'#\' # x\r\nb = """\n# no\n"""') == ["# x"]


_FRAGMENTS = st.lists(
    st.sampled_from([*"[]{}=,.#\n\"'\\ ab1", '"""', "'''", "[[", "]]", "\r\n"]), max_size=60
)


@given(st.one_of(st.text(), _FRAGMENTS.map("".join)))
def test_never_raises(text: str) -> None:
    found = positions(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())
    comments(text)


_KEYS = st.text(min_size=1, max_size=6)
_VALUES = st.recursive(
    st.one_of(st.integers(-99, 99), st.booleans(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5), st.booleans())
def test_every_key_of_valid_toml_is_found(tree: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(tree, multiline_strings=multiline)
    assert positions(text).keys() == _paths(tomllib.loads(text), ())


def _paths(node: Any, path: KeyPath) -> set[KeyPath]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return ({path} if path else set()).union(*(_paths(value, (*path, key)) for key, value in items))


def test_a_hostile_depth_costs_no_memory() -> None:
    depth = 20_000
    assert positions(f"x = 1\n{'a.' * depth}b = 1")["a", "a"] == 2
    assert positions(f"x = {'[' * depth}")["x", 0, 0] == 1
