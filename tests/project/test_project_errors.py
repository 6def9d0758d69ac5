"""What a wrong project.toml says: every fault at once, on its line, in words for people."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.project.store import open_project


def told(folder: Path, text: str | bytes, profile: str | None = None, **overrides: Any) -> list[str]:
    """The problems of a project.toml, as they are printed, less the name of the file."""
    (folder / "project.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    laid = {key.replace("__", "."): value for key, value in overrides.items()}
    try:
        open_project(folder, profile, laid)
    except WorkbenchError as e:
        return [str(problem).removeprefix("project.toml:") for problem in e.problems]
    return []


MANY = """\
format = 1
rank = 4
[model]
quantization = "nf5"
[data]
seed = -1
validation = 2.5
[[data.source]]
kind = "fields"
path = "x"
column = "c"
[[data.source]]
kind = "fields"
path = 5
[[data.source]]
path = "x"
[[data.source]]
kind = "messagse"
path = "x"
[training]
learning_rte = 3e-4
rank = "abc"
alpha = 8.5
dropout = nan
target_modules = [3]
max_tokens = 4
gradient_checkpointing = "yes"
learning_rate = 0
[chat]
stop = "a"
top_p = true
[profile.tiny]
training.max_steps = -3
trainig.x = 4
[profile]
other = 5
"""


def test_all_errors_of_a_file_at_once(tmp_path: Path) -> None:
    assert told(tmp_path, MANY) == [
        ' name: missing; add a line such as name = "my-project"',
        "2: rank: unknown key, did you mean training.rank?",
        "4: model.quantization: must be one of none, int8, nf4, not 'nf5'; did you mean nf4?",
        "6: data.seed: must be at least 0, not -1",
        "7: data.validation: not a whole number of rows: 2.5; below 1 it is a share, from 1 on a count",
        "11: data.source.0.column: unknown key, did you mean columns?",
        "14: data.source.1.path: not a text: 5; put it in quotes",
        "15: data.source.2.kind: missing; one of fields, messages, utterances, text",
        "18: data.source.3.kind: must be one of fields, messages, utterances, text, not 'messagse'; "
        "did you mean messages?",
        "21: training.learning_rte: unknown key, did you mean learning_rate?",
        "22: training.rank: not a whole number: 'abc'",
        "23: training.alpha: not a whole number: 8.5",
        "24: training.dropout: not a finite number: nan",
        "25: training.target_modules.0: not a text: 3; put it in quotes",
        "26: training.max_tokens: unknown key, did you mean data.max_tokens?",
        "27: training.gradient_checkpointing: not true or false: 'yes'",
        "28: training.learning_rate: must be above 0, not 0",
        "30: chat.stop: not a list: 'a'; write it as [\"a\"]",
        "31: chat.top_p: not a number: true",
        "33: profile.tiny.training.max_steps: must be at least 0, not -3",
        "34: profile.tiny.trainig: unknown key, did you mean training?",
        "36: profile.other: not a table: 5",
    ]


def test_the_form_of_the_issue(tmp_path: Path) -> None:
    text = 'name = "x"\n' + "\n" * 10 + "[training]\nrank = 1\nlearning_rte = 1e-4\n"
    assert told(tmp_path, text) == ["14: training.learning_rte: unknown key, did you mean learning_rate?"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = \n", "1: no value can be read here; texts need quotes (column 8)"),
        ('[a]\nname = """\n\n', "2: unterminated string"),
        ("name = x\n", "1: no value can be read here; texts need quotes (column 8)"),
        ('name = "x"\nname = "y"', "2: this key is set a second time"),
        ("[a.b]\n[a.b]\n", "2: table [a.b] is begun a second time (column 5)"),
        ('a = "C:\\data"', "1: a backslash in double quotes; write two, or use single quotes (column 10)"),
        ("a = [1,\n2", "2: unclosed array"),
        (f"a = {'9' * 5000}", " a number with too many digits"),
        (f"a = {'[' * 5000}", " nested too deeply"),
        (b'name = "x"\nabout = "\xff"', "2: not UTF-8 text; save the file as UTF-8 in your editor"),
        ('name = ""', "1: name: must not be empty"),
        ("name = 'x'\nformat = 2", "2: format: unknown format 2; this workbench reads format = 1; "
         "a newer one may read it"),
        ('name = "x"\nmodel = 5', "2: model: not a table: 5"),
        ('name = "x"\ntraining.target_modules = 5', "2: training.target_modules: not a text or a list: 5"),
        ('name = "x"\ntraining.target_modules = []', "2: training.target_modules: must not be empty"),
        ('name = "x"\ndata.source = [5]', "2: data.source.0: not a table: 5"),
        ('name = "x"\n"odd \\u001b key" = 5', '2: "odd \\u001b key": unknown key; known here: format, name, '
         "about, model, data, prompt, training, launch, evaluation, chat, augmentation, profile"),
    ],
)  # fmt: skip
def test_one_fault(tmp_path: Path, text: str | bytes, problem: str) -> None:
    assert told(tmp_path, text) == [problem]


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    assert told(tmp_path, b'\xef\xbb\xbfname = "x"\r\n[training]\r\nrank = 4\r\n') == []
    assert told(tmp_path, b'\xef\xbb\xbfname = "x"\r\n[training]\r\nrank = 0\r\n') == [
        "3: training.rank: must be at least 1, not 0"
    ]


