"""Which rows of all sources are used, and for what: cleaning, filters, duplicates, `take`, split.

One pass looks at every row and remembers some forty bytes of each example; what is decided between rows is
decided on those, so that a million rows need no more than a hundred megabytes.
"""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from workbench.data.dataset import Dataset
from workbench.data.digest import answered, digest_bytes, drawn, group_bytes, said
from workbench.data.example import Example, Origin, Pairs
from workbench.data.files.rows import Cancelled, Progress
from workbench.data.report import SourceReport
from workbench.data.split import held_out
from workbench.errors import WorkbenchError
from workbench.project.schema import DataSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.data.digest import Keys

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")
_KINDS = ("auto", "train", "validation", "test")
_REPORT_EVERY = 500
_BATCH = 1024


@dataclass(slots=True)
class Origins:
    """Many origins, ten bytes each."""

    sources: "array[int]" = field(default_factory=lambda: array("H"))
    rows: "array[int]" = field(default_factory=lambda: array("q"))

    def append(self, source: int, row: int) -> None:
        """Add one at the end."""
        self.sources.append(source)
        self.rows.append(row)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> Origin:
        return Origin(self.sources[i], self.rows[i])

    def __iter__(self) -> Iterator[Origin]:
        return map(Origin, self.sources, self.rows)


@dataclass(slots=True)
class Selection:
    """What is used of a project's rows.

    Attributes:
        reports: one for each source.
        repeats: how often the training rows of each source count.
        sides: the rows of each side, once each, in the order of sources and rows.
        tags: tag name, then side, to the number of rows for each value; "" counts those without the tag.
        duplicates: rows that say the same as an earlier one, kept or left out.
        leaked: held-out rows that equal a training row, each with the first such.
        straddling: held-out rows of a group that is trained on, each with the first row of it that is.
        complete: False when it was cancelled before the end.
    """

    reports: list[SourceReport]
    repeats: list[int]
    sides: dict[Side, Origins] = field(default_factory=lambda: {side: Origins() for side in SIDES})
    tags: dict[str, dict[Side, Counter[str]]] = field(default_factory=dict)
    duplicates: Origins = field(default_factory=Origins)
    leaked: list[tuple[Origin, Origin]] = field(default_factory=list)
    straddling: list[tuple[Origin, Origin]] = field(default_factory=list)
    complete: bool = True


