"""One row exactly as it trains or is asked: the calls that trainer, evaluation and chat make, to be shown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.data.dataset import Dataset, open_dataset
from workbench.data.example import Example, Message, Rejected
from workbench.errors import fault
from workbench.project.schema import FewShot
from workbench.project.store import OpenProject
from workbench.prompts.encoding.encode import Encoder, make_encoder
from workbench.prompts.encoding.encoded import Encoded
from workbench.prompts.encoding.writer import is_asked
from workbench.prompts.shots.few_shot import Deck, Shots
from workbench.prompts.shots.few_shot_prompt import scoring_encoder, with_shots
from workbench.prompts.shots.few_shot_store import open_deck
from workbench.prompts.special_tokens import consequences
from workbench.prompts.variants import Made, make_all

_LOOKED_AT = 1000
"""Rows that are tried for one that can be shown."""


@dataclass(frozen=True, slots=True)
class View:
    """One example as one encoder writes it.

    Attributes:
        encoded: text, ids, mask; None when the row is left out.
        tokens: the shown form of each id.
        stops: ids that end an answer.
        why: why the row is left out.
        asked: the row has no answer: this is the prompt that asks for it, and nothing in it is trained.
        shots: examples before the question.
        messages: what the template gets; empty when the row cannot be read.
    """

    encoded: Encoded | None = None
    tokens: Sequence[str] = ()
    stops: frozenset[int] = frozenset()
    why: str = ""
    asked: bool = False
    shots: Shots | None = None
    messages: tuple[Message, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """All that a careful reader would point out."""
        if self.encoded is None:
            return [self.why]
        return [*self.encoded.warnings, *on_cuts(self.encoded)]


def on_cuts(encoded: Encoded) -> Iterator[str]:
    """What the limits of `[data]` take away from an example."""
    prompt, end = encoded.prompt_cut, encoded.truncated - encoded.prompt_cut
    if prompt:
        yield f"the prompt loses its last {prompt} tokens, those included that ask for the answer"
    if end:
        yield f"{end} tokens are cut off the end"


def view(encoder: Encoder, outcome: Example | Rejected) -> View:
    """What an encoder makes of a row: as it trains, or without an answer the prompt that asks for one."""
    if isinstance(outcome, Rejected):
        return View(why=said_of(outcome))
    messages = encoder.composed(outcome.messages, outcome.blocks)
    encoded = encoder.encode(outcome)
    if isinstance(encoded, Rejected):
        return View(why=said_of(encoded), messages=messages)
    tokens = [encoder.tokenizer.token(i) for i in encoded.ids]
    stops, asked = frozenset(encoder.stop_ids), is_asked(outcome.messages)
    return View(encoded, tokens, stops, asked=asked, messages=messages)


def few_shot_view(encoder: Encoder, example: Example, deck: Deck) -> View:
    """A row as it is scored: examples before its question, its last answer alone in the mask.

    Raises WorkbenchError as `Deck.draw` and `with_shots`.
    """
    shots = deck.draw(example)
    written = with_shots(example, shots, deck.settings, encoder.blocks)
    return replace(view(scoring_encoder(encoder), written), shots=shots)


def preview(
    project: OpenProject, row: int | None, source: int = 0, few_shot: FewShot | None = None
) -> dict[str, Any]:
    """One row of a source, both counted from 0, as plain values; without `row` the first that can be used.

    ``source``, ``row``, ``skipped`` (why it is not row 0, where none was asked for), ``template`` (its name),
    ``messages`` (what the template gets), ``special_tokens`` (what adding them changes, in words), and those
    of `as_shown`; with `few_shot` its prompt with examples, and ``shots``.

    Raises WorkbenchError: no such row or source, a row that is rejected (with the reason), and all that
    opening the project's data, tokenizer and template, and drawing the examples raises.
    """
    dataset = open_dataset(project)
    try:
        encoder = make_encoder(project)
        row, skipped = _chosen(dataset, source, row, lambda outcome: view(encoder, outcome).why)
        example = dataset.example(source, row)
        path = dataset.sources[source].path
        if few_shot is None or isinstance(example, Rejected):
            made = view(encoder, example)
        else:
            made = few_shot_view(encoder, example, open_deck(project, dataset, few_shot))
    finally:
        dataset.close()
    if made.encoded is None:
        raise fault(f"the row is left out: {made.why}", f"{path} row {row}")
    settings = project.settings
    return {
        "source": source,
        "row": row,
        "skipped": skipped,
        "template": encoder.template.name,
        "messages": [{"role": message.role, "content": message.for_template} for message in made.messages],
        "special_tokens": consequences(
            encoder.tokenizer, settings.prompt.special_tokens, settings.training.method
        ),
    } | as_shown(made)


def preview_variants(project: OpenProject, row: int | None, source: int = 0) -> dict[str, Any]:
    """One row as the project and each of its variants write it, as plain values; the row as for `preview`.

    ``source``, ``row``, ``skipped``, and ``variants``: each with ``name``, ``template``, ``own``, ``error``
    (empty when it is written), and else the values of `as_shown`.

    Raises WorkbenchError: no such row or source, or a row that no variant could write.
    """
    ways = make_all(project)
    dataset = open_dataset(project)
    try:
        row, skipped = _chosen(dataset, source, row, lambda outcome: _why_by_none(ways, outcome))
        outcome = dataset.example(source, row)
        path = dataset.sources[source].path
    finally:
        dataset.close()
    if isinstance(outcome, Rejected):
        raise fault(f"the row is left out: {said_of(outcome)}", f"{path} row {row}")
    written = [(made, view_of(made, outcome)) for made in ways]
    return {
        "source": source,
        "row": row,
        "skipped": skipped,
        "variants": [
            {
                "name": made.variant.name,
                "template": made.variant.template,
                "own": made.variant.own,
                "error": shown.why,
            }
            | (as_shown(shown) if shown.encoded else {})
            for made, shown in written
        ],
    }


def _chosen(
    dataset: Dataset, source: int, row: int | None, why_not: Callable[[Example | Rejected], str]
) -> tuple[int, str]:
    """The row asked for, else the first of the first rows that can be used, and why row 0 cannot."""
    if row is not None:
        return row, ""
    skipped = why_not(dataset.example(source, 0))
    if skipped:
        for i in range(1, min(_LOOKED_AT, dataset.sources[source].known_rows)):
            if not why_not(dataset.example(source, i)):
                return i, skipped
    return 0, ""


def _why_by_none(ways: Sequence[Made], outcome: Example | Rejected) -> str:
    """Why a row cannot be written by any variant; empty where one can."""
    reasons = [view_of(made, outcome).why for made in ways]
    return reasons[0] if all(reasons) else ""


def view_of(made: Made, outcome: Example | Rejected) -> View:
    """What a variant makes of a row; of a broken variant its error."""
    return view(made.encoder, outcome) if made.encoder else View(why=made.error)


def said_of(rejected: Rejected) -> str:
    """Why a row is left out, in one line."""
    return f"{rejected.reason} ({rejected.detail})" if rejected.detail else rejected.reason


def as_shown(made: View) -> dict[str, Any]:
    """A view that is written, as plain values.

    ``text``; ``ids``, ``tokens`` (the shown form of each id), ``mask`` and ``spans``, all of length T;
    ``supervised`` (trained tokens), ``truncated`` (tokens cut off), ``prompt_cut`` (of those, the ones at the
    end of the prompt), ``stop_trained``, ``asked`` (it has no answer), ``warnings``; ``shots`` where there
    are examples: ``source``, ``row``, ``tags``, ``replaced``.
    """
    encoded = made.encoded
    assert encoded is not None
    shots = made.shots
    return {
        "text": encoded.text,
        "ids": encoded.ids,
        "tokens": list(made.tokens),
        "mask": encoded.mask,
        "spans": [list(span) for span in encoded.spans],
        "supervised": sum(encoded.mask),
        "truncated": encoded.truncated,
        "prompt_cut": encoded.prompt_cut,
        "stop_trained": encoded.stop_trained,
        "asked": made.asked,
        "warnings": made.warnings,
    } | ({"shots": shown_shots(shots)} if shots else {})


def shown_shots(shots: Shots) -> list[dict[str, Any]]:
    """Where examples come from, as plain values: ``source``, ``row``, ``tags``."""
    return [
        {"source": shot.origin.source, "row": shot.origin.row, "tags": dict(shot.tags)}
        for shot in shots.examples
    ]
