"""A run in words and curves: what the train pane shows of it."""

from typing import Any

from rich.text import Text

from workbench.runs.status import State
from workbench.ui.feed import RunFeed
from workbench.ui.text import shown

SIGNS = {
    State.NEW: "○",
    State.QUEUED: "◌",
    State.RUNNING: "●",
    State.PAUSED: "‖",
    State.FINISHED: "✓",
    State.STOPPED: "■",
    State.FAILED: "✗",
    State.KILLED: "☠",
    State.IMPORTED: "⇣",
}

METRICS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("loss", (("training", "loss", "primary"), ("validation", "validation_loss", "warning"))),
    (
        "accuracy",
        (("tokens", "token_accuracy", "primary"), ("whole answers", "sequence_accuracy", "warning")),
    ),
    ("learning rate", (("learning rate", "learning_rate", "primary"),)),
    ("gradient norm", (("gradient norm", "grad_norm", "primary"),)),
    (
        "speed, tokens/s",
        (("all", "tokens_per_second", "primary"), ("supervised", "supervised_tokens_per_second", "warning")),
    ),
)
"""What one chart shows: a title, and for each curve its label, its metric and its colour."""


def figures(feed: RunFeed) -> Text:
    """The run in two lines, where it stands and how fast it is; then end, verdict, last remark."""
    status, step = feed.status, feed.step
    line = Text.assemble((f"{SIGNS[status.state]} {status.state.value}", "bold"))
    if status.state is State.RUNNING and not step:
        line.append_text(shown(f"  {status.phase or 'starting'}…"))
    if step:
        line.append(
            f"  step {step.get('step', '?')}/{status.total_steps or '?'}"
            f"  epoch {_number(step, 'epoch', '.2f')}"
        )
        line.append(f"  loss {_number(step, 'loss', '.4f')}")
        if feed.evaluated:
            line.append(f"  validation loss {_number(feed.evaluated, 'validation_loss', '.4f')}")
        line.append(f"\nlr {_number(step, 'learning_rate', '.1e')}")
        line.append(f"  tokens right {_number(step, 'token_accuracy', '.0%')}")
        line.append(f"  answers right {_number(step, 'sequence_accuracy', '.0%')}")
        line.append(f"  {_number(step, 'tokens_per_second', ',.0f')} tok/s")
        line.append(f" ({_number(step, 'supervised_tokens_per_second', ',.0f')} trained)")
        if status.state is State.RUNNING and status.eta_seconds is not None:
            line.append(f"  ETA\u00a0{clock(status.eta_seconds)}", style="bold")
    if status.reason:
        line.append_text(shown(f"\n{status.reason}", "bold"))
    if feed.verdict is not None:
        line.append_text(shown(f"\n⇒ {feed.verdict.short}"))
    if feed.remarks:
        line.append_text(shown(f"\n! {feed.remarks[-1]}"))
    return line


def _number(event: dict[str, Any], name: str, form: str) -> str:
    """A metric of an event; a dash where the step did not measure it."""
    value = event.get(name)
    return format(value, form) if isinstance(value, int | float) else "–"


def figure(value: float | None) -> str:
    """A loss for a table."""
    return "" if value is None else f"{value:.4f}"


def clock(seconds: float) -> str:
    """Seconds as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
