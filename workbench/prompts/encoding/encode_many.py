"""Many examples at once: the same ids and masks as `Encoder.encode`, at a fraction of the time.

A batch goes through these steps, each for the batch as a whole where that is possible:

1. `Shapes.find` tells what stands around the texts of a conversation; no template is run. What of that is
   tokenised alike whatever the texts are is written as seals (`pieces`), the texts between them.
2. `Tokenizer.encode_batch` looks the pieces of all texts up.
3. `Places` finds the trained tokens from the widths of the tokens and the edges of the answers in bytes.
4. What is remarkable is told for the batch as numbers; `remarks` words it once for rows that are alike.

Whatever is not plain sailing goes through `Encoder.encode`: an example of an unknown shape, one whose
answer is cut, one that has nothing to train, one whose text is no valid text or holds special tokens.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from workbench.data.example import Example, Rejected
from workbench.prompts.encoding import remarks
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.encoded import Encoded, Supervised
from workbench.prompts.encoding.pieces import BLANK
from workbench.prompts.encoding.places import Places
from workbench.prompts.encoding.shapes import Shape
from workbench.prompts.encoding.writer import is_asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 512


def encode_supervised(encoder: Encoder, examples: Iterable[Example]) -> Iterator[Supervised | Rejected]:
    """What training needs of `encoder.encode` of each example, in order; examples are read `BATCH` ahead."""
    source = iter(examples)
    batches = _Batches(encoder)
    while chunk := list(islice(source, BATCH)):
        for example, outcome in zip(chunk, batches.encode(chunk), strict=True):
            yield supervised(example, encoder.encode(example)) if outcome is None else outcome


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
        result.prompt_cut,
        result.warnings,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Form:
    """A shape as one encoder writes it; its conversations have P texts at places and A answers.

    Attributes:
        places: [P] which text of the conversation stands at a place.
        pattern: what stands around the texts, for the operator ``%``.
        edges: [A, 4] the edges of the answers in bytes, the texts left out; -1 for none.
        before: [A, 4] how many texts stand before an edge.
        size: bytes of all that stands around the texts.
        blank: the conversation begins with a blank.
        said: what is to be remarked of every such conversation.
    """

    places: tuple[int, ...]
    pattern: str
    edges: "NDArray[np.int64]"
    before: "NDArray[np.int64]"
    size: int
    blank: bool
    said: tuple[str, ...]


@dataclass(slots=True, eq=False)
class _Quick:
    """An example of a known shape, its number in the batch, and its texts in the order of their places."""

    number: int
    example: Example
    form: _Form
    texts: tuple[str, ...]


class _Batches:
    """Encodes the plain sailing ones of a batch."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._able = encoder.tokenizer.widths is not None and encoder.train_on != "all"
        self._initials = {text[0] for text in encoder.tokenizer.special_texts}
        self._forms: dict[Shape, _Form | None] = {}
        self._said: dict[tuple[_Form, int, int, bool], tuple[str, ...]] = {}

    def encode(self, examples: Sequence[Example]) -> list[Supervised | Rejected | None]:
        """What became of each example, None where only `Encoder.encode` can tell."""
        outcomes: list[Supervised | Rejected | None] = [None] * len(examples)
        if self._able and (rows := self._plain_sailing(examples)):
            for row, outcome in zip(rows, self._outcomes(rows), strict=True):
                outcomes[row.number] = outcome
        return outcomes

    def _plain_sailing(self, examples: Sequence[Example]) -> list[_Quick]:
        """The examples of known shape whose texts hold nothing odd."""
        encoder, forms, find = self._encoder, self._forms, self._encoder.shapes.find
        rows: list[_Quick] = []
        for number, example in enumerate(examples):
            messages = encoder.composed(example.messages, example.blocks)
            if example.plain or is_asked(messages) or (found := find(messages)) is None:
                continue
            shape, texts = found
            form = forms[shape] if shape in forms else forms.setdefault(shape, self._form(shape))
            if form is not None:
                rows.append(_Quick(number, example, form, tuple([texts[place] for place in form.places])))
        if self._is_odd("\n".join([text for row in rows for text in row.texts])):
            return [row for row in rows if not any(map(self._is_odd, row.texts))]
        return rows

    def _is_odd(self, text: str) -> bool:
        """The text holds a special token or `BLANK`, or is no valid text."""
        special = self._encoder.tokenizer.specials_pattern
        if any(map(text.__contains__, self._initials)) and special.search(text):
            return True
        try:
            return not text.isascii() and BLANK.encode() in text.encode()
        except UnicodeEncodeError:
            return True

    def _form(self, shape: Shape) -> _Form | None:
        """How a shape is written; None when a text would be lost."""
        if not shape.whole:
            return None
        pieces = self._encoder.tokenizer.pieces
        around = pieces.seal(shape.fixed) if pieces else shape.fixed
        return _Form(
            places=shape.places,
            pattern="%s".join(part.replace("%", "%%") for part in around),
            edges=np.array([(*edges, -1, -1)[:4] for edges in shape.byte_edges], np.int64).reshape(-1, 4),
            before=np.array([(*edges, 0, 0)[:4] for edges in shape.edges], np.int64).reshape(-1, 4),
            size=shape.size,
            blank=shape.fixed[0].startswith(" "),
            said=(*self._encoder.pairing, *remarks.on_lead(shape.answers), *shape.remarks),
        )

    def _outcomes(self, rows: Sequence[_Quick]) -> Iterator[Supervised | Rejected | None]:
        encoder, tokenizer = self._encoder, self._encoder.tokenizer
        limits, most, parts = encoder.limits, encoder.limits.max_tokens, encoder.limits.parts
        encoded = tokenizer.encode_batch([row.form.pattern % row.texts for row in rows])
        sizes, answered, edges = _measured(rows)
        places = Places(tokenizer, encoded, [row.form.blank for row in rows], sizes)
        found = places.mask(answered, edges)
        mask, bounds = found.mask.tobytes(), encoded.first.tolist()
        for row, ids, start, end, goes, ends, stops, inside in zip(
            rows,
            encoded,
            bounds,
            bounds[1:],
            (places.fits & found.trains).tolist(),
            remarks.odd_ends(encoded, tokenizer).tolist(),
            found.stops.tolist(),
            found.inside.tolist(),
            strict=False,
        ):
            if not goes:
                yield None
                continue
            length, origin, cut, trains = end - start, row.example.origin, 0, mask[start:end]
            if (length > most or parts) and (over := limits.over(length, answer := trains.index(1))):
                if not limits.cuts:
                    yield Rejected(origin, *limits.said(over))
                    continue
                kept = limits.kept(length, answer)
                if kept.end < length:
                    yield None
                    continue
                cut = kept.answer - kept.prompt
            key = (row.form, ends, inside, stops)
            if (said := self._said.get(key)) is None:
                said = self._said[key] = (*row.form.said, *self._remarks(ids, inside, stops))
            if cut:
                ids, trains = ids[: kept.prompt] + ids[answer:], trains[: kept.prompt] + trains[answer:]
            yield Supervised(origin, ids, trains, stops, cut, cut, said)

    def _remarks(self, ids: "array[int]", inside: int, stops: bool) -> Iterator[str]:
        """What is to be remarked of this conversation, in the order of `Encoder.encode`."""
        yield from remarks.on_ids(ids, self._encoder.tokenizer)
        if inside >= 0:
            yield remarks.on_inside(inside, self._encoder.tokenizer)
        if not stops:
            yield remarks.on_stop(self._encoder.end_mark, truncated=False)


def _measured(
    rows: Sequence[_Quick],
) -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]":
    """Of N conversations with A answers in bytes of UTF-8: sizes [N]; row [A] and edges [A, 4] of answers."""
    texts = chain.from_iterable(row.texts for row in rows)
    widths = np.array([len(text) if text.isascii() else len(text.encode()) for text in texts], np.int64)
    ends = np.concatenate(([0], np.cumsum(widths)))
    last = np.cumsum([len(row.texts) for row in rows])
    first = np.concatenate(([0], last[:-1]))
    sizes = ends[last] - ends[first] + np.array([row.form.size for row in rows])
    answered = np.repeat(np.arange(len(rows)), [len(row.form.edges) for row in rows])
    before = np.concatenate([row.form.before for row in rows])
    own = first[answered][:, None]
    edges = np.concatenate([row.form.edges for row in rows]) + ends[own + before] - ends[own]
    return sizes, answered, edges
