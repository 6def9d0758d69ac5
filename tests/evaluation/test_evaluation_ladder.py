"""The table of an evaluation: common rows, the best one, repeats, and what is read while it grows."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from workbench.chat.protocol import Target
from workbench.errors import WorkbenchError
from workbench.evaluation import ladder
from workbench.evaluation.contents import read_contents
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.ladder import Ladder
from workbench.evaluation.lines import Lines
from workbench.evaluation.measures import MEASURES, cell, missing
from workbench.evaluation.plan import Contestant, Plan
from workbench.evaluation.records import Answer, Draw, Label, Record, Said, Score, ScoredRow, to_lines
from workbench.evaluation.standing import Table
from workbench.project.evaluation import EvaluationSettings
from workbench.runs.events import EventWriter

ROWS = 6


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    """Base, base with examples drawn twice, one checkpoint; six rows with an emotion each."""
    made = Evaluation(tmp_path / "project" / "evaluations" / "one")
    made.folder.mkdir(parents=True)
    base = Target("base", "base", "embedded", tmp_path / "project", "base")
    contestants = [
        Contestant(name="base", target=base),
        Contestant(name="shots", target=base, shots=2, repeats=2),
        Contestant(name="step 3", target=base),
    ]
    settings = EvaluationSettings(classifier="lexicon", label="emotion")
    plan = Plan(id="one", created=1.0, side="test", contestants=contestants, settings=settings)
    made.plan.write_text(plan.model_dump_json())
    rows = [
        ScoredRow(
            source=0,
            row=row,
            id=str(row),
            messages=[Said(role="user", content=f"question {row}")],
            reference="so it is.",
            tags={"emotion": "joy" if row % 3 else "anger"},
        )
        for row in range(ROWS)
    ]
    made.rows.write_bytes(to_lines(rows))
    return made


def scores(losses: Sequence[float], repeat: int = 0, tokens: int = 4) -> list[Score]:
    """A row's perplexity is exp(loss)."""
    return [
        Score(source=0, row=row, repeat=repeat, nll=loss * tokens, tokens=tokens, correct=row % 2 * tokens)
        for row, loss in enumerate(losses)
    ]


def put(path: Path, *records: Record) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(to_lines(records))


def test_nothing_is_measured_yet(evaluation: Evaluation) -> None:
    table = Ladder(evaluation).read()
    assert [standing.name for standing in table.standings] == ["base", "shots", "step 3"]
    assert (table.common, table.total, table.best, table.references) == (0, ROWS, None, None)
    assert not any(standing.perplexity or standing.finished for standing in table.standings)


def test_the_two_means_and_the_accuracies(evaluation: Evaluation) -> None:
    put(evaluation.contestant(0).scores, *scores([1.0, 2.0] * 3))
    base = Ladder(evaluation).read().standings[0]
    assert base.perplexity and base.token_weighted and base.loss
    assert base.perplexity.mean == pytest.approx((math.e + math.e**2) / 2)
    assert base.token_weighted.mean == pytest.approx(math.exp(1.5))
    assert base.loss.mean == pytest.approx(1.5)
    assert base.token_accuracy and base.sequence_accuracy
    assert base.token_accuracy.mean == base.sequence_accuracy.mean == 0.5


def test_only_rows_that_all_have_scored_are_compared(evaluation: Evaluation) -> None:
    put(evaluation.contestant(0).scores, *scores([2.0] * ROWS))
    whole = scores([1.0] * ROWS)
    cut = Score(source=0, row=0, nll=0, tokens=0, correct=0, skipped="too long: 20 tokens, room for 10")
    put(evaluation.contestant(2).scores, cut, *whole[1:])
    table = Ladder(evaluation).read()
    base, _, step = table.standings
    assert table.common == ROWS - 1 == step.rows == base.rows
    assert step.skipped == {"too long": 1}
    assert table.best is step and step.best and not base.best
    assert step.against_first is not None
    assert (step.against_first.wins, step.against_first.rows) == (ROWS - 1, ROWS - 1)
    assert any(f"compared on {ROWS - 1} of {ROWS} rows" in remark for remark in table.remarks)


