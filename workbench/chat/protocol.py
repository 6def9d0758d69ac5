"""What client and chat engine say to each other: one JSON object a line, each way.

Every request has an id, and every reply carries the id of its request; 0 is nobody's. A `Generate` is
answered by any number of `Piece` and then one `Done` or `Failed`; a `Stop` has no reply of its own: the
answer it ends says so.
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
EndReason = Literal["stop token", "stop text", "length", "stopped", "context full"]


@dataclass(frozen=True, slots=True)
class Target:
    """A model to talk to, with all that the engine needs to know of it.

    Attributes:
        kind: the base model as it is, or a checkpoint of a run.
        label: how it is named to a person.
        base: the base model: a folder, ``embedded``, or a hub id.
        project_folder: what relative paths in `base` and `template` are relative to.
        template: the setting `prompt.template`, or the name of the run's template.
        template_source: the Jinja text a run was trained with; None reads `template` upon loading.
        prompt: how conversations are written: system message, blocks, special tokens.
        quantization: of the base model's weights in memory.
        double_quantization: of nf4's constants, as `model.double_quantization`.
        weights: the checkpoint's folder, with an adapter or all the weights; None for the base model.
        run: id of the run.
        step: optimizer steps behind the weights.
        base_fingerprint: of the base model that the run was trained on; empty when nothing depends on it.
    """

    kind: Literal["base", "checkpoint"]
    label: str
    base: str
    project_folder: Path
    template: str
    template_source: str | None = None
    prompt: PromptSettings = field(default_factory=PromptSettings)
    quantization: Literal["none", "int8", "nf4"] = "none"
    double_quantization: bool = True
    weights: Path | None = None
    run: str | None = None
    step: int | None = None
    base_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """Take the weights into memory, in place of those loaded before."""

    id: int
    target: Target
    op: Literal["load"] = "load"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Generate:
    """Answer a conversation, which ends with a user's message."""

    id: int
    messages: list[Message]
    settings: ChatSettings
    op: Literal["generate"] = "generate"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Stop:
    """End the answer to request `id`, now or before it begins; nothing happens when it has ended already."""

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
class Loaded:
    """The weights are in memory.

    Attributes:
        seconds: what loading took.
        device: where the weights are, such as ``cuda:0``.
        parameters: how many numbers the model has.
        context: most tokens it has positions for; None when it sets no limit.
    """

    id: int
    seconds: float
    device: str
    parameters: int
    context: int | None
    kind: Literal["loaded"] = "loaded"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Piece:
    """More of the answer: whole characters, no special tokens, nothing that is part of a stop text."""

    id: int
    text: str
    kind: Literal["piece"] = "piece"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is complete.

    Attributes:
        reason: what ended it.
        ids: the generated tokens, a stop token among them.
        tokens: how many.
        prompt_tokens: tokens of the prompt.
        reused_tokens: tokens of the prompt that were not computed again.
        first_token_seconds: from the request's turn to the first token.
        tokens_per_second: of the tokens after the first; of the only one when there is one.
    """

    id: int
    reason: EndReason
    ids: list[int]
    tokens: int
    prompt_tokens: int
    reused_tokens: int
    first_token_seconds: float
    tokens_per_second: float
    kind: Literal["done"] = "done"
    v: Literal[1] = VERSION


@dataclass(frozen=True, slots=True)
class Failed:
    """The request could not be carried out; the engine lives on."""

    id: int
    problems: list[Problem] = field(default_factory=list)
    kind: Literal["error"] = "error"
    v: Literal[1] = VERSION

    def error(self) -> WorkbenchError:
        """The problems, to be raised."""
        return WorkbenchError(*self.problems)


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
