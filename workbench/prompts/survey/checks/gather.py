"""All facts about a project: one pass over every row, a second one over the rows that are tokenised."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from os.path import commonprefix
from typing import TYPE_CHECKING

from workbench.data.dataset import Dataset, SourceState
from workbench.data.example import Example, Rejected
from workbench.data.files.rows import Cancelled, Progress
from workbench.data.likeness.leaks import find_leaks
from workbench.data.report import SourceReport
from workbench.data.selection import SIDES, NearDuplicates, Origins, Selection, Side, select
from workbench.errors import WorkbenchError, fault
from workbench.project.schema import DataSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.limits import ANSWER_TOO_LONG, PROMPT_TOO_LONG, TOO_LONG
from workbench.prompts.survey.checks.facts import Facts, Marked, Overlap, Part, Writing, marked
from workbench.prompts.survey.checks.texts import MARKS, TextLook, script_names
from workbench.prompts.survey.checks.tokens import TokenLook, look_at_pairing
from workbench.prompts.survey.statistics import LONGEST, SIMULATED, SideStatistics, Statistics, lengths

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    _Sides = dict[Side, Places]

EXACT_CHARACTERS = 16_000_000
"""Up to so many characters of text all used rows are tokenised, which takes some ten seconds."""
SAMPLE_ROWS, SAMPLE_LEAST = 20_000, 1_000
SAMPLE_SHARE, SAMPLE_CHARACTERS = 0.02, (4_000_000, 16_000_000)
"""Above that: a random sample of the training rows, so many at most, and so much of the text: at least and at
most. Tokenising is some twenty times as slow as all the rest."""
OTHER_SIDES = 5
"""Validation and test get a sample of this part of that."""
EXTREMES, EXTREME_CHARACTERS = 200, 1_000_000
"""The rows with the most characters that are tokenised as well: those that may be too long."""
EACH_SOURCE = 20
"""Rows of every source and side that are tokenised at least."""
COMMON_ENDING = 0.9
"""Share of the questions from which an end that they share is a mark, and no chance."""
_COMPARED_ENDS, _LONGEST_ENDING = 50, 40
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was gathered, and what became of each source's rows."""

    facts: Facts
    reports: list[SourceReport]


def gather(
    dataset: Dataset,
    encoder: Encoder,
    data: DataSettings,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    exact: bool = False,
) -> Gathered:
    """Look at every row.

    Args:
        dataset: the opened sources of `data`.
        encoder: without a limit of its own on the length of rows.
        data: the project's settings.
        progress: told the share that is done.
        cancelled: asked now and then.
        exact: tokenise all used rows, however many.

    Raises WorkbenchError when it was cancelled.
    """
    look = TextLook(encoder.tokenizer)
    watched = _Watched(dataset.sources, look)
    selection = select(watched, data, _part(progress, 0, 0.6), cancelled)
    look.finish()
    _stop_if(cancelled)
    facts = Facts(columns=[_columns(dataset, number) for number in range(len(dataset.sources))])
    if selection.complete and len(look):
        places = {side: _places(look, selection.sides[side]) for side in SIDES}
        _count(facts, selection, look, places)
        ending = facts.writing.ending
        ending.example = _whole_ending(dataset, ending)
        if data.near_duplicates == "keep":
            facts.near_duplicates = _near_duplicates(dataset, look, places["train"], cancelled)
        tokens = TokenLook(encoder, data, _parts(selection))
        _tokenise(facts, dataset, tokens, data, look, places, _part(progress, 0.6, 0.9), cancelled, exact)
        facts.overlap = _overlap(
            dataset, selection, look, places, data.seed, _part(progress, 0.9, 1), cancelled
        )
    facts.pairing = look_at_pairing(encoder)
    _stop_if(cancelled)
    if progress:
        progress(1.0)
    return Gathered(facts, selection.reports)


