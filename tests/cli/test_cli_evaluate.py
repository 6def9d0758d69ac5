"""Evaluations from the command line: begun, followed, listed, shown, rated, remarked on, and written."""

import json
import shlex
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import until
from written_evaluations import evaluation

from workbench.cli import main
from workbench.evaluation import jobs
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.perplexity import COURSE, TOKEN_WEIGHTED
from workbench.evaluation.records import to_lines
from workbench.evaluation.rows import read_rows
from workbench.evaluation.votes import read_votes
from workbench.project.evaluation import Decoding
from workbench.project.store import open_project
from workbench.runs.lock import is_held

Capture = pytest.CaptureFixture[str]

EVALUATOR = """
import sys, time
from pathlib import Path
from workbench.runs.events import EventWriter
folder = Path(sys.argv[1])
events = EventWriter(folder / "events.jsonl")
events.write("progress", phase="answers", contestant=0, done=1, total=4, eta_seconds=3)
end = time.monotonic() + 30
while not (folder / "go").exists() and time.monotonic() < end:
    time.sleep(0.02)
events.write("warning", message="the machine is shared")
events.write("ended", state=sys.argv[2], reason="the disk is full" if sys.argv[2] == "failed" else "")
"""


@pytest.fixture
def made(folder: Path) -> Evaluation:
    return evaluation(folder)


