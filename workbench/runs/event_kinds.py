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
    none. `effective_batch` counts the examples of a step over all `world_size` processes; `wrapper` is what
    makes them train one model, such as DistributedDataParallel, or `none`.
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
    wrapper: NotRequired[str]


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


class Sample(TypedDict):
    """A greedy answer of the model as it was after `step`, asked for while it trained.

    `row` is the row's number in its source, `prompt` what the model read, `tokens` the length of its answer;
    `stopped` says that the model ended it, not a limit.
    """

    step: int
    row: int
    prompt: str
    answer: str
    tokens: int
    stopped: bool


class Memory(TypedDict):
    """The most memory that the process has held so far, and what there is.

    `device` is `cuda:0`, with what torch has reserved of the card's memory, or `host`, with the resident set
    of the process and the RAM of the machine or of its container.
    """

    peak_bytes: int
    capacity_bytes: int
    device: str


class Oom(TypedDict):
    """A part of a micro-batch did not fit into memory, when `step` steps were done.

    `micro_batch` and `accumulation` are what ran out, `tokens` the size of the part, padding included; 0 when
    it was something else that did not fit, such as the optimizer's state.
    `answer` is `halved`: the step is done anew with half the micro-batch and twice the accumulation, and so
    is all that follows; or `none`: it was one example, or the model itself, and the run ends.
    `peak_bytes`, `capacity_bytes` and `device` are those of `Memory`.
    """

    step: int
    micro_batch: int
    accumulation: int
    tokens: int
    peak_bytes: int
    capacity_bytes: int
    device: str
    answer: str


class Queued(TypedDict):
    """The run was handed to a batch system, `slurm`, and waits there as the job of this number."""

    system: str
    job: int


class Paused(TypedDict):
    """The run waits behind `step`, with its memory kept."""

    step: int


class Continued(TypedDict):
    """The wait is over, after `seconds`, which are no training time."""

    step: int
    seconds: float


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
    "sample": Sample,
    "memory": Memory,
    "oom": Oom,
    "queued": Queued,
    "paused": Paused,
    "continued": Continued,
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
