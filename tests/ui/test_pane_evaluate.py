"""The evaluate pane: evaluations, their table, rows, labels, checks, sampling settings, and starting one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import SETTINGS, SIZES, Desk, at_desk, make_project, rows_of
from textual.containers import VerticalScroll
from textual.widgets import Input, Static
from written_evaluations import answer, evaluation, write

from workbench.evaluation import jobs
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.measures import MEASURES
from workbench.evaluation.perplexity import COURSE, TOKEN_WEIGHTED
from workbench.evaluation.plan import Plan
from workbench.project.evaluation import Decoding
from workbench.project.store import open_project
from workbench.runs.events import EventWriter
from workbench.runs.lock import hold
from workbench.runs.notes import read_notes
from workbench.ui.panes.evaluate import EvaluatePane
from workbench.ui.panes.evaluate.pane import VIEWS
from workbench.ui.widgets.table import VirtualTable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = rows_of(*((f"question {i}", f"answer {i}") for i in range(6)))
    settings = SETTINGS.replace("[[data.source]]", "[data]\nvalidation = 2\n[[data.source]]", 1)
    return make_project(tmp_path / "p", rows, settings)


@pytest.fixture
def going(folder: Path) -> Iterator[Evaluation]:
    """One that answers just now."""
    made = evaluation(folder, end="")
    events = EventWriter(made.events)
    events.write("progress", phase="answers", contestant=1, done=6, total=24, eta_seconds=80)
    events.close()
    held = hold(made)  # type: ignore[arg-type]
    yield made
    os.close(held)


def pane(desk: Desk) -> EvaluatePane:
    return desk.app.desk.query_one(EvaluatePane)


def line_of(desk: Desk, part: str) -> str:
    return next(line for line in desk.text.splitlines() if part in line)


@pytest.mark.parametrize("size", SIZES)
async def test_without_an_evaluation_it_says_what_to_press(folder: Path, size: tuple[int, int]) -> None:
    async with at_desk(folder, size) as desk:
        await desk.press("5")
        await desk.sees("No evaluation yet: t holds the base model against the checkpoints")
        for key, reason in (
            ("s", "t starts one"),
            ("r", "t starts one"),
            ("n", "t starts one"),
            ("m", "No eval"),
        ):
            await desk.press(key)
            await desk.hears(reason)
        for name in VIEWS:
            await desk.press("right_square_bracket")
            await desk.until(lambda: pane(desk).view.is_attached, name)
        assert pane(desk).view.NAME == "ladder"


def test_every_figure_has_its_meaning_in_one_line() -> None:
    assert all(len(measure.line) <= 76 and len(measure.title) <= 9 for measure in MEASURES)
    assert len({measure.title for measure in MEASURES}) == len(MEASURES)


@pytest.mark.parametrize("size", SIZES)
async def test_the_ladder_marks_the_best_and_tells_what_a_figure_is(
    folder: Path, size: tuple[int, int]
) -> None:
    evaluation(folder)
    async with at_desk(folder, size) as desk:
        await desk.press("5")
        await desk.sees("✓ finished", "perplexity of rows ↓: exp(loss)")
        # exp(3 - n) + row over rows 0 and 3: n = 2 gives exp(1) + 1.5
        assert "4.218*" in line_of(desk, "step 20") and "21.59" in line_of(desk, "base ")
        assert "[ppl rows]" in desk.text
        below = desk.app.desk.query_one("#measure-bars", Static)
        assert COURSE in str(below.render()) and TOKEN_WEIGHTED not in str(below.render())
        seen = set()
        for _ in MEASURES:
            view: Any = pane(desk).view
            await desk.sees(view.measures[view.metric].about)
            assert f"[{view.measures[view.metric].title}]" in desk.text
            seen.add(view.measures[view.metric].name)
            assert view.measures[view.metric].definition in str(below.render())
            await desk.press("m")
        assert {"perplexity by token", "label accuracy", "majority baseline", "stop rate", "length"} <= seen
        await desk.press("left")
        await desk.sees("better than the first")


async def test_bars_say_what_is_missing(folder: Path) -> None:
    made = evaluation(folder, ("base", "step 10"))
    made.contestant(1).scores.unlink()
    async with at_desk(folder, (120, 40)) as desk:
        await desk.press("5")
        await desk.sees("base: 2 rows without a score: the answer was cut off")
        bars = str(desk.app.desk.query_one("#measure-bars", Static).render()).splitlines()
        assert bars[0].count("█") > 10 and bars[1].strip() == "step 10"


async def test_the_newest_is_chosen_and_an_older_one_can_be(folder: Path) -> None:
    older = evaluation(folder, ("base", "old step"))
    newest = evaluation(folder, ("base", "new step"), id="20261130-110000-models")
    async with at_desk(folder) as desk:
        await desk.press("5")
        await desk.sees("new step")
        await desk.press("tab")
        desk.app.desk.query_one("#evaluations").focus()
        await desk.press("down")
        await desk.sees("old step")
        assert pane(desk).seen.evaluation == older  # type: ignore[union-attr]
        await desk.press("up")
        await desk.sees("new step")
        assert pane(desk).seen.evaluation == newest  # type: ignore[union-attr]


async def test_one_that_goes_on_shows_how_far_it_is_and_is_stopped(folder: Path, going: Evaluation) -> None:
    async with at_desk(folder) as desk:
        await desk.press("5")
        await desk.sees("● running 25% 1:20 left", "answers 25% 1:20 left")
        await desk.press("r")
        await desk.hears("this evaluation is going on")
        await desk.press("s")
        await desk.hears("stops after this batch")
        assert [path.name.split("-")[1] for path in going.control.iterdir()] == ["stop.json"]


async def test_it_grows_while_it_is_looked_at(folder: Path, going: Evaluation, monkeypatch: Any) -> None:
    monkeypatch.setattr("workbench.ui.panes.evaluate.pane.POLL_SECONDS", 0.02)
    going.contestant(2).answers.unlink()
    async with at_desk(folder) as desk:
        await desk.press("5")
        await desk.sees("step 20")
        looks = 0
        read = EvaluatePane.read

        def counted(self: EvaluatePane) -> None:
            nonlocal looks
            looks += 1
            read(self)

        monkeypatch.setattr(EvaluatePane, "read", counted)
        write(going.contestant(2).answers, [answer(n, 2, "step 20") for n in range(4)])
        await desk.until(lambda: pane(desk).seen.table.standings[2].answers == 4)  # type: ignore[union-attr]
        await desk.press("1")
        before = looks
        await desk.press("down", "up", "down", "up")
        assert looks == before, "nobody looks, and nothing is read"


async def test_a_killed_one_is_resumed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, resumed = evaluation(folder, end=""), []
    monkeypatch.setattr(jobs, "resume", resumed.append)
    async with at_desk(folder) as desk:
        await desk.press("5")
        await desk.sees("☠ killed", "r resumes it")
        await desk.press("r")
        await desk.hears("what is measured stays")
    assert resumed == [made]


async def test_a_broken_one_says_what_is_wrong(folder: Path) -> None:
    made = evaluation(folder)
    made.plan.write_text('{"v": 9}')
    async with at_desk(folder) as desk:
        await desk.press("5")
        await desk.sees("✗", "plan.json", "v")
        await desk.press("o")
        await desk.sees("✗", "plan.json")
        await desk.press("right")
        await desk.hears("plan.json")
    made = evaluation(folder, id="20261130-110000-models")
    with made.contestant(0).scores.open("ab") as file:
        file.write(b'{"source": "x"}\n')
    async with at_desk(folder) as desk:
        await desk.press("5")
        await desk.sees("scores.jsonl:5")


@pytest.mark.parametrize("size", SIZES)
async def test_rows_come_worst_first_and_open_beside(folder: Path, size: tuple[int, int]) -> None:
    evaluation(folder)
    async with at_desk(folder, size) as desk:
        await desk.press("5")
        await desk.sees("step 20")
        await desk.press("o")
        await desk.sees("base", "4 rows, the worst first")
        view: Any = pane(desk).view
        assert [each.row.row for each in view.results][:2] == [3, 0], "what has no score comes last"
        if size[0] >= 80:
            await desk.sees("not-stopped")
        await desk.press("right", "right")
        await desk.sees("step 20", "3 of 3")
        await desk.press("enter")
        await desk.sees("row 4 of 4", "How is [/red] number 3?")
        assert pane(desk).view.NAME == "beside"


async def test_wrong_labels_are_marked_by_a_sign(folder: Path) -> None:
    evaluation(folder)
    async with at_desk(folder, (120, 40)) as desk:
        await desk.press("5")
        await desk.sees("step 20")
        await desk.press("o")
        await desk.sees("should be", "✗ happy")
        assert "sad" in line_of(desk, "✗ happy")


async def test_labels_stand_beside_the_baseline(folder: Path) -> None:
    made = evaluation(folder)
    async with at_desk(folder, (100, 40)) as desk:
        await desk.press("5", "c")
        await desk.sees("accuracy 0.750", "majority baseline 0.750", "always happy", "no better than always")
        await desk.sees("the classifier itself, on the references: accuracy 0.667 of 3 rows")
        await desk.press("left")
        await desk.sees("accuracy 1.000", "macro F1 1.000", "true ↓  predicted →")
    for number in range(3):
        made.contestant(number).labels.unlink()
    async with at_desk(folder) as desk:
        await desk.press("5", "c")
        await desk.sees("No labels: evaluation.classifier")


@pytest.mark.parametrize("size", SIZES)
async def test_checks_open_their_rows(folder: Path, size: tuple[int, int]) -> None:
    evaluation(folder)
    async with at_desk(folder, size) as desk:
        await desk.press("5", "h")
        await desk.sees("answers with", "4 answers")
        view: Any = pane(desk).view
        await desk.press("enter")
        await desk.hears("found nothing")
        table = view.query_one(VirtualTable)
        table.move_to(view._names.index("not-stopped"))
        await desk.sees("the model did not end the answer itself")
        await desk.press("enter")
        await desk.sees("only 4 rows with not-stopped")
        await desk.press("escape")
        await desk.sees("the worst first")


async def test_many_models_are_reached_with_the_arrows(folder: Path) -> None:
    evaluation(folder, ("base", *(f"step {n}0" for n in range(1, 10))))
    async with at_desk(folder) as desk:
        await desk.press("5", "h")
        await desk.sees("[base]")
        assert "step 90" not in desk.text
        await desk.press("left")
        await desk.sees("[step 90]")
        await desk.pilot.resize_terminal(200, 50)
        await desk.sees("[step 90]", "step 50")


async def test_the_suggested_decoding_goes_to_the_chat(folder: Path) -> None:
    drawn = [Decoding(temperature=0.3), Decoding(temperature=0.1)]
    evaluation(folder, ("temperature=0.3", "temperature=0.1"), decodings=drawn)
    async with at_desk(folder, (100, 30)) as desk:
        await desk.press("5", "d")
        await desk.sees("★ suggested: temperature=0.1", "temperature  answers")
        await desk.press("down", "u")
        await desk.sees("Write temperature=0.1 to [chat]")
        await desk.press("y")
        await desk.hears("has them now")
    assert open_project(folder).settings.chat.temperature == 0.1
    assert "# small" in (folder / "project.toml").read_text()


async def test_without_a_grid_it_says_how_to_get_one(folder: Path) -> None:
    evaluation(folder)
    async with at_desk(folder) as desk:
        await desk.press("5", "d")
        await desk.sees("does not vary the decoding")
        await desk.press("u")
        await desk.hears("does not vary the decoding")


async def test_notes_and_warnings(folder: Path) -> None:
    made = evaluation(folder)
    events = EventWriter(made.events)
    events.write("warning", message="the machine is shared")
    events.write("skipped", contestant=1, reason="its tokenizer differs")
    events.close()
    async with at_desk(folder, (100, 30)) as desk:
        await desk.press("5")
        await desk.sees("! step 10 is left out: its tokenizer differs", "(+")
        await desk.press("y")
        await desk.sees("the machine is shared", "compared on 2 of 4 rows")
        await desk.press("escape", "n")
        await desk.type("worth it")
        await desk.press("enter")
        await desk.hears("added to notes.md")
    assert read_notes(made) == "worth it\n"


@pytest.mark.parametrize("size", SIZES)
async def test_starting_asks_what_is_compared_and_shows_it(
    folder: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Plan] = []

    def start(project: Any, plan: Plan) -> Evaluation:
        begun.append(plan)
        return evaluation(folder, id=plan.id)

    monkeypatch.setattr(jobs, "start", start)
    async with at_desk(folder, size) as desk:
        await desk.press("5", "t")
        await desk.sees("all validation rows")
        await desk.press("down", "down")
        await desk.sees("Further base models")
        plan = desk.app.screen.query_one("#evaluate-plan", Static)
        await desk.until(lambda: "nothing to compare" in str(plan.render()))
        await desk.press("enter")
        assert not begun
        await desk.press("down")
        await desk.sees("Sampling settings, each with its values")
        await desk.sees("temperature=0.1,0.2,0.3 presence_penalty=0.5,0.75,1")  # stands for an empty answer
        desk.app.screen.query_one("#given", Input).value = "temperature=0,1..2"
        await desk.until(lambda: "✗" in str(plan.render()))
        desk.app.screen.query_one("#given", Input).value = "temperature=0.1,0.2 presence_penalty=0.5,1"
        await desk.until(lambda: "4 models" in str(plan.render()))
        await desk.press("enter")
        await desk.hears("goes on in the background")
        await desk.sees("✓ finished")
    assert [each.name for each in begun[0].contestants][0] == "temperature=0.1 presence_penalty=0.5"
    assert begun[0].contestants[0].decoding == Decoding(temperature=0.1, presence_penalty=0.5)


async def test_templates_need_variants(folder: Path) -> None:
    async with at_desk(folder) as desk:
        await desk.press("5", "t")
        await desk.press("down")
        plan = desk.app.screen.query_one("#evaluate-plan", Static)
        await desk.until(lambda: "prompt.variant" in str(plan.render()))
        await desk.press("escape")
        assert len(desk.app.screen_stack) == 1


async def test_templates_are_started_without_typing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Plan] = []
    monkeypatch.setattr(jobs, "start", lambda project, plan: begun.append(plan) or evaluation(folder))
    file = folder / "project.toml"
    file.write_text(file.read_text() + '[[prompt.variant]]\nname = "other"\ntemplate = "vicuna"\n')
    async with at_desk(folder) as desk:
        await desk.press("5", "t", "down")
        await desk.sees("2 models")
        await desk.press("enter")
        await desk.hears("goes on in the background")
    assert [each.name for each in begun[0].contestants][1] == "other" and begun[0].kind == "templates"


async def test_the_report_is_read_and_written(folder: Path) -> None:
    evaluation(folder)
    async with at_desk(folder, (100, 40)) as desk:
        await desk.press("5", "v")
        await desk.sees("project p   1 of 1", "Settings", "training.max_steps")
        pane(desk).view.query_one(VerticalScroll).scroll_end(animate=False)
        await desk.sees("Row id1: asked")
        await desk.press("w")
        await desk.hears("written:")
        await desk.press("w")
        await desk.sees("over the earlier report?")
        await desk.press("escape")
    assert (folder / "reports/p.html").read_text().startswith("<!DOCTYPE html>")


async def test_files_that_change_under_it(folder: Path) -> None:
    first, second = evaluation(folder), folder / "evaluations" / "20990101-000000-newer"
    async with at_desk(folder, (100, 40)) as desk:
        await desk.press("5")
        await desk.sees("✓ finished", "step 20")
        whole = line_of(desk, "step 20")
        scores = first.contestant(1).scores
        lines = scores.read_bytes()
        scores.write_bytes(lines + b"no line\n")
        await desk.press("f5")
        await desk.sees("✗ cannot be read", "contestants/1/scores.jsonl")
        await desk.press("r")
        await desk.hears("cannot be read")
        scores.write_bytes(lines)
        await desk.press("f5")
        await desk.sees("✓ finished")
        await desk.until(lambda: line_of(desk, "step 20") == whole, "nothing of it was left out")
        second.mkdir()
        (second / "plan.json").write_text('{"v": 2}')
        os.utime(second / "plan.json", (4e9, 4e9))  # of a plan that cannot be read, the file's time counts
        await desk.press("f5")
        await desk.sees("of a newer workbench")
        chosen = next(line for line in desk.text.splitlines() if line.startswith(">"))
        assert "20990101" in chosen and "✗ cannot be read" in chosen, "the cursor is on what is shown"