class _Watched(Dataset):
    """A data set whose examples are looked at while they are selected, so that rows are read once."""

    def __init__(self, sources: list[SourceState], look: TextLook) -> None:
        super().__init__(sources)
        self._look = look

    def examined(self, source: int) -> Iterator[tuple[Example | Rejected, tuple[str, ...]]]:
        for outcome, rules in super().examined(source):
            if isinstance(outcome, Example):
                self._look.take(outcome)
            yield outcome, rules


def _stop_if(cancelled: Cancelled | None) -> None:
    if cancelled and cancelled():
        raise fault("the check was cancelled")


def _part(progress: Progress | None, first: float, last: float) -> Progress | None:
    """Progress of one part as progress of the whole."""
    return (lambda done: progress(first + (last - first) * done)) if progress else None


def _columns(dataset: Dataset, source: int) -> list[str]:
    try:
        return [str(name) for name in dataset.row(source, 0)]
    except WorkbenchError:
        return []


def _places(look: TextLook, origins: Origins) -> "Places":
    """Where the rows of one side stand among the examples that were looked at."""
    import numpy as np

    def keys(sources: object, rows: object) -> "Places":
        return (np.asarray(sources, np.int64) << 40) | np.asarray(rows, np.int64)

    return np.searchsorted(keys(look.sources, look.rows), keys(origins.sources, origins.rows))


def _marked(look: TextLook, places: "Places") -> Marked:
    return marked((look.sources[i], look.rows[i]) for i in places.tolist())


def _count(facts: Facts, selection: Selection, look: TextLook, places: "_Sides") -> None:
    """What was seen in all rows, for those that are used."""
    import numpy as np

    facts.rows = {side: len(places[side]) for side in SIDES}
    facts.train_repeated = sum(report.train for report in selection.reports)
    facts.tags = {
        name: {side: dict(counts) for side, counts in sides.items()} for name, sides in selection.tags.items()
    }
    facts.duplicates = marked((origin.source, origin.row) for origin in selection.duplicates)
    used = np.sort(np.concatenate([places[side] for side in SIDES]))
    marks = np.asarray(look.marks)[used]
    found = {name: _marked(look, used[(marks & (1 << bit)) != 0]) for bit, name in enumerate(MARKS)}
    found = {name: mark for name, mark in found.items() if mark.count}
    if "special_token" in found:
        found["special_token"].example = look.special_examples.most_common(1)[0][0]
    facts.writing = Writing(
        marks=found,
        prefixes={text: _marked(look, rows) for text, rows in look.prefixes.among(used)},
        separators={text: _marked(look, rows) for text, rows in look.separators.among(used)},
        stops={text: _marked(look, rows) for text, rows in look.stops.among(used)},
        systems={text: _marked(look, rows) for text, rows in look.systems.among(used)},
        tails={text: _marked(look, rows) for text, rows in look.tails.among(used)},
        foreign={text: _marked(look, rows) for text, rows in look.foreign.among(used)},
        shared=[look.shared.get(number, "") for number in range(len(selection.reports))],
    )
    ending, rows = look.endings.ending(used, COMMON_ENDING)
    facts.writing.ending = _marked(look, rows)
    facts.writing.ending.example = ending
    distinct = _distinct(look, places["train"])
    _, first = np.unique(np.asarray(look.questions)[distinct], return_index=True)
    again = np.ones(len(distinct), bool)
    again[first] = False
    facts.same_question = _marked(look, distinct[again])
    for side in SIDES:
        if len(places[side]):
            scripts = np.bincount(np.asarray(look.scripts)[places[side]])
            facts.statistics.sides[side] = SideStatistics(
                rows=len(places[side]),
                question_characters=lengths(np.asarray(look.question_characters)[places[side]]),
                answer_characters=lengths(np.asarray(look.answer_characters)[places[side]]),
                scripts=script_names(scripts),
            )