def select(
    dataset: Dataset, data: DataSettings, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> Selection:
    """Look at every row of every source and decide what is used of it.

    A source that cannot be read is reported, and nothing of it is used.

    Args:
        dataset: the opened sources of `data`.
        data: seed, split, duplicates.
        progress: told the share of the rows that is done.
        cancelled: asked now and then; a cancelled selection is marked incomplete and decides nothing.
    """
    selection = Selection(
        [
            SourceReport(state.path, state.source.name or state.path.name, error=str(state.error or ""))
            for state in dataset.sources
        ],
        [source.repeat for source in data.source],
    )
    seen = _Seen(_pools(data) if data.near_duplicates == "drop" else [])
    for number in range(len(dataset.sources)):
        _look(dataset, number, selection.reports[number], seen, progress, cancelled)
    selection.complete = all(report.complete for report in selection.reports)
    if progress:
        progress(1.0)
    if selection.complete and len(seen):
        _decide(seen, data, selection)
    return selection


def in_drawn_order(origins: Origins, seed: int) -> Iterator[Origin]:
    """Rows in the order that the seed gives them: it depends on source and row number, on no other row."""
    import numpy as np

    sources = np.frombuffer(origins.sources, np.uint16).astype(np.uint64)
    keys = (sources << np.uint64(48)) | np.frombuffer(origins.rows, np.int64).astype(np.uint64)
    for i in np.argsort(drawn(keys, seed), kind="stable").tolist():
        yield origins[i]


class _Seen:
    """The examples of all sources, as little as later decisions need of each."""

    def __init__(self, near_pools: list[int]) -> None:
        """`near_pools`: the pool of each source, in which near duplicates are looked for; empty for none."""
        self.origins = Origins()
        self.contents = bytearray()  # 16 of each: what it says
        self.groups = bytearray()  # 8 of each: what stays together in the split
        self.tags = array("L")
        self.tagged: dict[Pairs, int] = {}
        self.near = {pool: NearDuplicates() for pool in near_pools}
        self._near_pools = near_pools

    def __len__(self) -> int:
        return len(self.tags)

    def add(self, example: Example) -> None:
        origin = example.origin
        self.origins.append(origin.source, origin.row)
        content = digest_bytes(example)
        self.contents += content
        self.groups += group_bytes(example, content)[:8]
        self.tags.append(self.tagged.setdefault(example.tags, len(self.tagged)))
        if self.near:
            self.near[self._near_pools[origin.source]].add(example)


class NearDuplicates:
    """Finds examples that say nearly what an earlier one says, in batches."""

    def __init__(self) -> None:
        from workbench.data.likeness.near import Sketcher
        from workbench.data.likeness.near_index import NearIndex

        self._sketcher, self._index = Sketcher(), NearIndex()
        self._waiting: list[tuple[str, str]] = []
        self._alike = array("b")

    def add(self, example: Example) -> None:
        """Take the next example."""
        self._waiting.append((said(example), answered(example)))
        if len(self._waiting) == _BATCH:
            self._look()

    def alike(self) -> "NDArray[np.bool_]":
        """For each example whether an earlier one is nearly the same."""
        import numpy as np

        self._look()
        alike: NDArray[np.bool_] = np.frombuffer(self._alike, np.int8) != 0
        return alike

    def _look(self) -> None:
        first = len(self._alike)
        keys = range(first, first + len(self._waiting))
        texts, answers = [text for text, _ in self._waiting], [answer for _, answer in self._waiting]
        earlier = self._index.first_similar(keys, self._sketcher.sketch_many(texts, answers))
        self._alike.extend(each is not None for each in earlier)
        self._waiting.clear()


def _look(
    dataset: Dataset,
    number: int,
    report: SourceReport,
    seen: _Seen,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> None:
    state = dataset.sources[number]
    if state.rows is None:
        return
    report.complete = False
    try:
        state.rows.build(cancelled=cancelled)
        if not state.complete:
            return
        total = len(state.rows)
        for i, (outcome, rules) in enumerate(dataset.examined(number)):
            if i % _REPORT_EVERY == 0:
                if cancelled and cancelled():
                    return
                if progress:
                    progress((number + i / total) / len(dataset.sources))
            report.count(outcome)
            if rules:
                report.cleaned.update(rules)
            if isinstance(outcome, Example):
                seen.add(outcome)
        report.complete = True
    except WorkbenchError as error:  # the file went away meanwhile
        report.error, report.complete = str(error), False


def _decide(seen: _Seen, data: DataSettings, selection: Selection) -> None:
    """Duplicates go first, then what `take` leaves over, then the split."""
    import numpy as np

    sources = np.frombuffer(seen.origins.sources, np.uint16).astype(np.int64)
    rows = np.frombuffer(seen.origins.rows, np.int64)
    low, high = np.ascontiguousarray(np.frombuffer(seen.contents, "<u8").reshape(-1, 2).T)
    kind = np.array([_KINDS.index(source.split) for source in data.source])
    pools = np.array(_pools(data))[sources]
    again = _again(low, high, pools)
    used = np.ones(len(low), bool)
    if data.duplicates == "drop":
        used &= ~again
    for pool, near in seen.near.items():
        used[pools == pool] &= ~near.alike()
    for row, source in zip(rows[again].tolist(), sources[again].tolist(), strict=True):
        selection.duplicates.append(source, row)
    for number, (source, report) in enumerate(zip(data.source, selection.reports, strict=True)):
        own = sources == number
        report.duplicate.extend(rows[own & ~used].tolist())
        if source.take:
            left = _beyond(low, own & used, source.take, data.seed + number)
            report.not_taken = int(left.sum())
            used &= ~left
    sides = _sides(seen, kind[sources], used, data)
    for index, side in enumerate(SIDES):
        chosen = used & (sides == index)
        selection.sides[side].sources.frombytes(sources[chosen].astype(np.uint16).tobytes())
        selection.sides[side].rows.frombytes(rows[chosen].tobytes())
        counts = np.bincount(sources[chosen], minlength=len(data.source)).tolist()
        for report, repeat, count in zip(selection.reports, selection.repeats, counts, strict=True):
            setattr(report, side, count * (repeat if side == "train" else 1))
        _count_tags(selection, side, seen, chosen)
    held, trained = (np.flatnonzero(used & (sides > 0)), np.flatnonzero(used & (sides == 0)))
    for one, other in _equal(low, high, held, trained):
        selection.leaked.append((seen.origins[one], seen.origins[other]))
    groups, same = np.frombuffer(seen.groups, "<u8"), {held for held, _ in selection.leaked}
    for one, other in _equal(groups, groups, held, trained):
        if (origin := seen.origins[one]) not in same:
            selection.straddling.append((origin, seen.origins[other]))


def _pools(data: DataSettings) -> list[int]:
    """For each source among which rows a duplicate is one: what is divided and what is trained on are one
    pool, and likeness between pools is a leak."""
    return [max(1, _KINDS.index(source.split)) for source in data.source]


def _equal(
    low: "Keys", high: "Keys", ones: "NDArray[np.int64]", others: "NDArray[np.int64]"
) -> Iterator[tuple[int, int]]:
    """Each of `ones` that has an equal among `others`, with the first of these."""
    near = others[_among(low[others], low[ones])]
    first: dict[tuple[int, int], int] = {}
    for other in near.tolist():
        first.setdefault((int(low[other]), int(high[other])), other)
    for one in ones[_among(low[ones], low[near])].tolist():
        if (other := first.get((int(low[one]), int(high[one])))) is not None:
            yield one, other


def _among(values: "Keys", some: "Keys") -> "NDArray[np.bool_]":
    """Which values are among `some`. `np.isin` makes both unique: ten times as long where `some` are few."""
    import numpy as np

    if not len(some):
        return np.zeros(len(values), bool)
    ordered = np.sort(some)
    places = np.searchsorted(ordered, values)
    found: NDArray[np.bool_] = ordered[np.minimum(places, len(ordered) - 1)] == values
    return found


def _again(low: "Keys", high: "Keys", pools: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Examples that equal an earlier one of their pool."""
    import numpy as np

    order = np.lexsort((np.arange(len(low)), high, low, pools))
    same = np.zeros(len(low), bool)
    same[1:] = (
        (low[order][1:] == low[order][:-1])
        & (high[order][1:] == high[order][:-1])
        & (pools[order][1:] == pools[order][:-1])
    )
    again = np.empty(len(low), bool)
    again[order] = same
    return again


def _beyond(low: "Keys", among: "NDArray[np.bool_]", take: int, seed: int) -> "NDArray[np.bool_]":
    """All of `among` but the `take` lowest draws."""
    import numpy as np

    places = np.flatnonzero(among)
    left = np.zeros(len(low), bool)
    left[places[np.argsort(drawn(low[places], seed), kind="stable")[take:]]] = True
    return left


def _sides(
    seen: _Seen, kind: "NDArray[np.int64]", used: "NDArray[np.bool_]", data: DataSettings
) -> "NDArray[np.int64]":
    """The index in SIDES of every example. A source of their own for validation leaves nothing to divide."""
    import numpy as np

    sides = np.maximum(kind - 1, 0)
    if any(source.split == "validation" for source in data.source):
        return sides
    groups = np.frombuffer(seen.groups, np.uint64)
    # What a source for training alone says as well cannot be held out, nor can what is of one group with it
    divided = (kind == 0) & used
    bound = _among(groups, groups[(kind == 1) & used])
    places = np.flatnonzero(divided & ~bound)
    draws = drawn(groups[places], data.seed)
    sides[places[held_out(draws, data.validation, others=bool((divided & bound).any()))]] = 1
    return sides


def _count_tags(selection: Selection, side: Side, seen: _Seen, chosen: "NDArray[np.bool_]") -> None:
    import numpy as np

    counts = np.bincount(np.array(seen.tags, np.int64)[chosen], minlength=len(seen.tagged)).tolist()
    names = sorted({name for tags in seen.tagged for name, _ in tags})
    for name in names:
        counter = selection.tags.setdefault(name, {each: Counter() for each in SIDES})[side]
        for tags, count in zip(seen.tagged, counts, strict=True):
            if count:
                counter[dict(tags).get(name, "")] += count