def test_one_that_is_still_at_it_takes_no_rows_from_the_others(evaluation: Evaluation) -> None:
    put(evaluation.contestant(0).scores, *scores([2.0] * ROWS))
    put(evaluation.contestant(2).scores, *scores([1.0] * 2))
    table = Ladder(evaluation).read()
    assert table.common == ROWS
    assert table.best is None
    assert table.standings[2].rows == 2 and not table.standings[2].finished
    assert table.standings[2].against_first is None


def test_draws_are_told_with_their_spread(evaluation: Evaluation) -> None:
    put(evaluation.contestant(0).scores, *scores([2.0] * ROWS))
    put(evaluation.contestant(1).scores, *scores([1.0] * ROWS), *scores([2.0] * ROWS, repeat=1))
    put(evaluation.contestant(1).shots, Draw(repeat=0, seed=42, rows=[(0, 9)]))
    shots = Ladder(evaluation).read().standings[1]
    assert shots.loss and shots.loss.repeats == 2
    assert shots.loss.mean == pytest.approx(1.5) and shots.loss.sd == pytest.approx(math.sqrt(0.5))
    assert [draw.rows for draw in shots.draws] == [[(0, 9)]]
    # A row's own figure is its mean over the draws
    assert shots.against_first is not None and shots.against_first.wins == ROWS


def test_scored_tokens_that_differ_are_told(evaluation: Evaluation) -> None:
    put(evaluation.contestant(0).scores, *scores([2.0] * ROWS))
    put(evaluation.contestant(2).scores, *scores([1.0] * ROWS, tokens=5))
    assert any("another number of scored tokens" in each for each in Ladder(evaluation).read().remarks)


def test_a_perplexity_that_is_no_number_is_never_best(evaluation: Evaluation) -> None:
    put(evaluation.contestant(0).scores, *scores([math.nan] * ROWS))
    put(evaluation.contestant(1).scores, *scores([2.0] * ROWS), *scores([2.0] * ROWS, repeat=1))
    put(evaluation.contestant(2).scores, *scores([1.0] * ROWS))
    table = Ladder(evaluation).read()
    base = table.standings[0].perplexity
    assert base is not None and math.isnan(base.mean)
    assert table.best is not None and table.best.name == "step 3"


def test_answers_labels_and_their_baseline(evaluation: Evaluation) -> None:
    place = evaluation.contestant(0)
    texts = ["fine, so it is.", "", "no no no no no no no no no no no no no no no no", "so", "so.", "so."]
    ends = ["stop token", "stop token", "length", "length", "stop text", "stop token"]
    for row, (text, ended) in enumerate(zip(texts, ends, strict=True)):
        put(place.answers, Answer(source=0, row=row, text=text, tokens=row + 1, ended=ended))
        put(place.labels, Label(source=0, row=row, of="answer", label="joy", score=1.0))
        put(place.labels, Label(source=0, row=row, of="reference", label="anger", score=1.0))
    table = Ladder(evaluation).read()
    base = table.standings[0]
    assert (base.answers, base.length, base.stopped) == (ROWS, 3.5, pytest.approx(4 / 6))
    assert base.findings["empty"] == 1 and base.findings["not-stopped"] == 2
    assert base.share("empty") == pytest.approx(1 / 6) and base.share("loop") is not None
    assert base.labels is not None and base.label_accuracy is not None
    assert base.labels.accuracy == base.labels.baseline.accuracy == base.label_accuracy.mean == 4 / 6
    assert table.references is not None and table.references.accuracy == 2 / 6
    assert base.findings["wrong-intent"] == 2, "the two of anger"


def answers(texts: Sequence[str]) -> list[Answer]:
    """An empty text stands for a prompt that the model could not read."""
    skipped = "longer than the model reads: 900 tokens, room for 512"
    return [
        Answer(source=0, row=row, text=text, tokens=3, ended="stop token" if text else "")
        if text
        else Answer(source=0, row=row, text="", tokens=0, ended="", skipped=skipped)
        for row, text in enumerate(texts)
    ]