def test_relations_name_a_line(tmp_path: Path) -> None:
    source = '[[data.source]]\nkind = "fields"\npath = "x"\nassistant = "yes"\nuser = ["{q}"]\n'
    text = f'name = "x"\n[model]\nquantization = "nf4"\n[training]\nmethod = "full"\nrank = 0\n{source}'
    assert told(tmp_path, text) == [
        '3: model.quantization: nf4 weights cannot be trained; training.method must be "lora", '
        'or quantization "none"',
        "6: training.rank: must be at least 1, not 0",
        "10: data.source.0.assistant: names no column, all rows would answer the same; "
        'write a column in braces, such as "{output}"',
    ]


def test_a_relation_between_file_and_profile_is_the_profiles(tmp_path: Path) -> None:
    text = 'name = "x"\nmodel.quantization = "nf4"\n[profile.all]\ntraining.method = "full"\n'
    text += "[profile.b]\nprofile.c = 1\n"
    first, second = told(tmp_path, text)
    assert first.startswith("4: profile.all.training.method: nf4 weights cannot be trained")
    assert second == "6: profile.b.profile: a profile holds no profiles"


def test_a_list_in_a_profile_is_judged_in_the_profile(tmp_path: Path) -> None:
    source = 'kind = "messages"\n'
    text = f'name = "x"\n[[data.source]]\n{source}path = "x"\n[[profile.p.data.source]]\n{source}'
    assert told(tmp_path, text) == ["5: profile.p.data.source.0.path: missing; the file that holds the rows"]


def test_profile_and_overrides(tmp_path: Path) -> None:
    text = 'name = "x"\n[profile.tiny]\ntraining.rank = 2\n'
    assert told(tmp_path, text, "tny") == [" no profile 'tny'; did you mean tiny?"]
    assert told(tmp_path, text, "big") == [" no profile 'big'; profiles here: 'tiny'"]
    assert told(
        tmp_path,
        text,
        "tiny",
        training__rank="x",
        training__alpha=True,
        training__rnk=1,
        training__seed__x=1,
        data__source__3__path="a",
        name__x=1,
    ) == [
        "--set data.source.3.path=a: data.source has 0 elements, counted from 0",
        "--set name.x=1: name is no table",
        "--set training.rank=x: not a whole number: 'x'",
        "--set training.alpha=true: not a whole number: true",
        "--set training.seed.x=1: training.seed: not a whole number: a table",
        "--set training.rnk=1: unknown key, did you mean rank?",
    ]
    assert told(tmp_path, 'name = "x"\nmodel.quantization = "nf4"', training__method="full")[0].startswith(
        "--set training.method=full: nf4 weights cannot be trained"
    )


def test_what_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "tea-house").mkdir()
    (tmp_path / "tea-house" / "project.toml").write_text('name = "x"')
    (tmp_path / "data.json").write_text("[]")
    for name, expected in {
        "": f"{tmp_path}: no project here: there is no project.toml; there is {tmp_path / 'tea-house'}",
        "teahouse": f"{tmp_path / 'teahouse'}: no such folder; did you mean tea-house?",
        "data.json": f"{tmp_path / 'data.json'}: no project: name its folder or its project.toml",
        "x" * 300: f"{tmp_path / ('x' * 300)}: cannot be opened: File name too long",
    }.items():
        with pytest.raises(WorkbenchError) as caught:
            open_project(tmp_path / name)
        assert str(caught.value) == expected


_KEYS = st.sampled_from(
    [
        "name",
        "model",
        "data",
        "source",
        "kind",
        "path",
        "training",
        "rank",
        "profile",
        "user",
        "target_modules",
        "x",
    ]
)
_VALUES = st.sampled_from(
    [
        '"a"',
        "1",
        "-1.5",
        "nan",
        "true",
        "[]",
        "{}",
        '[{kind="fields"}]',
        "1979-05-27",
        '{kind="messages", path=1}',
        "0x" + "f" * 9000,
    ]
)
_DOTTED = st.lists(_KEYS, min_size=1, max_size=4).map(".".join)
_LINES = st.one_of(
    st.builds("{} = {}".format, _DOTTED, _VALUES),
    st.builds("[{}]".format, _DOTTED),
    st.builds("[[{}]]".format, _DOTTED),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    st.one_of(
        st.binary(),
        st.text().map(str.encode),
        st.lists(_LINES, max_size=8).map(lambda x: "\n".join(x).encode()),
    )
)
def test_any_text_opens_or_is_refused(tmp_path: Path, text: bytes) -> None:
    for profile in (None, "x"):
        problems = told(tmp_path, text, profile)
        assert all(problem.strip() for problem in problems)
