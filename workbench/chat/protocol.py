"""What client and chat engine say to each other: one JSON object a line, each way.

Every request has an id, and every reply carries the id of its request; 0 is nobody's. A `Generate` is
answered column by column: by any number of `Piece`, then one `Done` or one `Failed` that names the column; a
`Failed` that names none ends the whole request. A `Stop` has no reply of its own: the answers it ends say so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json

from workbench.data.example import Message
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.schema import ChatSettings, PromptSettings

VERSION: Final = 1
NOBODY: Final = 0
MOST_COLUMNS: Final = 8
"""As many answers at once: four beside each other, or one for each of seven emotions."""
DETAILED_TOKENS: Final = 8192
"""So many tokens of an answer are told of in detail: a reply stays below some megabytes."""
ALTERNATIVES: Final = 5
Quantization = Literal["none", "int8", "nf4"]
EndReason = Literal["stop token", "stop text", "length", "stopped", "context full"]


@dataclass(frozen=True, slots=True)
class Target:
    """A model to talk to, with all that the engine needs to know of it.

    Attributes:
        kind: the base model as it is, a checkpoint of a run, or the run's newest one, whichever that is
            when `targets.newest` is asked.
        label: how it is named to a person.
        base: the base model: a folder, ``embedded``, or a hub id.
        project_folder: what relative paths in `base` and `template` are relative to.
        template: the setting `prompt.template`, or the name of the run's template.
        template_source: the Jinja text a run was trained with, or an evaluation began with; None reads
            `template` upon loading.
        prompt: how conversations are written: system message, blocks, special tokens.
        quantization: of the base model's weights in memory.
        double_quantization: of nf4's constants, as `model.double_quantization`.
        trained_quantization: of the base model that the run was trained on, where `quantization` is another.
        weights: the checkpoint's folder, with an adapter or all the weights; None for the base model.
        run: id of the run.
        step: optimizer steps behind the weights.
        base_fingerprint: of the base model that the run was trained on; empty when nothing depends on it.
    """

    kind: Literal["base", "checkpoint", "newest"]
    label: str
    base: str
    project_folder: Path
    template: str
    template_source: str | None = None
    prompt: PromptSettings = field(default_factory=PromptSettings)
    quantization: Quantization = "none"
    double_quantization: bool = True
    trained_quantization: Quantization | None = None
    weights: Path | None = None
    run: str | None = None
    step: int | None = None
    base_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """Hold these targets in memory, each under a short key, and no others.

    What was held and is not named is given back first. A base model is held once, however many adapters use
    it. When one target cannot be loaded, those before it stay.
    """

    id: int
    targets: dict[str, Target]
    op: Literal["load"] = "load"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Column:
    """One answer that is asked for.

    Attributes:
        target: the key of the target that answers.
        messages: the conversation: the last is the user's, or an assistant's with an empty content, of which
            what is given (an emotion) stands in the prompt.
        settings: how tokens are drawn, and when to end.
    """

    target: str
    messages: list[Message]
    settings: ChatSettings


@dataclass(frozen=True, slots=True)
class Generate:
    """Answer conversations, all at once.

    Attributes:
        columns: from one to `MOST_COLUMNS`; replies name them by number, from 0.
        details: tell of every token how likely it was, and what else might have stood there.
    """

    id: int
    columns: Annotated[list[Column], Field(min_length=1, max_length=MOST_COLUMNS)]
    details: bool = False
    op: Literal["generate"] = "generate"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Stop:
    """End the answers to request `id`, now or before they begin; those that have ended stay as they are."""

    id: int
    op: Literal["stop"] = "stop"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is up: its libraries are imported."""

    id: int = NOBODY
    kind: Literal["ready"] = "ready"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Held:
    """A target in memory.

    Attributes:
        device: where its weights are, such as ``cuda:0``.
        parameters: how many numbers the model has.
        context: most tokens it has positions for; None when it sets no limit.
        shares: its base model's weights are those of another target that is held.
        remarks: what a person should know before talking to it.
    """

    device: str
    parameters: int
    context: int | None
    shares: bool = False
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The targets are in memory.

    Attributes:
        seconds: what loading took; next to nothing for what was there already.
        held: each target by its key.
    """

    id: int
    seconds: float
    held: dict[str, Held]
    kind: Literal["loaded"] = "loaded"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Piece:
    """More of an answer: whole characters, no special tokens, nothing that is part of a stop text."""

    id: int
    text: str
    column: int = 0
    kind: Literal["piece"] = "piece"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that might have stood there: its id, its text as shown to a person, its probability."""

    id: int
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class TokenDetail:
    """What the model thought where it wrote a token: its own distribution, before any setting changes it.

    Attributes:
        id: the token that was taken.
        text: of it, as shown to a person; bytes that are no whole character as ``<0xE0>``.
        probability: of it.
        entropy: of the distribution, in nats: 0 where there was nothing to choose.
        alternatives: the likeliest tokens, most likely first; the taken one is among them if it is likely.
    """

    id: int
    text: str
    probability: float
    entropy: float
    alternatives: list[Alternative]