def _whole_ending(dataset: Dataset, ending: Marked) -> str:
    """All that the first of the marked questions end in, of which the mark knows the last characters."""
    ends = []
    for place in ending.rows[:_COMPARED_ENDS]:
        outcome = dataset.example(*place)
        if isinstance(outcome, Example):
            asked = next((m.content for m in outcome.messages if m.role == "user"), ending.example)
            ends.append(asked[-_LONGEST_ENDING:][::-1])
    return commonprefix(ends)[::-1] or ending.example


def _distinct(look: TextLook, places: "Places") -> "Places":
    """The first of each conversation."""
    import numpy as np

    _, first = np.unique(np.asarray(look.conversations)[places], return_index=True)
    return places[np.sort(first)]


def _near_duplicates(
    dataset: Dataset, look: TextLook, train: "Places", cancelled: Cancelled | None
) -> Marked:
    """Training rows nearly equal to an earlier one; in a large data set they are not looked for."""
    import numpy as np

    sizes = np.asarray(look.question_characters) + np.asarray(look.answer_characters)
    if int(sizes[train].sum()) > EXACT_CHARACTERS:
        return Marked()
    near, places = NearDuplicates(), []
    for i in _distinct(look, train).tolist():
        _stop_if(cancelled)
        outcome = dataset.example(look.sources[i], look.rows[i])
        if isinstance(outcome, Example):
            near.add(outcome)
            places.append((look.sources[i], look.rows[i]))
    return marked(place for place, alike in zip(places, near.alike(), strict=True) if alike)


def _tokenise(
    facts: Facts,
    dataset: Dataset,
    tokens: TokenLook,
    data: DataSettings,
    look: TextLook,
    places: "_Sides",
    progress: Progress | None,
    cancelled: Cancelled | None,
    exact: bool,
) -> None:
    """Encode the chosen rows of every side and take their lengths."""
    import numpy as np

    sizes = np.asarray(look.question_characters) + np.asarray(look.answer_characters)
    total = sum(int(sizes[places[side]].sum()) for side in SIDES)
    everything = facts.statistics.exact = exact or total <= EXACT_CHARACTERS
    chosen = {}
    for side in SIDES:
        rows, drawn = _chosen(places[side], sizes, data.seed, side, everything)
        chosen[side] = (rows, drawn) if everything else _with_all_sources(look, places[side], rows, drawn)
    done, all_rows = 0, sum(len(rows) for rows, _ in chosen.values())
    for side, (rows, drawn) in chosen.items():
        for start in range(0, len(rows), _BATCH):
            _stop_if(cancelled)
            batch = rows[start : start + _BATCH].tolist()
            outcomes = [dataset.example(look.sources[i], look.rows[i]) for i in batch]
            at_random = drawn[start : start + _BATCH].tolist()
            kept = [(o, d) for o, d in zip(outcomes, at_random, strict=True) if isinstance(o, Example)]
            tokens.take([example for example, _ in kept], side, [by_chance for _, by_chance in kept])
            done += len(batch)
            if progress:
                progress(done / all_rows)
    facts.tokens = tokens.found
    _measure(facts.statistics, tokens, data.seed)


