"""Texts that a labeller looks at, and the lines that say what it found."""

from collections.abc import Sequence
from typing import Literal

from workbench.engine.evaluation.classifier import Labeller
from workbench.evaluation.records import Answer, Label, ScoredRow
from workbench.evaluation.rows import true_label

Text = tuple[Label, str]
"""A label that is yet to be found, and the text that it is of."""


def texts_of(rows: Sequence[ScoredRow], answers: Sequence[Answer]) -> list[Text]:
    """The references of rows, and the answers that there are."""
    references = [(_unfound(row, "reference"), row.reference) for row in rows if row.reference is not None]
    written = [
        (_unfound(answer, "answer", answer.repeat), answer.text) for answer in answers if not answer.skipped
    ]
    return [*references, *written]


def labelled(texts: Sequence[Text], labeller: Labeller) -> list[Label]:
    """Their labels, in the same order."""
    found = labeller.label([text for _, text in texts])
    return [
        each.model_copy(update={"label": label, "score": score})
        for (each, _), (label, score) in zip(texts, found, strict=True)
    ]


def of_text(label: Label) -> tuple[str, int, int, int]:
    """Which text it is of."""
    return (label.of, label.repeat, *label.key)


def label_trouble(rows: Sequence[ScoredRow], tag: str, labeller: Labeller) -> str:
    """Why there is no accuracy, or which labels the labeller never gives: it is wrong there; else empty."""
    true = {true_label(row, tag) for row in rows} - {""}
    if not true:
        which = f"no row has the tag {tag}" if tag else "no tag is named"
        return f"answers are labelled, and held against nothing: {which} (evaluation.label)"
    unknown = sorted(true - labeller.labels)
    if not unknown:
        return ""
    known = ", ".join(sorted(labeller.labels))
    return f"the classifier does not know {', '.join(unknown)}: it says {known}"


def _unfound(record: ScoredRow | Answer, of: Literal["answer", "reference"], repeat: int = 0) -> Label:
    return Label(source=record.source, row=record.row, repeat=repeat, of=of, label="", score=0.0)
