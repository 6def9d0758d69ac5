"""Perplexity of many rows at once: the figures of one row at a time, and of the course's own script."""

import math
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from course_ppl import perplexities
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, PreTrainedModel

from workbench.chat.targets import targets
from workbench.data.dataset import open_dataset
from workbench.data.selection import select
from workbench.engine.chat_model import load_encoder, model_folder
from workbench.engine.evaluation import batches, perplexity
from workbench.engine.evaluation.perplexity import Scored, ToScore, score_rows
from workbench.engine.evaluation.prompting import Prompting
from workbench.evaluation.planning import make_plan
from workbench.evaluation.records import Said, ScoredRow
from workbench.evaluation.rows import freeze, question, thaw
from workbench.project.store import open_project
from workbench.prompts.encoding.encode import make_encoder
from workbench.prompts.encoding.encoded import Encoded
from workbench.prompts.shots.few_shot import Deck

MakeProject = Callable[..., Path]
KNOWN, LONGEST = 256, 128


@pytest.fixture(scope="module")
def model(tiny_base: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32).eval()


def scored(model: PreTrainedModel, rows: list[ToScore], **options: object) -> dict[int, Scored]:
    found: list[Scored] = []
    score_rows(model, rows, found.extend, **options)  # type: ignore[arg-type]
    assert sorted(each.number for each in found) == sorted(row.number for row in rows)
    return {each.number: each for each in found}


def alone(model: PreTrainedModel, row: ToScore) -> Scored:
    """All logits of one row."""
    ids, mask = torch.tensor([list(row.ids)]), torch.tensor(list(row.mask[1:])).bool()
    with torch.no_grad():
        logits = model(input_ids=ids).logits[0, :-1][mask]
    losses = cross_entropy(logits, ids[0, 1:][mask], reduction="none")
    right = int((logits.argmax(-1) == ids[0, 1:][mask]).sum())
    return Scored(row.number, float(losses.double().sum()), len(losses), right)


def made_rows(count: int, shared: int = 0) -> list[ToScore]:
    """Rows of very unlike length, the first `shared` tokens alike."""
    draw = random.Random(3)
    start = [draw.randrange(KNOWN) for _ in range(shared)]
    rows = []
    for number in range(count):
        rest = [draw.randrange(KNOWN) for _ in range(draw.randint(4, LONGEST - shared - 1))]
        prompt = draw.randint(1, len(rest) - 1)
        mask = [0] * (shared + prompt) + [1] * (len(rest) - prompt)
        rows.append(ToScore(number, [*start, *rest], mask))
    return rows


def assert_equal(found: dict[int, Scored], expected: list[Scored], tolerance: float = 1e-5) -> None:
    for one in expected:
        other = found[one.number]
        assert (other.tokens, other.correct, other.skipped) == (one.tokens, one.correct, one.skipped)
        assert other.nll == pytest.approx(one.nll, rel=tolerance)


@pytest.mark.parametrize("shared", [0, 40])
@pytest.mark.parametrize("tokens", [1, 300, 100_000])
def test_batches_change_no_figure(model: PreTrainedModel, shared: int, tokens: int) -> None:
    rows = made_rows(25, shared)
    assert_equal(scored(model, rows, tokens=tokens), [alone(model, row) for row in rows])


def test_a_row_that_begins_otherwise_is_read_whole(model: PreTrainedModel) -> None:
    rows = made_rows(10, shared=40)
    rows.append(ToScore(10, [7, *rows[0].ids[1:]], rows[0].mask))
    rows.append(ToScore(11, rows[1].ids, rows[1].mask, shares=False))
    assert_equal(scored(model, rows), [alone(model, row) for row in rows])


def test_a_row_that_is_scored_from_its_second_token_shares_nothing(model: PreTrainedModel) -> None:
    rows = [ToScore(row.number, row.ids, [0] + [1] * (len(row.ids) - 1)) for row in made_rows(6, shared=40)]
    assert_equal(scored(model, rows), [alone(model, row) for row in rows])


def test_only_scored_positions_have_logits(model: PreTrainedModel) -> None:
    seen: list[int] = []
    handle = model.get_output_embeddings().register_forward_hook(
        lambda _, __, logits: seen.append(logits.shape[0] * logits.shape[1])
    )
    rows = made_rows(25)
    try:
        scored(model, rows)
    finally:
        handle.remove()
    assert sum(seen) == sum(sum(row.mask) for row in rows)