@pytest.fixture
def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Evaluations are worked off by a program that measures nothing and ends as it is told."""
    script = folder.parent / "evaluator.py"
    script.write_text(textwrap.dedent(EVALUATOR))
    begin, state = jobs.start, {"end": "finished"}

    def argv(evaluation: Evaluation) -> list[str]:
        (evaluation.folder / "go").touch()
        return [sys.executable, str(script), str(evaluation.folder), state["end"]]

    monkeypatch.setattr(jobs, "start", lambda project, plan: begin(project, plan, argv))
    return state


def said(capsys: Capture, *words: str, code: int = 0) -> str:
    assert main(list(words)) == code
    return capsys.readouterr().out


def test_one_is_begun_followed_and_listed(folder: Path, stand_in: Any, capsys: Capture) -> None:
    words = ["evaluate", "small", "--take", "2", "--no-answers", "--set", "evaluation.perplexity=separate"]
    assert main(words) == 0
    told = capsys.readouterr()
    assert "warning: the machine is shared" in told.err and ": finished" in told.err
    (listed,) = jobs.list_evaluations(folder)
    assert listed.plan is not None and listed.plan.settings.take == 2 and not listed.plan.settings.answers
    assert listed.plan.settings.perplexity == "separate" and listed.plan.side == "validation"
    assert [each.name for each in listed.plan.contestants] == ["base"]
    assert listed.plan.command[1:3] == sys.argv[1:3] or listed.plan.command[0] == "workbench"
    assert listed.evaluation.id in said(capsys, "evaluation", "small")
    assert json.loads(said(capsys, "evaluation", "small", "--json"))[0]["state"] == "finished"


def test_one_that_fails_says_where_its_log_is(folder: Path, stand_in: Any, capsys: Capture) -> None:
    stand_in["end"] = "failed"
    assert main(["evaluate", "small"]) == 1
    told = capsys.readouterr().err
    assert "failed, the disk is full" in told and "console.log" in told


def test_detached_it_says_how_to_come_back(folder: Path, stand_in: Any, capsys: Capture) -> None:
    assert main(["evaluate", "small", "--detach"]) == 0
    told = capsys.readouterr()
    id = told.out.strip()
    assert f"workbench evaluation small {id}" in told.err
    found = jobs.list_evaluations(folder)[0].evaluation
    until(lambda: not is_held(found), "end of the evaluation")


def test_ctrl_c_leaves_it_running(
    folder: Path, stand_in: Any, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(evaluation: Evaluation) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.cli.follow_evaluation.read_status", interrupted)
    assert main(["evaluate", "small"]) == 0
    told = capsys.readouterr().err
    assert "left running" in told and "--stop" in told
    found = jobs.list_evaluations(folder)[0].evaluation
    until(lambda: not is_held(found), "end of the evaluation")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--templates"], "prompt.variant"),
        (["--grid", "temperature=0.1..0.3"], "a range"),
        (["--grid", "warmth=1,2"], "cannot be varied"),
        (["--grid", "temperature=0,1", "--templates"], "one thing at a time"),
        (["--checkpoints", "oldest"], "no such choice"),
        (["--run", "nobody"], "there are no runs yet"),
        (["--rows", "test"], ""),
        (["--set", "evaluation.answer=true"], "answers"),
        (["--resume", "latest"], "no evaluations yet"),
        (["--set", "evaluation.perplexity=off", "--no-answers"], "nothing would be measured"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    folder: Path, stand_in: Any, capsys: Capture, words: list[str], hint: str
) -> None:
    code = main(["evaluate", "small", *words])
    assert code == (2 if hint else 0)
    assert hint in capsys.readouterr().err
    assert bool(jobs.list_evaluations(folder)) == (not hint)


def test_grids_and_bases_become_plans(folder: Path, stand_in: Any, capsys: Capture) -> None:
    assert main(["evaluate", "small", "--grid", "temperature=0.1,0.2", "--grid", "top_p=0.5,1", "--cpu"]) == 0
    plan = jobs.list_evaluations(folder)[0].plan
    assert plan is not None and plan.kind == "sampling" and len(plan.contestants) == 4
    assert plan.device == "cpu" and plan.contestants[-1].decoding == Decoding(temperature=0.2, top_p=1.0)


def test_the_table_tells_what_its_figures_are(made: Evaluation, capsys: Capture) -> None:
    assert main(["evaluation", "small", "latest"]) == 0
    told = capsys.readouterr()
    header, *lines = told.out.splitlines()[1:]
    assert header.split()[:3] == ["model", "ppl", "rows"]
    assert lines[0].startswith("base ") and lines[2].startswith("step 20 (best)") and " 4.218*" in lines[2]
    assert "perplexity of rows ↓: exp(loss) of each reference" in told.out
    assert COURSE in told.out and TOKEN_WEIGHTED in told.out
    assert "baseline" in header and "majority baseline: label accuracy of always" in told.out
    assert "is best: the lowest mean" in told.out and "step 20 is not told apart from base" in told.out
    assert "step 10: 2 rows without a score: the answer was cut off" in told.out
    assert "warning: compared on 2 of 4 rows" in told.err
    shown = json.loads(said(capsys, "evaluation", "small", "latest", "--json"))
    assert shown["standings"][2]["best"] and shown["standings"][2]["labels"]["accuracy"] == 1.0
    assert shown["standings"][0]["labels"]["confusion"] == [[3, 0], [1, 0]]


def test_parts_of_it(made: Evaluation, capsys: Capture) -> None:
    rows = said(capsys, "evaluation", "small", "latest", "--rows", "--model", "base")
    assert rows.splitlines()[0] == "base: 4 rows, the worst first"
    assert rows.index("row id3  perplexity 23.086") < rows.index("row id1  not scored: the answer was cut")
    assert "label   happy, should be sad" in rows and "! not-stopped" in rows
    assert json.loads(said(capsys, "evaluation", "small", "latest", "--rows", "--json"))[0]["id"] == "id3"
    labels = said(capsys, "evaluation", "small", "latest", "--labels", "--model", "base")
    assert "majority baseline 0.750  always happy" in labels and "no better than always" in labels
    checks = said(capsys, "evaluation", "small", "latest", "--checks")
    assert "4 of 4" in checks and "not-stopped: " in checks
    assert (
        json.loads(said(capsys, "evaluation", "small", "latest", "--checks", "--json"))["base"]["answers"]
        == 4
    )
    assert main(["evaluation", "small", "latest", "--rows", "--model", "x"]) == 2
    assert "there are: base, step 10, step 20" in capsys.readouterr().err
    assert main(["evaluation", "small", "20261130-100000-model"]) == 2
    assert "did you mean 20261130-100000-models" in capsys.readouterr().err
    assert main(["evaluation", "small", "--rows"]) == 2
    assert "of which evaluation" in capsys.readouterr().err
    assert main(["evaluation", "small", "latest", "--stop"]) == 2
    assert "not going on: it is finished" in capsys.readouterr().err
    assert main(["evaluation", "small", "latest", "--note", "worth it"]) == 0
    assert "worth it" in said(capsys, "evaluation", "small", "latest")


def test_predictions_are_written_in_order_and_checked(
    made: Evaluation, folder: Path, capsys: Capture
) -> None:
    file = folder.parent / "prediction.json"
    assert main(["evaluation", "small", "latest", "--predictions", str(file)]) == 0
    written = json.loads(file.read_text())
    assert [each["id"] for each in written] == ["id0", "id1", "id2", "id3"]
    assert written[2]["output"] == "step 20 says: number 2."
    assert main(["evaluation", "small", "latest", "--check-predictions", str(file)]) == 0
    capsys.readouterr()
    file.write_text(json.dumps(written[::-1]))
    assert "red: order" in said(
        capsys, "evaluation", "small", "latest", "--check-predictions", str(file), code=1
    )


def test_a_grid_is_shown_and_used(folder: Path, capsys: Capture) -> None:
    drawn = [Decoding(temperature=0.3), Decoding(temperature=0.1)]
    evaluation(folder, ("temperature=0.3", "temperature=0.1"), decodings=drawn)
    told = said(capsys, "evaluation", "small", "latest", "--grid")
    assert "★" in told and "★ temperature=0.1: " in told and "suggested: the most answers" in told
    assert "temperature=0.1" in said(capsys, "evaluation", "small", "latest", "--use-decoding")
    assert open_project(folder).settings.chat.temperature == 0.1
    # What all cells have in common was measured with, too
    drawn = [Decoding(temperature=each, presence_penalty=0.5) for each in (0.3, 0.2)]
    evaluation(folder, ("t=0.3", "t=0.2"), decodings=drawn, id="20261130-103000-sampling")
    assert "presence_penalty=0.5" in said(capsys, "evaluation", "small", "latest", "--use-decoding")
    assert open_project(folder).settings.chat.presence_penalty == 0.5
    evaluation(folder, id="20261130-110000-models")
    assert main(["evaluation", "small", "latest", "--grid"]) == 2
    assert "does not vary the decoding" in capsys.readouterr().err


def test_rating_is_blind(made: Evaluation, folder: Path, capsys: Capture) -> None:
    pair = json.loads(said(capsys, "rate", "small", "latest", "--json"))
    assert (
        pair["left"] == 4
        and "base" not in pair
        and {"again" in pair["a"], "again" in pair["b"]} == {True, False}
    )
    assert main(["rate", "small", "latest", pair["row"], "a"]) == 0
    told = capsys.readouterr()
    assert "3 to go" in told.err and f"row {pair['row']}\n" not in told.out
    (vote,) = read_votes(made.votes)[0]
    assert ("again" in pair["a"]) == (vote.left == "base") and vote.vote == "A"
    assert main(["rate", "small", "latest", pair["row"], "b"]) == 2
    assert "nothing is left to rate here" in capsys.readouterr().err
    assert main(["rate", "small", "latest", pair["row"]]) == 2
    assert "what is the verdict" in capsys.readouterr().err
    assert main(["rate", "small", "latest", "--model", "base"]) == 2
    assert "two models at least" in capsys.readouterr().err
    for _ in range(3):
        row = json.loads(said(capsys, "rate", "small", "latest", "--json"))["row"]
        assert main(["rate", "small", "latest", row, "tie"]) == 0
        told = capsys.readouterr()
    assert "all pairs of these models are rated" in told.err
    assert "no winner yet" in said(capsys, "evaluation", "small", "latest", "--votes")
    preferences = folder.parent / "preferences.jsonl"
    assert main(["evaluation", "small", "latest", "--export", "preferences", "--to", str(preferences)]) == 0
    assert "left out: 3, nobody was preferred" in capsys.readouterr().err
    assert json.loads(preferences.read_text())["chosen"][0]["content"] == pair["a"].strip()


def test_the_next_verdict_is_on_the_pair_that_is_shown(made: Evaluation, capsys: Capture) -> None:
    assert main(["rate", "small", "latest", "--model", "base", "--model", "step 10"]) == 0
    told = capsys.readouterr()
    words = told.err.rpartition("to go: workbench ")[2].replace("a|b|tie|bad", "a")
    assert main(shlex.split(words)) == 0
    (vote,) = read_votes(made.votes)[0]
    assert set(vote.pair) == {"base", "step 10"}


def test_rows_of_one_id_are_told_apart_by_their_place(made: Evaluation, capsys: Capture) -> None:
    rows = [row.model_copy(update={"id": "same"}) for row in read_rows(made)]
    made.rows.write_bytes(to_lines(rows))
    pair = json.loads(said(capsys, "rate", "small", "latest", "--json"))
    assert pair["row"].startswith("0:")
    assert main(["rate", "small", "latest", pair["row"], "tie"]) == 0
    assert main(["issue", "small", "latest", "same"]) == 2
    assert "4 rows begin with 'same'" in (told := capsys.readouterr().err) and "0:0" in told
    assert main(["issue", "small", "latest", "0:1", "--text", "odd"]) == 0
    assert "row 0:1  step 20" in said(capsys, "issue", "small", "latest")


def test_issues_and_better_answers(made: Evaluation, folder: Path, capsys: Capture) -> None:
    assert main(["issue", "small", "latest"]) == 0
    assert "nothing is noted" in capsys.readouterr().err
    words = ["issue", "small", "latest", "id2"]
    id = said(capsys, *words, "--kind", "wrong number", "--text", "it is \x1b[31m3").strip()
    told = said(capsys, "issue", "small", "latest")
    assert f"{id}  open     row id2  step 20  wrong number: it is " in told and "\x1b" not in told
    assert main(["issue", "small", "latest", "--reword", id, "--text", "three"]) == 0
    assert main(["issue", "small", "latest", "--settle", id]) == 0
    assert "settled  row id2  step 20  wrong number: three" in said(capsys, "issue", "small", "latest")
    assert main([*words, "--better", "It is two.", "--model", "base"]) == 0
    listed = json.loads(said(capsys, "issue", "small", "latest", "--json"))
    assert len(listed["issues"]) == 1 and listed["corrections"][0]["better"] == "It is two."
    assert main(["evaluation", "small", "latest", "--export", "edited"]) == 0
    row = json.loads((folder / "data" / f"edited-{made.id}.jsonl").read_text())
    assert row["messages"][-1]["content"] == "It is two."
    assert main(["issue", "small", "latest", "nobody"]) == 2
    assert "no row 'nobody'" in capsys.readouterr().err
    assert main(["issue", "small", "latest", "id"]) == 2
    assert "4 rows begin with 'id'" in capsys.readouterr().err


def test_report(made: Evaluation, folder: Path, capsys: Capture) -> None:
    markdown, page = said(capsys, "report", "small").splitlines()
    assert Path(markdown).read_text().startswith("# Project small") and "step 20" in Path(page).read_text()
    assert main(["report", "small"]) == 2
    assert "--replace writes it anew" in capsys.readouterr().err
    assert main(["report", "small", "--replace", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0] == markdown
    assert main(["report", "small", "--sweep", "latest"]) == 2
    assert "no sweep yet" in capsys.readouterr().err
    assert main(["report", "small", "--run", "latest"]) == 2
    assert "no runs yet" in capsys.readouterr().err
