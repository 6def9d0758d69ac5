"""Several runs in one chart: their names, signs and colours."""

from hypothesis import given
from hypothesis import strategies as st
from textual.theme import BUILTIN_THEMES

from workbench.ui.overlay import COLOURS, MARKS, METRICS_OF_ONE, MOST, fitted, short_names

WORDS = st.lists(st.sampled_from(["a", "b", "r8", "r16", "steps10", ""]), min_size=1, max_size=5)
STAMPS = st.sampled_from(["", "20260101-000001-", "20260101-000002-"])
NAMES = st.lists(
    st.builds(lambda stamp, words: stamp + "-".join(words), STAMPS, WORDS).filter(bool),
    unique=True,
    min_size=1,
    max_size=6,
)


def test_names_say_what_differs() -> None:
    sweep = ["20260101-000001-llama-lora-r8-steps10", "20260101-000002-llama-lora-r16-steps10"]
    assert short_names(sweep) == ["r8", "r16"]
    mixed = [*sweep, "20260101-000003-llama-lora-r16-steps20", "20260101-000004-train_loss_750"]
    assert short_names(mixed) == ["r8-steps10", "r16-steps10", "r16-steps20", "train_loss_750"]
    assert fitted(short_names(mixed), 60) == ["r8-s…ps10", "r16-…ps10", "r16-…ps20", "trai…_750"]
    alike = ["20260101-000001-llama-lora-r8", "20260101-000002-llama-lora-r8"]
    assert short_names(alike) == ["000001", "000002"]
    assert short_names(["20260101-000001-llama-r8", "20260101-000002-llama-r8-2"]) == ["000001", "000002 2"]


@given(NAMES)
def test_names_are_told_apart(names: list[str]) -> None:
    short = short_names(names)
    assert len(set(short)) == len(names) and all(short)


def test_curves_are_told_apart() -> None:
    assert len(set(COLOURS)) >= MOST and len(set(MARKS[:MOST])) == MOST
    for theme in BUILTIN_THEMES.values():
        colours = theme.to_color_system().generate()
        assert all(colour in colours for colour in COLOURS), theme.name
    assert METRICS_OF_ONE[:2] == (("loss, training", "loss"), ("loss, validation", "validation_loss"))