def _chosen(
    places: "Places", sizes: "Places", seed: int, side: str, everything: bool
) -> "tuple[Places, NDArray[np.bool_]]":
    """The rows of one side to tokenise, in their order, and which of them were drawn at random."""
    import numpy as np

    if everything or not len(places):
        return places, np.ones(len(places), bool)
    text = max(1, int(sizes[places].sum()))
    wanted = np.clip(SAMPLE_SHARE * text, *SAMPLE_CHARACTERS) / text * len(places)
    count = int(np.clip(wanted, SAMPLE_LEAST, SAMPLE_ROWS))
    if side != "train":
        count = max(SAMPLE_LEAST // OTHER_SIDES, count // OTHER_SIDES)
    count = min(count, len(places))
    sample = np.random.default_rng(seed).choice(places, count, replace=False)
    longest = places[np.argsort(-sizes[places], kind="stable")[:EXTREMES]]
    longest = longest[: max(1, int((np.cumsum(sizes[longest]) <= EXTREME_CHARACTERS).sum()))]
    rows = np.union1d(sample, longest)
    return rows, np.isin(rows, sample)


def _with_all_sources(
    look: TextLook, places: "Places", rows: "Places", drawn: "NDArray[np.bool_]"
) -> "tuple[Places, NDArray[np.bool_]]":
    """Chosen rows with some more of each source, evenly spread: a small one may be lost, and not be drawn."""
    import numpy as np

    sources = np.asarray(look.sources)[places]
    more = [rows]
    for source in np.unique(sources).tolist():
        own = places[sources == source]
        more.append(own[np.linspace(0, len(own) - 1, min(len(own), EACH_SOURCE)).astype(np.int64)])
    wider = np.unique(np.concatenate(more))
    return wider, np.isin(wider, rows[drawn])


def _parts(selection: Selection) -> list[Part]:
    """The used rows by side and source."""
    return [
        Part(source, side, rows, selection.repeats[source] if side == "train" else 1)
        for side in SIDES
        for source, rows in sorted(Counter(selection.sides[side].sources).items())
    ]


def _measure(statistics: Statistics, tokens: TokenLook, seed: int) -> None:
    """Distributions of the random sample; the longest rows among all that were encoded."""
    import numpy as np

    for side, measured in tokens.measured.items():
        found = statistics.sides[side]
        drawn = np.array(measured.drawn, bool)
        prompt, completion = np.array(measured.prompt, np.int64), np.array(measured.completion, np.int64)
        total = prompt + completion
        found.encoded = int(drawn.sum())
        found.prompt, found.completion = lengths(prompt[drawn]), lengths(completion[drawn])
        found.total = lengths(total[drawn])
        found.supervised = float(completion[drawn].sum() / max(1, total[drawn].sum()))
        used = np.array(measured.used, np.int64)
        for sizes, longest in ((total, found.longest), (used, found.longest_used)):
            for i in np.argsort(-sizes, kind="stable")[:LONGEST].tolist():
                origin = measured.origins[i]
                longest.append((origin.source, origin.row, int(sizes[i])))
        if side == "train":
            mixed = np.random.default_rng(seed).permutation(used[drawn & (used > 0)])
            statistics.train_lengths = mixed[:SIMULATED].tolist()
            answer = np.array(measured.answer, np.int64)
            parts = {PROMPT_TOO_LONG: answer, ANSWER_TOO_LONG: total - answer, TOO_LONG: total}
            for reason, over in tokens.found.over.items():
                measures = lengths(parts[reason][drawn])
                over.most, over.longest = measures.percentiles.get(99, 0), measures.longest


def _overlap(
    dataset: Dataset,
    selection: Selection,
    look: TextLook,
    places: "_Sides",
    seed: int,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> Overlap:
    """Equal rows are known of all; questions and likeness are compared within the same bounds as tokens."""
    import numpy as np

    sizes = np.asarray(look.question_characters) + np.asarray(look.answer_characters)
    total = sum(int(sizes[places[side]].sum()) for side in SIDES)
    overlap = Overlap(
        same=marked((held.source, held.row) for held, _ in selection.leaked),
        group=marked((held.source, held.row) for held, _ in selection.straddling),
    )
    compared = {}
    for side in SIDES:
        rows, drawn = _chosen(places[side], sizes, seed, side, total <= EXACT_CHARACTERS)
        compared[side] = Origins()
        for i in rows[drawn].tolist():
            compared[side].append(look.sources[i], look.rows[i])
    leaks = find_leaks(dataset, replace(selection, sides=compared), progress, cancelled)
    overlap.held_out, overlap.trained = leaks.held_out, leaks.trained
    for leak in leaks.found:
        place = leak.held_out.source, leak.held_out.row
        if leak.likeness == "same question":
            overlap.question.add(*place)
        elif leak.likeness == "nearly the same":
            overlap.near.add(*place)
    return overlap