def test_a_want_of_memory_halves_the_batch(model: PreTrainedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, most, real = made_rows(20), [99], perplexity._score

    def scarce(model: PreTrainedModel, batch: list[ToScore], prefix: object) -> list[Scored]:
        if len(batch) > 3 or batch[0].number == 5:
            raise MemoryError
        most[0] = len(batch)
        return real(model, batch, prefix)  # type: ignore[arg-type]

    monkeypatch.setattr(perplexity, "_score", scarce)
    found = scored(model, rows, tokens=100_000)
    assert found[5].skipped.startswith("out of memory")
    assert_equal(found, [alone(model, row) for row in rows if row.number != 5])


def test_an_error_of_another_kind_is_not_swallowed() -> None:
    def broken(batch: list[int]) -> None:
        raise ValueError("not the memory")

    with pytest.raises(ValueError, match="not the memory"):
        batches.in_batches([1, 2], lambda item: item, 10, 10, broken, lambda item, why: None)


# From a project's rows


def project_rows(folder: Path) -> list[ScoredRow]:
    project = open_project(folder)
    dataset = open_dataset(project)
    examples = [dataset.example(0, i) for i in range(40)]
    dataset.close()
    return [freeze(example, str(i)) for i, example in enumerate(examples)]  # type: ignore[arg-type]


def prompting(folder: Path, shots: int = 0, context: int | None = None, **overrides: object) -> Prompting:
    project = open_project(folder, None, {key.replace("__", "."): value for key, value in overrides.items()})
    plan, target = make_plan(project), targets(project)[0]
    encoder = load_encoder(target, model_folder(target))
    form = project.settings.prompt.few_shot.model_copy(update={"count": shots})
    deck = None
    if shots:
        dataset = open_dataset(project)
        deck = Deck(dataset, select(dataset, project.settings.data), form)
    return Prompting(encoder, plan, context, 10_000, deck, form)


def to_score(made: Prompting, rows: list[ScoredRow]) -> tuple[list[ToScore], dict[int, str]]:
    posed, skipped = [], {}
    for each in made.to_score(rows):
        if isinstance(each, ToScore):
            posed.append(each)
        else:
            skipped[each[0]] = each[1]
    return posed, skipped


def test_the_ids_and_the_mask_are_those_of_training(make_project: MakeProject) -> None:
    folder = make_project()
    rows = project_rows(folder)
    posed, skipped = to_score(prompting(folder), rows)
    encoder = make_encoder(open_project(folder))
    assert len(posed) == 40 and not skipped
    for row in posed:
        encoded = encoder.encode(thaw(rows[row.number]))
        assert isinstance(encoded, Encoded)
        assert (list(row.ids), list(row.mask)) == (encoded.ids, encoded.mask)


def test_apart_gives_the_figures_of_the_course(
    make_project: MakeProject, tiny_base: Path, model: PreTrainedModel
) -> None:
    folder = make_project()
    rows, made = project_rows(folder), prompting(folder, evaluation__perplexity="separate")
    found = scored(model, to_score(made, rows)[0])
    pairs = [(made.encoder.prompt(question(thaw(row)))[1], row.reference or "") for row in rows]
    for number, expected in enumerate(perplexities(tiny_base, pairs)):
        assert math.exp(found[number].nll / found[number].tokens) == pytest.approx(expected, rel=1e-4)


def test_an_answer_that_is_cut_off_is_told_and_never_nan(make_project: MakeProject) -> None:
    folder = make_project()
    rows = project_rows(folder)
    for mode in ("separate", "training"):
        made = prompting(folder, evaluation__perplexity=mode, data__max_tokens=10, data__overlong="truncate")
        posed, skipped = to_score(made, rows)
        assert len(posed) + len(skipped) == 40 and skipped
        assert all(any(row.mask[1:]) for row in posed)
        assert all("data.max_tokens = 10" in why for why in skipped.values())


def test_rows_that_cannot_be_scored_say_why(make_project: MakeProject) -> None:
    folder = make_project()
    rows = [each.model_copy(update={"reference": None}) for each in project_rows(folder)[:1]]
    rows += project_rows(folder)
    _, skipped = to_score(prompting(folder, context=12), rows)
    assert skipped.pop(0) == "no reference"
    assert skipped
    assert all(
        re.match(r"longer than the model reads: \d+ tokens, room for 12", why) for why in skipped.values()
    )


@pytest.mark.parametrize("shot", ["", "USER:{user} ASSISTANT:{assistant}\n"])
@pytest.mark.parametrize("mode", ["training", "separate"])
def test_few_shot_examples_are_read_once_and_never_scored(
    make_project: MakeProject, model: PreTrainedModel, shot: str, mode: str
) -> None:
    folder = make_project()
    rows = project_rows(folder)[:12]
    overrides = {"evaluation__perplexity": mode, "prompt__few_shot__shot": shot}
    made = prompting(folder, 2, **overrides)
    posed, skipped = to_score(made, rows)
    assert not skipped
    bare, _ = to_score(prompting(folder, evaluation__perplexity=mode), rows)
    assert {row.number: sum(row.mask) for row in posed} == {row.number: sum(row.mask) for row in bare}
    assert any(row.shares for row in posed) and all(len(row.ids) > LONGEST / 4 for row in posed)
    plain = scored(model, posed, share=False)
    assert_equal(scored(model, posed), list(plain.values()), tolerance=1e-4)


def test_of_a_row_with_several_answers_all_of_its_own_are_scored(make_project: MakeProject) -> None:
    folder = make_project()
    talk = [
        Said(role="user", content="what is oslo"),
        Said(role="assistant", content="the capital"),
        Said(role="user", content="of norway"),
    ]
    row = ScoredRow(source=0, row=1000, id="talk", messages=talk, reference="what is the capital")
    (bare,), _ = to_score(prompting(folder), [row])
    (posed,), _ = to_score(prompting(folder, 2), [row])
    assert sum(posed.mask) == sum(bare.mask)
    assert [i for i, m in zip(posed.ids, posed.mask, strict=True) if m] == [
        i for i, m in zip(bare.ids, bare.mask, strict=True) if m
    ]
