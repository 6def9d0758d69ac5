"""Opening and saving: what is laid over what, comments kept, two workbenches, a full disk."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.project.create import create_project
from workbench.project.fields import FormField, form_fields, own_settings, usual, validate_changes
from workbench.project.positions import comments
from workbench.project.store import (
    OpenProject,
    add_source,
    find_projects,
    open_project,
    parse_override,
    save_settings,
)

TEXT = """\
# top
name = "x"   # the name

[training]   # how
rank = 16    # width
# between
target_modules = [
  "q_proj",  # queries
  "v_proj",
]            # layers
chat_like = 0
# end of training

[[data.source]]
kind = "messages"  # turns
path = "a.jsonl"

[profile.tiny] # short
training.max_steps = 20 # steps
training.rank = 2
training.alpha = 4
# the end
""".replace("chat_like = 0\n", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "project.toml").write_text(TEXT)
    return tmp_path


def test_layers(folder: Path) -> None:
    assert open_project(folder).settings.training.rank == 16
    assert open_project(folder / "project.toml", "tiny").settings.training.rank == 2
    project = open_project(folder, "tiny", {"training.rank": 3, "data.source.0.path": "b.jsonl"})
    assert project.settings.training.rank == 3
    assert project.settings.training.max_steps == 20
    assert project.settings.data.source[0].path == "b.jsonl"
    assert project.folder == folder.absolute()
    assert project.name == "x"


def test_save_changes_only_what_is_asked(folder: Path) -> None:
    project = save_settings(open_project(folder), {"training.rank": 8, "chat.stop": ["\n", "#"]})
    assert project.settings.training.rank == 8
    assert project.settings.chat.stop == ["\n", "#"]
    assert project.text == (folder / "project.toml").read_text()
    expected = TEXT.replace("rank = 16", "rank = 8") + '\n[chat]\nstop = ["\\n", "#"]\n'
    assert project.text == expected


def test_a_removed_key_leaves_its_comments(folder: Path) -> None:
    project = save_settings(open_project(folder), {"training.rank": None, "training.target_modules": None})
    assert project.settings.training.rank == 16
    assert sorted(comments(project.text)) == sorted(comments(TEXT))
    assert "[training]   # how\n# width\n# between\n# queries\n# layers\n# end of training\n" in project.text


def test_nothing_is_written_when_nothing_changes(folder: Path) -> None:
    before = (folder / "project.toml").stat()
    save_settings(open_project(folder), {"training.rank": 16, "training.alpha": None})
    after = (folder / "project.toml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_key_of_the_profile_in_use_is_saved_there(folder: Path) -> None:
    project = open_project(folder, "tiny", {"training.alpha": 9, "training.seed": 7})
    project = save_settings(
        project, {"training.rank": 4, "training.alpha": 5, "model.base": "b", "training.max_steps": None}
    )
    assert project.settings.training.rank == 4
    assert project.settings.training.alpha == 5, "the override of a saved key is dropped"
    assert project.settings.training.seed == 7, "an override of another key stays"
    assert project.settings.training.max_steps == 0
    plain = open_project(folder).settings
    assert (plain.training.rank, plain.model.base) == (16, "b")
    assert sorted(comments(project.text)) == sorted(comments(TEXT))


def test_a_wrong_value_is_refused_before_writing(folder: Path) -> None:
    project = open_project(folder)
    for key, value in {
        "training.rank": 0,
        "training.dropout": float("nan"),
        "training.rnk": 1,
        "name": None,
    }.items():
        with pytest.raises(WorkbenchError, match=key):
            save_settings(project, {key: value})
    assert (folder / "project.toml").read_text() == TEXT


def test_two_workbenches_on_one_project(folder: Path) -> None:
    mine, theirs = open_project(folder), open_project(folder)
    save_settings(theirs, {"training.rank": 8})
    with pytest.raises(WorkbenchError, match="changed on disk since it was opened"):
        save_settings(mine, {"training.alpha": 64})
    with pytest.raises(WorkbenchError, match="changed on disk"):
        add_source(mine, {"kind": "messages", "path": "b"})
    assert open_project(folder).settings.training.rank == 8
    assert open_project(folder).settings.training.alpha == 32


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    project = open_project(folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(WorkbenchError, match="No space left on device"):
        save_settings(project, {"training.rank": 8})
    assert (folder / "project.toml").read_text() == TEXT
    assert [path.name for path in folder.iterdir()] == ["project.toml"]


def test_a_project_that_is_gone(folder: Path) -> None:
    project = open_project(folder)
    (folder / "project.toml").unlink()
    with pytest.raises(WorkbenchError, match="cannot be read"):
        save_settings(project, {"training.rank": 8})
    folder.rmdir()
    with pytest.raises(WorkbenchError, match="folder is gone"):
        save_settings(project, {"training.rank": 8})


@pytest.mark.parametrize(
    "text",
    [
        'name = "x"',
        TEXT,
        TEXT + "[data]\nseed = 1",
        'name = "x"\ndata.source = [] # none\n',
        'name = "x"\n[data]\n# d\n[chat]\n# c\n',
        'name = "x"\n[[data.source]]\nkind = "text"\npath = "a"\n'
        "[data.source.where.a]\nequals = 1 # one\n[chat]",
    ],
)
def test_add_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project.toml").write_text(text)
    before = open_project(tmp_path)
    table = {
        "kind": "utterances",
        "path": "b.txt",
        "beside": {"emotion": "e.txt"},
        "labels": {"emotion": ['a " \\', "ü"]},
        "turn": {"e": "{emotion}", "odd key": "{text}"},
        "separator": "\n\n###\n\n",
    }
    after = add_source(add_source(before, table), {**table, "path": str(tmp_path / "sub" / "c.txt")})
    assert [source.path for source in after.settings.data.source[-2:]] == ["b.txt", "sub/c.txt"]
    assert after.settings.data.source[-2].model_dump(exclude_unset=True) == table
    assert len(after.settings.data.source) == len(before.settings.data.source) + 2
    assert sorted(comments(after.text)) == sorted(comments(text))


def test_a_source_that_is_there_is_not_added_again(tmp_path: Path) -> None:
    (tmp_path / "project.toml").write_text('name = "x"\n')
    hub = {"kind": "messages", "path": "hub:a/b"}
    project = add_source(open_project(tmp_path), {"kind": "messages", "path": f"{tmp_path}/x/../a.json"})
    project = add_source(project, hub)
    project = add_source(project, {**hub, "hub_split": "test"})
    assert [source.path for source in project.settings.data.source] == ["a.json", "hub:a/b", "hub:a/b"]
    with pytest.raises(WorkbenchError, match=r"project.toml:\d+: data.source.0.*is there already"):
        add_source(project, {"kind": "text", "path": str(tmp_path / "a.json")})
    with pytest.raises(WorkbenchError, match=r"data.source.1.*is there already"):
        add_source(project, hub)


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.fixed_dictionaries(
        {"kind": st.just("utterances"), "path": st.just("hub:a/b")},
        optional={
            "name": _WORDS,
            "separator": _WORDS,
            "blocks": st.dictionaries(_WORDS, _WORDS, max_size=2),
            "labels": st.dictionaries(_WORDS.filter(lambda x: x != "text"), st.lists(_WORDS), max_size=2),
            "turn": st.dictionaries(_WORDS.map("a{}".format), st.just("x"), max_size=2).map(
                lambda form: {**form, "b": "{text}"}
            ),
            "where": st.dictionaries(_WORDS, st.fixed_dictionaries({"in": st.lists(_WORDS)}), max_size=2),
            "clean": st.lists(st.sampled_from(["strip", {"prefix": ["x"], "on": "user"}])),
            "take": st.integers(0, 9),
        },
    ),
    st.sampled_from([TEXT, 'name = "x"', 'name = "x"\n[data]\nsource = [{kind = "text", path = "a"}] # s\n']),
    st.booleans(),
)
def test_any_source_is_added_as_it_is(
    tmp_path: Path, table: dict[str, Any], text: str, windows: bool
) -> None:
    text = text.replace("\n", "\r\n") if windows else text
    (tmp_path / "project.toml").write_bytes(text.encode())
    after = add_source(open_project(tmp_path), table)
    assert after.settings.data.source[-1].model_dump(exclude_unset=True) == table
    assert sorted(comments(after.text)) == sorted(comments(text))


def test_line_ends_and_mode_stay(tmp_path: Path) -> None:
    file = tmp_path / "project.toml"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    file.chmod(0o600)
    project = save_settings(
        open_project(tmp_path), {"training.rank": 8, "chat.seed": 3, "training.target_modules": ["a"]}
    )
    data = file.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(comments(project.text)) == sorted(comments(TEXT))


def test_find_projects(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert find_projects(folder) == [folder]
    root = tmp_path_factory.mktemp("root")
    for name in ("b", "a", "empty"):
        (root / name).mkdir()
    for name in ("b", "a"):
        (root / name / "project.toml").touch()
    assert find_projects(root) == [root / "a", root / "b"]
    assert find_projects(root / "none") == []


def test_parse_override() -> None:
    assert parse_override("training.rank=8") == ("training.rank", 8)
    assert parse_override(" training.learning_rate = 2e-4 ") == ("training.learning_rate", 2e-4)
    assert parse_override("model.base=org/name-7b") == ("model.base", "org/name-7b")
    assert parse_override('chat.stop=["a=b"]') == ("chat.stop", ["a=b"])
    assert parse_override("prompt.system=") == ("prompt.system", "")
    assert parse_override("prompt.system=1\nx = 2") == ("prompt.system", "1\nx = 2")
    for text in ("training.rank", "=8", "a..b=1", "a b=1"):
        with pytest.raises(WorkbenchError, match="not of the form KEY=VALUE"):
            parse_override(text)


FIELDS = {
    field.key: field
    for section in ("model", "data", "prompt", "training", "chat")
    for field in form_fields(section)
}


def _value(field: FormField) -> st.SearchStrategy[Any]:
    words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
    return {
        "int": st.integers(8, 500),
        "float": st.sampled_from([0.01, 0.25, 1e-5, 0.5]),
        "bool": st.booleans(),
        "choice": st.sampled_from(field.choices or ("",)),
        "text": words,
        "list": st.lists(words, min_size=1, max_size=3),
    }[field.kind]


_BOUND = ("model.quantization", "chat.presence_penalty", "prompt.block_form")
"""Not any value will do."""
_CHANGES = st.lists(
    st.sampled_from([key for key in FIELDS if key not in _BOUND]),
    max_size=6,
    unique=True,
).flatmap(
    lambda keys: st.fixed_dictionaries({key: st.one_of(st.none(), _value(FIELDS[key])) for key in keys})
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    _CHANGES,
    st.sampled_from(
        [
            TEXT,
            'name = "x" # n\ntraining.rank = 4 # r\n# e',
            'name = "x"\ntraining = { rank = 3 } # t\n[data] # d\n',
        ]
    ),
    st.sampled_from([None, "tiny"]),
)
def test_saved_values_come_back_and_every_comment_stays(
    tmp_path: Path, changes: dict[str, Any], text: str, profile: str | None
) -> None:
    (tmp_path / "project.toml").write_text(text)
    opened = open_project(tmp_path, profile if "profile" in text else None)
    assume(not validate_changes(opened, changes))  # values that exclude each other are refused, elsewhere
    saved = save_settings(opened, changes)
    again: OpenProject = open_project(tmp_path, opened.profile)
    assert again.settings == saved.settings
    values, before = again.settings.model_dump(), opened.settings.model_dump()
    own, otherwise = own_settings(opened), usual(again.settings.training.preset)
    for key in FIELDS:
        section, name = key.split(".")
        if changes.get(key) is not None:
            assert values[section][name] == changes[key]
        elif key not in changes:
            kept = before[section][name] if key in own else otherwise[key].value
            assert values[section][name] == kept, "it stays, or follows the preset"
        elif opened.profile is None:
            assert values[section][name] == otherwise[key].value
    kept = comments(again.text)
    assert all(kept.count(comment) == comments(text).count(comment) for comment in comments(text))


def test_create_project(tmp_path: Path) -> None:
    home = tmp_path / "new"
    inside, outside = home / "data" / "a.jsonl", tmp_path / "b.jsonl"
    sources = [
        {"kind": "messages", "path": str(inside)},
        {
            "kind": "fields",
            "path": str(outside),
            "user": ["{q}"],
            "assistant": "{a}",
            "strip_user": ['"\n###'],
        },
    ]
    file = create_project(home, 'my "project"', sources, "embedded")
    project = open_project(file)
    assert project.name == 'my "project"'
    assert [source.path for source in project.settings.data.source] == ["data/a.jsonl", str(outside)]
    assert project.settings.data.source[1].strip_user == ['"\n###']  # type: ignore[union-attr]
    assert open_project(file, "tiny").settings.training.max_steps == 20
    assert len(comments(project.text)) > 4
    with pytest.raises(WorkbenchError, match="there is a project already"):
        create_project(home, "x", [], "embedded")


def test_create_project_without_sources_and_with_a_wrong_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    project = open_project(create_project(tmp_path / "a", "a", [], "model", "chatml"))
    assert project.settings.data.source == []
    assert project.settings.model.base == str(tmp_path / "model")
    assert project.settings.prompt.template == "chatml"
    project = add_source(project, {"kind": "messages", "path": "x"})
    assert "# kind" in project.text
    assert "# kind" in project.text
    with pytest.raises(WorkbenchError, match="data.source.0.kind"):
        create_project(tmp_path / "b" / "c", "b", [{"kind": "odd", "path": "x"}], "embedded")
    assert not (tmp_path / "b" / "c").exists()
    (tmp_path / "file").touch()
    with pytest.raises(WorkbenchError, match="the folder cannot be made"):
        create_project(tmp_path / "file" / "c", "b", [], "embedded")


def test_a_source_is_added_where_the_profile_in_use_has_its_own(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_text("a line\n")
    text = 'name = "x"\n[[data.source]]\nkind = "text"\npath = "a.txt"\n'
    own = '[profile.tiny]    # short\n[[profile.tiny.data.source]]\nkind = "text"\npath = "b.txt"    # ours\n'
    (tmp_path / "project.toml").write_text(f"{text}{own}[chat]\nseed = 1\n")
    new = {"kind": "text", "path": str(tmp_path / "c.txt")}

    saved = add_source(open_project(tmp_path, "tiny"), new)
    assert [source.path for source in saved.settings.data.source] == ["b.txt", "c.txt"]
    assert [source.path for source in open_project(tmp_path).settings.data.source] == ["a.txt"]
    assert "# short" in saved.text and "# ours" in saved.text
    with pytest.raises(WorkbenchError, match="there already"):
        add_source(saved, new)

    saved = add_source(open_project(tmp_path), new)
    assert [source.path for source in saved.settings.data.source] == ["a.txt", "c.txt"]
