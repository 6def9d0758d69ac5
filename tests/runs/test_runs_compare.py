"""Runs side by side: what differs, which is best, and whether their validation losses can be compared."""

from array import array
from pathlib import Path
from typing import Any

import pytest

from workbench.data.example import Origin
from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.prompts.encoding.encoded import Supervised
from workbench.runs.compare import compare, sorted_by
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, create_run
from workbench.runs.imports.importing import import_run
from workbench.runs.notes import add_note
from workbench.runs.same_rows import Measured, validation_fingerprint, warnings


def trained(
    project: OpenProject, losses: list[float], validation: list[float], data: str = "d", **started: Any
) -> Run:
    run = create_run(project, ["test"], {"data": data, "tokenizer": "t"}, "the template")
    writer = EventWriter(run.events)
    writer.write("started", attempt=1, resumed_from=None, total_steps=len(losses), **started)
    for step, loss in enumerate(losses, 1):
        writer.write("step", step=step, loss=loss, epoch=step / 10, token_accuracy=1 - loss / 10)
    for step, loss in enumerate(validation, 1):
        writer.write("evaluated", step=step, validation_loss=loss)
    writer.write("ended", state="finished", step=len(losses), reason="")
    writer.close()
    return run


def test_only_settings_that_differ_and_the_best_run_first(project: OpenProject) -> None:
    short = open_project(project.folder, "short", {"training.learning_rate": 0.001})
    worse = trained(project, [3, 2, 1], [2.0, 1.5, 1.6], validation_rows=2)
    better = trained(short, [3, 2, 1.5], [2.0, 1.4, 1.45], validation_rows=2)
    add_note(better, "the better one")
    found = compare([worse, better])
    assert found.metric == "validation_loss" and [each.run for each in found.runs] == [better, worse]
    assert found.differences["training.learning_rate"][0] == 0.001
    assert set(found.differences) == {"training.learning_rate", "training.max_steps", "data.max_tokens"}
    figure = found.runs[0].figures["validation_loss"]
    assert (figure.best, figure.step, figure.last) == (1.4, 2, 1.45)
    assert found.runs[0].notes == "the better one\n" and found.runs[0].epoch == pytest.approx(0.3)
    assert found.warnings == []


def test_sources_are_paired_by_name_not_by_place(project: OpenProject) -> None:
    one = {"kind": "fields", "path": "a.jsonl", "user": ["{question}"], "assistant": "{answer}"}
    two, changed = one | {"path": "b.jsonl"}, one | {"take": 3}
    former = open_project(project.folder, None, {"data.source": [one]})
    later = open_project(project.folder, None, {"data.source": [two, changed]})
    found = compare([trained(former, [1], []), trained(later, [1], [])])
    assert found.differences == {
        "data.source": [["a.jsonl"], ["b.jsonl", "a.jsonl"]],
        "data.source[a.jsonl].take": [0, 3],
    }
    twice = open_project(project.folder, None, {"data.source": [one, changed]})
    found = compare([trained(twice, [1], []), trained(twice, [1], [])])
    assert {key for key in found.runs[0].settings if key.endswith("].take")} == {
        "data.source[a.jsonl].take",
        "data.source[a.jsonl (of place 1)].take",
    }


def test_sorted_by_any_metric(project: OpenProject) -> None:
    first, second = trained(project, [3, 2], [1.0]), trained(project, [3, 1], [2.0])
    assert [each.run for each in compare([first, second]).runs] == [first, second]
    assert [each.run for each in compare([first, second], "loss").runs] == [second, first]
    assert [each.run for each in compare([first, second], "token_accuracy").runs] == [second, first]
    assert [each.run for each in compare([second, first], "grad_norm").runs] == [second, first]
    again = sorted_by(compare([first, second]), "loss")
    assert again == compare([first, second], "loss")


def test_an_imported_run_is_compared_and_told_apart(project: OpenProject, tmp_path: Path) -> None:
    own = trained(project, [3, 2], [1.0, 0.9], validation_rows=2)
    (tmp_path / "other.csv").write_text("step,loss,val_loss\n1,1,0.8\n2,1,0.7\n")
    other = import_run(project.folder, tmp_path / "other.csv")
    found = compare([own, other])
    assert [each.run for each in found.runs] == [other, own]
    assert found.differences == {}, "an imported run tells no settings that could differ"
    assert "nobody knows on which validation rows" in found.warnings[0] and other.id in found.warnings[0]


def test_what_cannot_be_compared(project: OpenProject) -> None:
    run = trained(project, [1], [])
    with pytest.raises(WorkbenchError, match="two runs"):
        compare([run, Run(run.folder)])
    with pytest.raises(WorkbenchError, match="no metric 'bleu'"):
        compare([run, trained(project, [1], [])], "bleu")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([("", "d", 5), ("", "d", 5)], []),
        ([("", "d", 5), ("", "e", 5)], ["not measured on the same"]),
        ([("", "d", 5), ("", "d", 6)], ["a: 5 rows, b: 6 rows"]),
        ([("x", "d", 5), ("x", "e", 5)], []),
        ([("x", "d", 5), ("y", "d", 5)], ["became other tokens"]),
        ([("x", "d", 5), ("y", "e", 5)], ["not measured on the same"]),
        ([("x", "d", 5), ("", "d", 5)], []),
        ([("x", "d", 5), ("", "", None)], ["nobody knows"]),
        ([("", "", None)], []),
        ([], []),
    ],
)
def test_whether_runs_were_measured_on_the_same_rows(
    runs: list[tuple[str, str, int | None]], said: list[str]
) -> None:
    found = warnings([Measured(name, *each) for name, each in zip("ab", runs, strict=False)])
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True))


def test_the_fingerprint_tells_ids_masks_and_order_apart() -> None:
    def row(ids: list[int], mask: bytes) -> Supervised:
        return Supervised(Origin("s", 0), array("i", ids), mask)

    one, two = row([1, 2, 3], b"\0\1\1"), row([4, 5], b"\0\1")
    different = [[one, two], [two, one], [one], [row([1, 2, 3], b"\0\0\1"), two], []]
    assert len({validation_fingerprint(rows) for rows in different}) == len(different)
    assert validation_fingerprint([one, two]) == validation_fingerprint(iter([one, two]))
