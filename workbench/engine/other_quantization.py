"""What it changes to hold a base model in another quantization than the run was trained on."""

from dataclasses import replace
from pathlib import Path

from workbench.chat.protocol import Target
from workbench.engine.chat_model import load_model
from workbench.engine.generate import Session
from workbench.engine.proof import Comparison, rows_of
from workbench.engine.room import require_room
from workbench.errors import WorkbenchError
from workbench.runs.folder import Run, read_spec

ROWS = 8
"""Enough to tell a harmless change from a ruinous one, few enough to wait for."""


def difference(target: Target, folder: Path, session: Session) -> str:
    """What a person should know of a target whose `trained_quantization` is another: the same rows of its run
    scored both ways. Both models are in memory for that time; where they cannot be, it says so.

    Args:
        target: as it is held.
        folder: of its base model's weights.
        session: the target in memory.
    """
    assert target.weights is not None and target.trained_quantization is not None
    was, now = target.trained_quantization, target.quantization
    other = f"{target.label} was trained with model.quantization = {was} and is held with {now}"
    trained = replace(target, quantization=was, trained_quantization=None)
    try:
        rows, side = rows_of(read_spec(Run(target.weights.parent.parent)).open_project(), ROWS)
        require_room(trained, folder)
        comparison = Comparison(session.encoder, rows, load_model(trained, folder))
    except WorkbenchError as error:
        return f"{other}; what that changes was not measured: {error}"
    if session.voice.rows is not None:
        session.voice.rows.use([session.voice.adapter])
    here = comparison.figures("", session.model)
    return (
        f"{other}: perplexity {here.perplexity:.4g} instead of {comparison.perplexity:.4g}, the same "
        f" likeliest token in {here.agreement:.1%} of {comparison.tokens} places "
        f"({comparison.rows} {side} rows)"
    )
