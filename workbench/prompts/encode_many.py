"""Many examples at once: the same ids and masks as `Encoder.encode`, at a fraction of the time.

Conversations whose shape is known are written without running the template, a batch is tokenised on all
cores, and masks are computed for the batch as a whole from the widths of its tokens. Whatever is not plain
sailing goes through `Encoder.encode`: an example of an unknown shape, one that is too long or has nothing to
train, one that something is to be remarked of.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from workbench.data.example import Example, Rejected
from workbench.errors import WorkbenchError
from workbench.prompts import remarks
from workbench.prompts.encode import Encoder, too_long
from workbench.prompts.encoded import Encoded, Supervised
from workbench.prompts.places import Places
from workbench.prompts.shapes import Shape
from workbench.prompts.writer import is_asked

BATCH = 512


def encode_many(encoder: Encoder, examples: Iterable[Example]) -> Iterator[Encoded | Rejected]:
    """`encoder.encode` of each, in order."""
    return map(encoder.encode, examples)


def encode_supervised(encoder: Encoder, examples: Iterable[Example]) -> Iterator[Supervised | Rejected]:
    """What training needs of `encoder.encode` of each example, in order; examples are read `BATCH` ahead."""
    source = iter(examples)
    while chunk := list(islice(source, BATCH)):
        batch = _Batch(encoder, chunk)
        yield from batch.outcomes(batch.tokenise())


def supervised(example: Example, result: Encoded | Rejected) -> Supervised | Rejected:
    """What training needs of an encoded example."""
    if isinstance(result, Rejected):
        return result
    return Supervised(
        example.origin,
        array("i", result.ids),
        bytes(result.mask),
        result.stop_trained,
        result.truncated,
        result.warnings,
    )


class _Batch:
    """Some examples on their way: those of a known shape as text, the others left for `encode`."""

    def __init__(self, encoder: Encoder, examples: Sequence[Example]) -> None:
        self._encoder = encoder
        self._examples = examples
        self._quick: list[_Quick] = []
        if encoder.tokenizer.widths is not None and encoder.train_on != "all":
            self._quick = [quick for example in examples if (quick := self._written(example))]

    def tokenise(self) -> "list[array[int]]":
        """The ids of each text."""
        try:
            return self._encoder.tokenizer.encode_batch([quick.text for quick in self._quick])
        except WorkbenchError:  # one of them is no valid text: `encode` will say which
            self._quick = []
            return []

    def outcomes(self, ids: "list[array[int]]") -> Iterator[Supervised | Rejected]:
        """What became of each example, in order."""
        done = dict(self._masked(ids)) if ids else {}
        for example in self._examples:
            outcome = done.get(id(example))
            yield supervised(example, self._encoder.encode(example)) if outcome is None else outcome

    def _written(self, example: Example) -> "_Quick | None":
        encoder = self._encoder
        if example.plain:
            return None
        messages = encoder.composed(example.messages, example.blocks)
        if is_asked(messages) or (found := encoder.shapes.find(messages)) is None:
            return None
        shape, texts = found
        if not shape.whole or any(map(encoder.tokenizer.specials_pattern.search, texts)):
            return None
        try:
            return _Quick(example, shape, *shape.measured(texts))
        except UnicodeEncodeError:
            return None

    def _masked(self, rows: "list[array[int]]") -> Iterator[tuple[int, Supervised | Rejected]]:
        """Identity of each example that goes well, and what became of it."""
        import numpy as np

        encoder, quick = self._encoder, self._quick
        limit = encoder.max_tokens
        places = Places(encoder.tokenizer, rows, [q.text for q in quick], [q.size for q in quick])
        counted = np.array([len(q.edges) for q in quick])
        edges = np.array([edge for q in quick for edge in q.edges], np.int64).reshape(-1, 4)
        found = places.mask(np.repeat(np.arange(len(quick)), counted), edges)
        mask, first = found.mask.tobytes(), places.first.tolist()
        goes, stops = (places.fits & found.trains).tolist(), found.stops.tolist()
        inside = found.inside.tolist()
        for n, (row, one) in enumerate(zip(rows, quick, strict=True)):
            if not goes[n]:
                continue
            if len(row) > limit:
                if encoder.overlong != "truncate":
                    yield id(one.example), too_long(one.example, len(row), limit)
                continue
            said = [*encoder.pairing, *remarks.on_lead(one.shape.answers), *one.shape.remarks]
            said += remarks.on_ids(row, encoder.tokenizer)
            if inside[n] >= 0:
                said.append(remarks.on_inside(inside[n], encoder.tokenizer))
            if not stops[n]:
                said.append(remarks.on_stop(encoder.end_mark, truncated=False))
            part = mask[first[n] : first[n + 1]]
            yield id(one.example), Supervised(one.example.origin, row, part, stops[n], 0, tuple(said))


@dataclass(frozen=True, slots=True)
class _Quick:
    """An example of a known shape: its text, the text's bytes, and the edges of its answers in bytes."""

    example: Example
    shape: Shape
    text: str
    size: int
    edges: list[tuple[int, int, int, int]]
