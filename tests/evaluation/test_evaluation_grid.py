"""A grid of sampling settings: every combination once, and a suggestion by its stated rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.evaluation.checks.answer import Answer
from workbench.evaluation.checks.summary import Summary, check_answers
from workbench.evaluation.grid import DEFAULT_GRID, VARIED, Cell, cells, suggest, table
from workbench.project.schema import ChatSettings


def answers(clean: int, broken: int) -> Summary:
    texts = ["It is so."] * clean + ["USER: no."] * broken
    return check_answers(enumerate(map(Answer, texts)))


def test_every_combination_comes_once_and_fits_chat() -> None:
    found = cells()
    assert len(found) == 9 and found[0] == {"temperature": 0.1, "presence_penalty": 0.5}
    assert found[1] == {"temperature": 0.1, "presence_penalty": 0.75}
    for cell in found:
        assert ChatSettings().model_copy(update=cell).temperature == cell["temperature"]
    assert cells({"top_p": [0.9, 0.9, 1]}) == [{"top_p": 0.9}, {"top_p": 1.0}]


def test_greedy_answers_do_not_depend_on_top_p() -> None:
    found = cells({"temperature": [0, 0.5], "top_p": [0.8, 0.9], "repetition_penalty": [1, 1.2]})
    assert len(found) == 2 + 4
    assert [cell["repetition_penalty"] for cell in found if cell["temperature"] == 0] == [1, 1.2]


def test_all_that_is_wrong_with_a_grid_is_said_at_once() -> None:
    with pytest.raises(WorkbenchError) as error:
        cells({"temperature": [-1, 0.5], "top_p": [], "beam": [1], "presence_penalty": ["x"]})
    assert [problem.where for problem in error.value.problems] == [
        "temperature",
        "top_p",
        "beam",
        "presence_penalty",
    ]
    for axes in ({}, {"temperature": [i / 100 for i in range(101)]}):
        with pytest.raises(WorkbenchError, match="combinations"):
            cells(axes)


def test_one_that_is_still_at_it_is_not_suggested() -> None:
    grid = [Cell({"temperature": 0.3}, answers(8, 2)), Cell({"temperature": 0.1}, answers(1, 0))]
    assert suggest(grid).cell is grid[0] and not suggest(grid).alike


def test_the_cleanest_is_suggested_and_ties_go_to_the_calmest() -> None:
    grid = [
        Cell({"temperature": 0.3, "presence_penalty": 0.5}, answers(9, 1)),
        Cell({"temperature": 0.1, "presence_penalty": 1.0}, answers(9, 1)),
        Cell({"temperature": 0.1, "presence_penalty": 0.5}, answers(9, 1)),
        Cell({"temperature": 0.0, "presence_penalty": 0.0}, answers(8, 2)),
        Cell({"temperature": 0.0, "presence_penalty": 0.1}, answers(0, 10)),
        Cell({"temperature": 0.0, "presence_penalty": 0.2}, answers(0, 0)),
    ]
    suggestion = suggest(grid)
    assert suggestion.cell is grid[2]
    assert suggestion.alike == (grid[0], grid[1], grid[3])
    assert suggestion.why == (
        "temperature=0.1 presence_penalty=0.5: 9 of 10 answers without a finding; 3 of 4 others are not told "
        "apart from it by so few rows"
    )
    with pytest.raises(WorkbenchError, match="no answers yet"):
        suggest(grid[5:])


def test_the_table_has_the_checks_that_found_something() -> None:
    head, lines = table([Cell({"temperature": 0.1}, answers(9, 1)), Cell({"temperature": 1}, answers(7, 3))])
    assert head == ["temperature", "answers", "clean", "leaked-prompt"]
    assert lines == [["0.1", "10", "9", "1"], ["1", "10", "7", "3"]]


@given(
    st.dictionaries(
        st.sampled_from(VARIED),
        st.lists(st.floats(0.1, 1), min_size=1, max_size=3, unique=True),
        min_size=1,
    )
)
def test_a_grid_has_all_combinations(axes: dict[str, list[float]]) -> None:
    expected = 1
    for values in axes.values():
        expected *= len(values)
    found = cells(axes)
    assert len(found) == len({tuple(cell.items()) for cell in found}) == expected
    assert all(cell[name] in axes[name] for cell in found for name in cell)


def test_the_default_grid_is_the_vietnamese_projects() -> None:
    assert DEFAULT_GRID["temperature"] == (0.1, 0.2, 0.3) and max(DEFAULT_GRID["presence_penalty"]) == 1.0
