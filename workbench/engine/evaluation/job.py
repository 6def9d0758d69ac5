"""An evaluation from its plan to its last line: contestant by contestant, measure by measure.

What is measured is on the disk row by row; an attempt begins by looking what is there, and does the rest.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from transformers import PreTrainedModel

from workbench.chat.targets import remarks
from workbench.engine.chat_model import load_encoder, model_folder
from workbench.engine.evaluation.classifier import make_labeller
from workbench.engine.evaluation.generation import Answered, ToAnswer, answer_rows
from workbench.engine.evaluation.inputs import Inputs
from workbench.engine.evaluation.labelling import label_trouble, labelled, of_text, texts_of
from workbench.engine.evaluation.models import Models
from workbench.engine.evaluation.orders import Orders
from workbench.engine.evaluation.perplexity import Scored, ToScore, score_rows
from workbench.engine.evaluation.progress import Phase, Progress
from workbench.engine.evaluation.prompting import Prompting, Skipped
from workbench.engine.models import DTYPES, context_length
from workbench.engine.reasons import out_of_memory
from workbench.engine.suitable import tell_left_out
from workbench.errors import WorkbenchError, fault
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.lines import Lines
from workbench.evaluation.plan import Contestant, Plan
from workbench.evaluation.records import Answer, Draw, Label, Record, Score, ScoredRow, read_records
from workbench.evaluation.rows import read_rows, write_rows
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.shots.few_shot import Deck
from workbench.runs.events import EventWriter

CHUNK = 512
"""Texts that are labelled between two looks for a wish to stop."""
REMEDY = "model.quantization = nf4 takes less, or end what else uses the memory"
Key = tuple[int, int, int]
"""Repeat, source and row."""
T = TypeVar("T")


class Job:
    """One attempt at an evaluation.

    Args:
        evaluation: its folder, with a plan.
        plan: what is compared.
        events: where it is told of.
        orders: asked now and then whether to stop.
    """

    def __init__(self, evaluation: Evaluation, plan: Plan, events: EventWriter, orders: Orders) -> None:
        self._evaluation = evaluation
        self._plan = plan
        self._events = events
        self._orders = orders
        self._models = Models()
        self._left_out: dict[int, str] = {}
        self._inputs = Inputs(evaluation, plan)

    def run(self) -> str:
        """Measure what is not measured yet; returns what was left out, in words.

        Raises:
            WorkbenchError: there are no rows, a file of the evaluation is broken, or no contestant works.
            Stopped: somebody asked for it.
            OSError: the disk is full.
        """
        rows = read_rows(self._evaluation) or self._freeze()
        self._progress = self._counted(rows)
        try:
            for number, contestant in enumerate(self._plan.contestants):
                with self._leaving_out(number):
                    self._measure(number, contestant, rows)
            self._models.close()
            if self._plan.settings.classifier:
                self._label(rows)
        finally:
            self._inputs.close()
        self._progress.end()
        if len(self._left_out) == len(self._plan.contestants):
            raise fault(f"nothing could be measured: {next(iter(self._left_out.values()))}")
        names = [f"{self._plan.contestants[n].name} ({why})" for n, why in self._left_out.items()]
        return f"left out: {'; '.join(names)}" if names else ""

    def _freeze(self) -> list[ScoredRow]:
        self._events.write("progress", phase="rows", contestant=None, done=0, total=0, eta_seconds=None)
        dataset, selection = self._inputs.opened()
        sources, side = self._inputs.project.settings.data.source, self._plan.side
        # What is lost of rows for another side changes nothing here
        splits = (side,) if side == "test" else (side, "auto")
        reports = zip(sources, selection.reports, strict=True)
        tell_left_out([report for source, report in reports if source.split in splits], self._events)
        return write_rows(self._evaluation, self._plan, dataset, selection)

    def _measure(self, number: int, contestant: Contestant, rows: list[ScoredRow]) -> None:
        """Perplexity and answers of one contestant, as far as they are missing."""
        place, settings = self._evaluation.contestant(number), self._plan.settings
        with (
            Lines(place.scores, Score, _of_repeat) as scores,
            Lines(place.answers, Answer, _of_repeat) as answers,
        ):
            scored, answered = settings.perplexity != "off", settings.answers
            for repeat in range(contestant.repeats):
                to_score = _missing(rows, repeat, scores.seen) if scored else []
                to_answer = _missing(rows, repeat, answers.seen) if answered else []
                if not (to_score or to_answer):
                    continue
                model, encoder = self._loaded(number, contestant)
                prompting = self._prompting(number, contestant, model, encoder, repeat)
                if to_score:
                    self._progress.begin("perplexity", number)
                    self._score(model, prompting, to_score, repeat, scores)
                if to_answer:
                    self._progress.begin("answers", number)
                    self._answer(model, prompting, contestant, to_answer, repeat, answers)

    def _loaded(self, number: int, contestant: Contestant) -> tuple[PreTrainedModel, Encoder]:
        self._progress.begin("loading", number)
        target = contestant.target
        encoder = load_encoder(target, model_folder(target))
        if self._models.holds(target):
            return self._models.load(target), encoder
        model = self._models.load(target)
        for remark in remarks(target, self._inputs.project):
            self._events.write("warning", message=f"{contestant.name}: {remark}")
        parameter = next(model.parameters())
        named = {dtype: name for name, dtype in DTYPES.items()}
        dtype = named.get(model.dtype, str(model.dtype))
        if target.quantization != "none":
            dtype = f"{target.quantization} {dtype}"
        self._events.write("loaded", contestant=number, device=str(parameter.device), dtype=dtype)
        return model, encoder

    def _prompting(
        self, number: int, contestant: Contestant, model: PreTrainedModel, encoder: Encoder, repeat: int
    ) -> Prompting:
        deck, form = None, contestant.target.prompt.few_shot
        if contestant.shots:
            drawn = form.model_copy(update={"count": contestant.shots, "seed": form.seed + repeat})
            deck = self._inputs.deck(drawn)
            self._keep_draw(number, repeat, deck)
        vocabulary = model.get_input_embeddings().num_embeddings
        return Prompting(encoder, self._plan, context_length(model), vocabulary, deck, form)

    def _keep_draw(self, number: int, repeat: int, deck: Deck) -> None:
        """Write down which examples were drawn. Raises WorkbenchError: an earlier attempt drew others."""
        tags: dict[str, dict[str, int]] = {}
        for example in deck.drawn:
            for name, value in example.tags:
                counts = tags.setdefault(name, {})
                counts[value] = counts.get(value, 0) + 1
        drawn = [(example.origin.source, example.origin.row) for example in deck.drawn]
        draw = Draw(repeat=repeat, seed=deck.settings.seed, rows=drawn, tags=tags)
        shots = self._evaluation.contestant(number).shots
        with Lines(shots, Draw, lambda each: each.repeat) as lines:
            if repeat not in lines.seen:
                lines.append([draw])
            elif draw not in read_records(shots, Draw):
                what = "the data have changed since: other examples would be drawn"
                raise fault(what, shots, "start a new evaluation")

    def _score(
        self,
        model: PreTrainedModel,
        prompting: Prompting,
        rows: Sequence[ScoredRow],
        repeat: int,
        lines: Lines[Score],
    ) -> None:
        def keep(scored: Sequence[Scored]) -> None:
            lines.append(
                Score(
                    source=rows[each.number].source,
                    row=rows[each.number].row,
                    repeat=repeat,
                    nll=each.nll,
                    tokens=each.tokens,
                    correct=each.correct,
                    skipped=each.skipped,
                )
                for each in scored
            )
            self._progress.advance(len(scored))
            self._orders.heed()

        posed, skipped = _divided(prompting.to_score(rows), ToScore)
        keep([Scored(number, 0.0, 0, 0, why) for number, why in skipped])
        score_rows(model, posed, keep)

    def _answer(
        self,
        model: PreTrainedModel,
        prompting: Prompting,
        contestant: Contestant,
        rows: Sequence[ScoredRow],
        repeat: int,
        lines: Lines[Answer],
    ) -> None:
        def keep(answers: Sequence[Answered]) -> None:
            lines.append(
                Answer(
                    source=rows[each.number].source,
                    row=rows[each.number].row,
                    repeat=repeat,
                    text=each.text,
                    tokens=each.tokens,
                    ended=each.ended,
                    skipped=each.skipped,
                )
                for each in answers
            )
            self._progress.advance(len(answers))

        posed, skipped = _divided(prompting.to_answer(rows), ToAnswer)
        keep([Answered(number, "", 0, "", why) for number, why in skipped])
        decoding = contestant.decoding or self._plan.settings.decoding
        answer_rows(model, prompting.encoder, posed, decoding, keep, self._orders.heed)

    def _label(self, rows: Sequence[ScoredRow]) -> None:
        """Labels of all answers, and of the references beside the first contestant's."""
        settings = self._plan.settings
        labeller = make_labeller(settings.classifier, self._inputs.project.folder)
        if said := label_trouble(rows, settings.label, labeller):
            self._events.write("warning", message=said)
        for number in range(len(self._plan.contestants)):
            place = self._evaluation.contestant(number)
            texts = texts_of(
                rows if number == 0 else [],
                [] if number in self._left_out else list(read_records(place.answers, Answer)),
            )
            self._progress.expect("labels", number, len(texts))
            with Lines(place.labels, Label, of_text) as lines:
                missing = [each for each in texts if of_text(each[0]) not in lines.seen]
                if missing:
                    self._progress.begin("labels", number)
                for start in range(0, len(missing), CHUNK):
                    chunk = missing[start : start + CHUNK]
                    lines.append(labelled(chunk, labeller))
                    self._progress.advance(len(chunk))
                    self._orders.heed()
        if labeller.cut:
            message = f"{labeller.cut} texts are longer than the classifier reads: their ends were cut off"
            self._events.write("warning", message=message)

    @contextmanager
    def _leaving_out(self, number: int) -> Iterator[None]:
        """What is wrong with one contestant ends it alone: the others go on."""
        try:
            yield
        except Exception as error:
            if isinstance(error, WorkbenchError):
                reason = str(error)
            elif out_of_memory(error):
                reason = f"out of memory; {REMEDY}"
            else:
                raise
            self._models.close()
            self._left_out[number] = reason
            self._events.write("skipped", contestant=number, reason=reason)
            self._progress.drop(number)

    def _counted(self, rows: Sequence[ScoredRow]) -> Progress:
        """How much there is to do, and how much an earlier attempt has done."""
        settings, total, done = self._plan.settings, {}, {}
        references = sum(row.reference is not None for row in rows)
        for number, contestant in enumerate(self._plan.contestants):
            each, place = len(rows) * contestant.repeats, self._evaluation.contestant(number)
            kinds: list[tuple[Phase, bool, int, Path, type[Record]]] = [
                ("perplexity", settings.perplexity != "off", each, place.scores, Score),
                ("answers", settings.answers, each, place.answers, Answer),
                (
                    "labels",
                    bool(settings.classifier),
                    each * settings.answers + references * (number == 0),
                    place.labels,
                    Label,
                ),
            ]
            for phase, wanted, count, path, kind in kinds:
                if wanted:
                    total[phase, number] = count
                    done[phase, number] = sum(1 for _ in read_records(path, kind))
        return Progress(self._events, total, done)


def _of_repeat(record: Score | Answer) -> Key:
    return (record.repeat, *record.key)


def _missing(rows: Sequence[ScoredRow], repeat: int, seen: Collection[Hashable]) -> list[ScoredRow]:
    return [row for row in rows if (repeat, *row.key) not in seen]


def _divided(found: Iterable[T | Skipped], kind: type[T]) -> tuple[list[T], list[Skipped]]:
    """Rows to work on, and rows with the reason why not."""
    posed: list[T] = []
    skipped: list[Skipped] = []
    for each in found:
        if isinstance(each, kind):
            posed.append(each)
        elif isinstance(each, tuple):
            skipped.append(each)
    return posed, skipped
