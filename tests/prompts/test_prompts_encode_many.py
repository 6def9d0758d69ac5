"""Many examples at once give what one after the other gives; a shape gives what the template writes."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_tokenizers import NAMES, write
from test_prompts_encode import PLAIN, conversations, encoder_for, example, spoken, tokenizer_of
from test_prompts_pieces import BACKENDS
from test_prompts_structured import FORMS, dialog
from test_prompts_transformers import QWEN_LIKE

from workbench.data.example import Example, Message, Origin
from workbench.project.base_model import locate
from workbench.prompts.encoding import shapes
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.encode_many import encode_supervised, supervised
from workbench.prompts.encoding.encoded import Supervised
from workbench.prompts.encoding.limits import Limits
from workbench.prompts.template import BUILT_IN, Template

WITHOUT_BOS = PLAIN.replace("<|im_end|>", "</s>")
TEMPLATES = {name: file.read_text() for name, file in BUILT_IN.items()} | {
    "qwen-like": QWEN_LIKE,
    "prefixes": PLAIN,
    "prompt ends with a blank": WITHOUT_BOS.replace("\n{{ m.content", ": {{ m.content").replace(
        "assistant\n", "assistant: "
    ),
    "no end": PLAIN.replace("<|im_end|>", ""),
    "looks at the text": PLAIN.replace("{{ m.content }}", "{{ m.content if 'a' in m.content else 'x' }}"),
    "macro": "{% macro say(m) %}{{ m.content | trim }}{% endmacro %}"
    + PLAIN.replace("{{ m.content }}", "{% set text = say(m) %}{{ text }}"),
    "cuts": PLAIN.replace("{{ m.content }}", "{{ m.content[:3] }}"),
    "loops over characters": PLAIN.replace("{{ m.content }}", "{% for c in m.content %}{{ c }}{% endfor %}"),
    "json": PLAIN.replace("{{ m.content }}", "{{ m | tojson }}"),
    "lengths": PLAIN.replace("{{ m.content }}", "{{ m.content | length }} {{ m.content }}"),
    "thoughts": PLAIN.replace("{{ m.content }}", "{{ m.content.split('</think>')[-1] }}"),
    "joined first": "{% set ns = namespace(t='') %}{% for m in messages %}"
    "{% set ns.t = ns.t ~ m.role + ':' + m.content + '</s>' %}{% endfor %}"
    "{{ ns.t if '<|im_end|>' not in ns.t else '' }}",
}
FAMILIES = ("byte_level", "llama", "word_piece")
rows = st.lists(conversations, min_size=1, max_size=4)


def one_by_one(encoder: Encoder, examples: Sequence[Example]) -> list[object]:
    return [supervised(each, encoder.encode(each)) for each in examples]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("family", FAMILIES)
@given(turns=rows, system=st.none() | spoken, on=st.sampled_from(["assistant", "last", "all"]))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_the_same_as_one_by_one(
    folders: dict[str, Path], family: str, name: str, turns: list[list[str]], system: str | None, on: str
) -> None:
    encoder = encoder_for(folders[family], TEMPLATES[name], train_on=on)
    examples = [example(*each, system=system) for each in turns]
    examples += [example(*(turn.strip() for turn in each), system=system) for each in turns]
    assert list(encode_supervised(encoder, examples)) == one_by_one(encoder, examples)


@pytest.mark.parametrize("name", TEMPLATES)
@given(turns=rows, system=st.none() | spoken, on=st.sampled_from(["assistant", "last", "all"]))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_shape_is_what_the_template_writes(
    folders: dict[str, Path], name: str, turns: list[list[str]], system: str | None, on: str
) -> None:
    encoder = encoder_for(folders["byte_level"], TEMPLATES[name], train_on=on)
    examples = [example(*(turn.strip() for turn in each), system=system) for each in turns]
    with pytest.MonkeyPatch.context() as patch:
        by_shape = list(map(encoder.encode, examples))
        patch.setattr(shapes.Shapes, "find", lambda self, messages: None)
        assert by_shape == list(map(encoder.encode, examples))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_looks_at_texts_has_no_shapes(folders: dict[str, Path], name: str) -> None:
    encoder = encoder_for(folders["byte_level"], TEMPLATES[name])
    looks = {"looks at the text", "cuts", "loops over characters", "json", "lengths", "thoughts"}
    known = encoder.shapes.find((Message("user", "a"), Message("assistant", "b"))) is not None
    assert known == (name not in looks | {"qwen-like", "joined first"})


@pytest.mark.parametrize("name", FORMS)
def test_structured_content_has_a_shape(folders: dict[str, Path], name: str) -> None:
    encoder = encoder_for(folders["llama"], BUILT_IN[f"emotion-{name}"].read_text())
    row = Example(dialog(), Origin(0, 0))
    assert encoder.shapes.find(row.messages) is not None
    assert list(encode_supervised(encoder, [row])) == one_by_one(encoder, [row])


@pytest.mark.parametrize(("prompt", "answer"), [(0, 0), (30, 0), (0, 20), (30, 20)])
@pytest.mark.parametrize("overlong", ["drop", "truncate", "error"])
def test_odd_rows_among_even_ones(folders: dict[str, Path], overlong: str, prompt: int, answer: int) -> None:
    limits = Limits(60, prompt, answer, overlong)  # type: ignore[arg-type]
    encoder = Encoder(tokenizer_of(folders["llama"]), Template("t", PLAIN), limits=limits)
    odd = [
        example("a" * 40, "b"),
        example("a" * 40, "b" * 30),
        example("a", "b" * 30),
        example("a", "b" * 80),
        example("a" * 80, "b"),
        example("a", "b\ud83d"),
        example("a", " b "),
        example("a", "<|im_end|>"),
        example("a"),
        Example((Message("assistant", "plain"),), Origin(0, 0), plain=True),
    ]
    examples = [each for row in odd for each in (row, example("the fox", "jumps"))]
    result = list(encode_supervised(encoder, examples))
    assert result == one_by_one(encoder, examples)
    assert [isinstance(each, Supervised) for each in result[1::2]] == [True] * len(odd)


def test_examples_are_read_no_further_ahead_than_a_batch(folders: dict[str, Path]) -> None:
    read = 0

    def endless():  # type: ignore[no-untyped-def]
        nonlocal read
        while True:
            read += 1
            yield example("a", "b")

    encoder = encoder_for(folders["byte_level"], PLAIN)
    made = encode_supervised(encoder, endless())
    assert isinstance(next(made), Supervised) and read <= 1024


@pytest.fixture(scope="module")
def cutting(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Model folders whose texts may be cut: what stands around texts is sealed."""
    root = tmp_path_factory.mktemp("cutting")
    return {name: write(root / name, make(), NAMES) for name, make in BACKENDS.items()} | {
        "embedded": locate("embedded", root).folder
    }


beside = st.sampled_from(
    ["<", "s>", "|im_end|>", "▁", "\0", "a  b", "x\n y", "翻", "é\n\nb", "%s", "[", "\u3000x"]
)


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("family", [*BACKENDS, "embedded"])
@given(turns=st.lists(st.lists(beside | spoken, min_size=2, max_size=4), min_size=1, max_size=4))
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_seals_change_nothing(
    cutting: dict[str, Path], family: str, name: str, turns: list[list[str]]
) -> None:
    encoder = encoder_for(cutting[family], TEMPLATES[name])
    assert encoder.tokenizer.pieces is not None
    examples = [example(*(turn.strip() or "a" for turn in each)) for each in turns]
    assert list(encode_supervised(encoder, examples)) == one_by_one(encoder, examples)


def test_a_token_that_may_straddle_the_edge_of_a_text_is_not_sealed(cutting: dict[str, Path]) -> None:
    encoder = encoder_for(cutting["gpt 2"], PLAIN)
    pieces = encoder.tokenizer.pieces
    assert pieces is not None
    assert pieces.seal(("<s>", " </s>"))[0] != "<s>"
    assert pieces.seal(("user <", "s> assistant", "</s>"))[:2] == ("user <", "s> assistant")