def stars(table: Table, name: str) -> list[bool]:
    measure = next(each for each in MEASURES if each.name == name)
    return [cell(measure, table, number).endswith("*") for number in range(len(table.standings))]


LOOP = "so it is so it is so it is so it is so it is"


def test_answers_are_compared_on_the_rows_that_all_have_answered(evaluation: Evaluation) -> None:
    base, step = evaluation.contestant(0), evaluation.contestant(2)
    put(base.scores, *scores([2.0] * ROWS))
    put(step.scores, *scores([1.0] * ROWS))
    # The base model loops where the other one has no answer at all
    put(base.answers, *answers([LOOP, LOOP, *["so."] * 4]))
    put(step.answers, *answers(["", "", LOOP, *["so."] * 3]))
    for row in range(ROWS):
        put(base.labels, Label(source=0, row=row, of="answer", label="joy" if row > 1 else "", score=1.0))
    for row in range(2, ROWS):
        put(step.labels, Label(source=0, row=row, of="answer", label="joy" if row > 2 else "", score=1.0))
    table = Ladder(evaluation).read()
    first, last = table.standings[0], table.standings[2]
    assert (first.answers, last.answers) == (4, 4)
    assert (first.share("loop"), last.share("loop")) == (0.0, 0.25)
    assert stars(table, "looping answers") == [True, False, False]
    assert first.labels is not None and last.labels is not None
    assert first.labels.rows == last.labels.rows == 4
    assert last.unanswered == {"longer than the model reads": 2} and not first.unanswered
    assert missing(last) == ["step 3: 2 rows without an answer: longer than the model reads"]
    assert any(f"answers are compared on 4 of {ROWS} rows" in remark for remark in table.remarks)


def test_without_rows_in_common_none_is_the_best(evaluation: Evaluation) -> None:
    half = ROWS // 2
    cut = [Score(source=0, row=row, nll=0, tokens=0, correct=0, skipped="too long") for row in range(ROWS)]
    put(evaluation.contestant(0).scores, *scores([2.0] * ROWS)[:half], *cut[half:])
    put(evaluation.contestant(2).scores, *scores([1.0] * ROWS)[half:], *cut[:half])
    table = Ladder(evaluation).read()
    assert table.common == 0 and table.best is None
    assert not any(stars(table, "loss")) and not any(standing.ranked for standing in table.standings)
    assert [each.loss and each.loss.mean for each in table.standings] == [2.0, None, 1.0]
    assert any("no row was scored by all" in remark for remark in table.remarks)


def test_one_that_is_still_at_it_gets_no_star(evaluation: Evaluation) -> None:
    for number, loss in ((0, 2.0), (1, 1.5)):
        repeats = range(2 if number else 1)
        put(evaluation.contestant(number).scores, *(s for r in repeats for s in scores([loss] * ROWS, r)))
        put(
            evaluation.contestant(number).answers,
            *(a.model_copy(update={"repeat": r}) for r in repeats for a in answers(["so."] * ROWS)),
        )
    put(evaluation.contestant(2).scores, *scores([1.0] * 2))
    assert stars(Ladder(evaluation).read(), "loss") == [False, True, False]


def test_where_all_are_alike_none_is_the_best(evaluation: Evaluation) -> None:
    for number in (0, 2):
        put(evaluation.contestant(number).scores, *scores([1.0] * ROWS))
    assert Ladder(evaluation).read().best is None


