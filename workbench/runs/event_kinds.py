"""What events say: the fields of each kind beside `v` (the format, 1), `time` (unix seconds) and `kind`."""

from typing import NotRequired, TypedDict, get_args, get_type_hints


class Preparing(TypedDict):
    """A phase before the first step; `done` of `total` are 0 where nothing is counted."""

    phase: str
    done: int
    total: int


class Started(TypedDict):
    """Steps begin. With `resumed_from`, what earlier attempts logged after that step no longer counts.

    `validation_fingerprint` is the SHA-256 of the ids and masks of the validation rows; of old runs there is
    none.
    """

    attempt: int
    resumed_from: int | None
    total_steps: int
    epochs: float
    train_rows: int
    validation_rows: int
    trainable_parameters: int
    parameters: int
    device: str
    precision: str
    packing: str
    effective_batch: int
    world_size: int
    validation_fingerprint: NotRequired[str]


class Step(TypedDict):
    """One point of the training curve.

    `loss` is in nats per trained token, the accuracies are shares, over the examples since the last point.
    Everything `elapsed_`, and `seconds`, is counted from the start of the run over all its attempts.
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    token_accuracy: float
    sequence_accuracy: float
    elapsed_tokens: int
    elapsed_supervised_tokens: int
    elapsed_examples: int
    tokens_per_second: float
    supervised_tokens_per_second: float
    seconds: float


class Evaluated(TypedDict):
    """One pass over the validation rows, which took `seconds`."""

    step: int
    epoch: float
    validation_loss: float
    token_accuracy: float
    sequence_accuracy: float
    seconds: float


class CheckpointWritten(TypedDict):
    """A complete checkpoint; `path` is relative to the run folder."""

    step: int
    path: str
    bytes: int
    seconds: float
    best: bool


class Command(TypedDict):
    """The run took up a command; `reason` says why it does not carry it out, or where it came from."""

    name: str
    acknowledged: bool
    reason: str


class Warned(TypedDict):
    """Something went wrong and the run goes on."""

    message: str


class Ended(TypedDict):
    """The end of an attempt; `state` is finished, stopped or failed, or imported for a run of elsewhere."""

    state: str
    step: int | None
    reason: str
    seconds: NotRequired[float]


KINDS: dict[str, type] = {
    "preparing": Preparing,
    "started": Started,
    "step": Step,
    "evaluated": Evaluated,
    "checkpoint": CheckpointWritten,
    "command": Command,
    "warning": Warned,
    "ended": Ended,
}


def _float_fields() -> frozenset[str]:
    hints = ((name, hint) for kind in KINDS.values() for name, hint in get_type_hints(kind).items())
    return frozenset(name for name, hint in hints if hint is float or float in get_args(hint))


STEPPED = frozenset(name for name, kind in KINDS.items() if get_type_hints(kind).get("step") is int)
"""Kinds of which every event belongs to a step."""

FLOATS = _float_fields()
"""Only these come back from text as floats: a message may well read "nan"."""
