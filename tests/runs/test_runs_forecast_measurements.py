"""What was measured on this box: kept, read through any garbage, and used where it fits."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runs.forecast.batch import Batch
from workbench.runs.forecast.measurements import (
    Measurement,
    correct,
    measured,
    measurements_file,
    remember,
    remembered,
)
from workbench.runs.forecast.memory import PARTS, Memory

GIB = 2**30
TOTAL = 24 * GIB


def memory(estimated: int = GIB) -> Memory:
    """3 GiB of it exact."""
    parts = dict.fromkeys(PARTS, 0) | {"weights": 3 * GIB, "activations": estimated}
    batch = Batch(1, 100, 100, 100, padded=False, measured=True)
    return Memory(parts, "loss", batch, 1, 1, "fp32", "host")


def taken(peak: float, *, model: str = "m", estimated: int = GIB, when: float = 0.0) -> Measurement:
    return measured(
        memory(estimated),
        round(peak * GIB),
        capacity_bytes=TOTAL,
        model=model,
        method="lora-none-batch",
        tokens_per_second=5.0,
        origin="measure",
        when=when,
    )


def corrected(plain: Memory, known: Sequence[Measurement]) -> Memory:
    return correct(plain, known, capacity_bytes=TOTAL, model="m", method="lora-none-batch")


def test_the_file_is_in_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert measurements_file() == tmp_path / "workbench" / "measurements.jsonl"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert measurements_file() == Path.home() / ".local/state/workbench/measurements.jsonl"
    assert remembered(tmp_path / "none") == []


def test_what_is_remembered_comes_back_oldest_first(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "m.jsonl"
    late, early = taken(5, when=2.0), taken(4, when=1.0)
    assert remember(late, file) and remember(early, file)
    assert remembered(file) == [early, late]
    assert [json.loads(line)["v"] for line in file.read_text().splitlines()] == [1, 1]


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(b'{"v": 1}'), st.just(b'{"v": 2, "time": 1}'))))
def test_garbage_between_measurements_is_passed_over(
    tmp_path_factory: pytest.TempPathFactory, junk: list[bytes]
) -> None:
    file = tmp_path_factory.mktemp("m") / "m.jsonl"
    file.write_bytes(b"".join(piece + b"\n" for piece in junk))
    remember(taken(4), file)
    assert remembered(file) == [taken(4)]


def test_half_a_line_costs_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "m.jsonl"
    remember(taken(4), file)
    whole = file.read_bytes()
    for cut in range(1, len(whole), 17):
        file.write_bytes(whole + whole[:cut])
        remember(taken(5, when=1.0), file)
        assert [each.peak_bytes for each in remembered(file)] == [4 * GIB, 5 * GIB]


@pytest.mark.parametrize(
    "field, value",
    [
        *(("peak_bytes", value) for value in (0, -1, "x", None, True, float("nan"), float("inf"))),
        *(("tokens_per_second", value) for value in ("fast", float("nan"), [1])),
        *(("model", value) for value in (None, 3)),
    ],
)
def test_wrong_values_are_no_measurement(tmp_path: Path, field: str, value: object) -> None:
    plain = {"v": 1, **asdict(taken(4)), field: value}
    (tmp_path / "m").write_text(json.dumps(plain) + "\n")
    assert remembered(tmp_path / "m") == []


def test_a_folder_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not remember(taken(4), tmp_path / "file" / "m.jsonl")


def test_the_same_model_corrects_and_narrows_the_range() -> None:
    found = corrected(memory(2 * GIB), [taken(5), taken(5.1)])
    assert found.exact == 3 * GIB and found.parts["activations"] / GIB == pytest.approx(4.1)
    assert found.remark == "corrected by 2 measurements of this box, last error -22%"
    assert found.uncertainty == 0.05


def test_the_range_claims_no_more_than_was_seen() -> None:
    def width(*known: Measurement) -> float:
        return corrected(memory(2 * GIB), known).uncertainty

    assert width(taken(5)) == 0.15, "one measurement is met by any factor"
    assert width(taken(5, model="other"), taken(5, model="other")) == 0.15
    assert width(*(replace(taken(5), method="full-none-batch"),) * 2) == 0.15, "another method"
    assert width(taken(4), taken(8)) > 0.25, "they contradict each other"


def test_other_boxes_and_models_of_another_size_do_not() -> None:
    plain = memory()
    other_box = replace(taken(5), capacity_bytes=8 * GIB)
    far = taken(40, model="other")
    near = taken(5, model="other")
    assert corrected(plain, [other_box, far]) == plain
    assert corrected(plain, [far, near]).total == 5 * GIB
    wild = replace(taken(15), estimated_bytes=1)
    assert corrected(plain, [wild]).parts["activations"] == 4 * GIB