def test_what_was_read_is_not_read_again(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    real = ladder.check_answer
    monkeypatch.setattr(ladder, "check_answer", lambda a, e: checked.append(a.text) or real(a, e))
    place, table = evaluation.contestant(0), Ladder(evaluation)
    for row in range(ROWS):
        put(place.answers, Answer(source=0, row=row, text=f"it is {row}", tokens=3, ended="length"))
        assert table.read().standings[0].answers == row + 1
    assert checked == [f"it is {row}" for row in range(ROWS)]
    with Lines(place.scores, Score, lambda score: score.row) as lines:
        lines.append(scores([1.0] * ROWS))
    assert table.read().standings[0].finished
    whole, again = table.read(), Ladder(evaluation).read()
    assert whole == again


def test_one_that_was_left_out_says_why(evaluation: Evaluation) -> None:
    events = EventWriter(evaluation.events)
    events.write("skipped", contestant=2, reason="the checkpoint is gone")
    events.close()
    assert Ladder(evaluation).read().standings[2].left_out == "the checkpoint is gone"


def test_figures_do_not_wait_for_the_checks(evaluation: Evaluation) -> None:
    put(evaluation.contestant(0).scores, *scores([1.0] * ROWS))
    put(
        evaluation.contestant(0).answers,
        *(Answer(source=0, row=row, text=" ", tokens=3, ended="length") for row in range(ROWS)),
    )
    growing = Ladder(evaluation)
    table = growing.read(seconds=0)
    first = table.standings[0]
    assert first.loss and first.loss.mean == 1.0 and first.answers == ROWS
    assert (first.checked, table.unchecked, first.findings) == (0, ROWS, {})
    assert first.share("empty") is None, "nobody looked yet: that is no 0"
    table = growing.read()
    assert table.unchecked == 0 and table.standings[0].share("empty") == 1.0
    assert table == Ladder(evaluation).read()


def test_an_answer_to_an_unknown_row_is_a_fault(evaluation: Evaluation) -> None:
    put(evaluation.contestant(0).answers, Answer(source=0, row=99, text="x", tokens=1, ended="length"))
    with pytest.raises(WorkbenchError, match="row 99") as caught:
        Ladder(evaluation).read()
    assert "answers.jsonl" in str(caught.value)


def test_labels_that_come_after_the_checks_are_counted(evaluation: Evaluation) -> None:
    place, growing = evaluation.contestant(0), Ladder(evaluation)
    put(place.answers, *(Answer(source=0, row=n, text="so.", tokens=2, ended="length") for n in range(ROWS)))
    assert "wrong-intent" not in growing.read().standings[0].findings, "no classifier has looked"
    before = read_contents(evaluation)
    assert not any(finding.check == "wrong-intent" for finding in before.results[0].row(0).findings)
    put(place.labels, *(Label(source=0, row=n, of="answer", label="joy", score=1.0) for n in range(ROWS)))
    assert growing.read().standings[0].findings["wrong-intent"] == 2
    after = read_contents(evaluation, before).results[0]
    assert [finding.what for finding in after.row(0).findings if finding.check == "wrong-intent"] == [
        "joy, not anger"
    ]
    assert after.checks.share("wrong-intent") == pytest.approx(2 / ROWS)


def test_special_tokens_and_lengths_are_checked(evaluation: Evaluation) -> None:
    plan = Plan.model_validate_json(evaluation.plan.read_bytes())
    settings = plan.settings.model_copy(update={"shortest_answer": 4, "longest_answer": 11})
    evaluation.plan.write_text(plan.model_copy(update={"settings": settings}).model_dump_json())
    texts = ["so.", "so it is.", "so it is so.", "so <|pad|>"]
    put(
        evaluation.contestant(0).answers,
        *(Answer(source=0, row=n, text=text, tokens=3, ended="length") for n, text in enumerate(texts)),
    )
    findings = Ladder(evaluation).read().standings[0].findings
    assert (findings["length"], findings["special-tokens"]) == (2, 1)
    checks = read_contents(evaluation).results[0].checks
    assert "special-tokens" in {finding.check for finding in checks.findings[3]}
    assert (checks.share("length"), checks.share("special-tokens")) == (2 / 4, 1 / 4)


def test_a_base_model_that_is_gone_has_no_special_tokens(evaluation: Evaluation) -> None:
    text = evaluation.plan.read_text().replace('"base":"embedded"', '"base":"/no/such/model"')
    evaluation.plan.write_text(text)
    put(
        evaluation.contestant(0).answers, Answer(source=0, row=0, text="so <|pad|>", tokens=3, ended="length")
    )
    standing = Ladder(evaluation).read().standings[0]
    assert standing.checked == 1 and "special-tokens" not in standing.findings