@dataclass(frozen=True, slots=True)
class Done:
    """An answer is complete.

    Attributes:
        reason: what ended it.
        ids: the generated tokens, a stop token among them.
        tokens: how many.
        prompt_tokens: tokens of the prompt.
        reused_tokens: tokens of the prompt that were not computed again.
        first_token_seconds: from the request's turn to the first token.
        tokens_per_second: of the tokens after the first; of the only one when there is one.
        dropped_turns: questions, with their answers, that were left out, the oldest first: by `last_turns`,
            or because they did not fit the context.
        dropped_tokens: how much longer the prompt would have been with them.
        details: of the first `DETAILED_TOKENS` tokens when they were asked for, else empty.
        column: whose answer.
    """

    id: int
    reason: EndReason
    ids: list[int]
    tokens: int
    prompt_tokens: int
    reused_tokens: int
    first_token_seconds: float
    tokens_per_second: float
    dropped_turns: int = 0
    dropped_tokens: int = 0
    details: list[TokenDetail] = field(default_factory=list)
    column: int = 0
    kind: Literal["done"] = "done"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Failed:
    """A request, or one column of it, could not be carried out; the engine lives on.

    Attributes:
        problems: why.
        column: whose answer ended; None: all of the request.
        no_room: memory was lacking on the GPU: an engine that is started with ``cpu=True`` may have it.
    """

    id: int
    problems: list[Problem] = field(default_factory=list)
    column: int | None = None
    no_room: bool = False
    kind: Literal["error"] = "error"
    v: Literal[1] = VERSION

    def error(self) -> WorkbenchError:
        """The problems, to be raised."""
        return (NoRoom if self.no_room else WorkbenchError)(*self.problems)


class NoRoom(WorkbenchError):
    """The GPU's memory was lacking: an engine that is started with ``cpu=True`` uses the host's instead."""


Request = Load | Generate | Stop
Reply = Ready | Loaded | Piece | Done | Failed


def to_line(message: Request | Reply) -> bytes:
    """The message as one line of UTF-8 with its line break.

    Raises WorkbenchError for text that is not valid (half of a surrogate pair).
    """
    adapter: TypeAdapter[Any] = _requests() if isinstance(message, Load | Generate | Stop) else _replies()
    try:
        return adapter.dump_json(message) + b"\n"
    except (PydanticSerializationError, UnicodeEncodeError):
        raise fault("half of a surrogate pair in the text: it cannot be sent") from None


def read_request(line: bytes) -> Request:
    """The request of one line. Raises WorkbenchError with all that is wrong with it."""
    request: Request = _read(_requests(), line)
    return request


def read_reply(line: bytes) -> Reply:
    """The reply of one line. Raises WorkbenchError with all that is wrong with it."""
    reply: Reply = _read(_replies(), line)
    return reply


def id_of(line: bytes) -> int:
    """The id in a line that may be broken otherwise; `NOBODY` when none can be found."""
    try:
        value = from_json(line)
    except ValueError:
        return NOBODY
    found = value.get("id") if isinstance(value, dict) else None
    return found if type(found) is int else NOBODY


def _read(adapter: TypeAdapter[Any], line: bytes) -> Any:
    try:
        return adapter.validate_json(line, strict=True)
    except ValidationError as error:
        raise WorkbenchError(*_problems(error)) from None


def _problems(error: ValidationError) -> Iterable[Problem]:
    for entry in error.errors(include_url=False, include_input=False, include_context=False):
        yield Problem(entry["msg"], ".".join(map(str, entry["loc"])))


# Building them costs some milliseconds: not at import, which the screen waits for


@cache
def _requests() -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[Load | Generate | Stop, Field(discriminator="op")])


@cache
def _replies() -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[Ready | Loaded | Piece | Done | Failed, Field(discriminator="kind")])
