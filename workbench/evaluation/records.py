"""The lines of an evaluation's files. Each is written once; a resume skips what is there."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.errors import fault

_Line = TypeVar("_Line", bound="Record")


class Record(BaseModel):
    """A line; a key of a later version is read over."""

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_inf_nan="strings")

    v: Literal[1] = 1


class RowRecord(Record):
    """A line about a row.

    Attributes:
        source, row: its `[[data.source]]` and its number in it, both from 0.
    """

    source: int
    row: int

    @property
    def key(self) -> tuple[int, int]:
        """Which row."""
        return (self.source, self.row)


class Said(BaseModel):
    """One message; `given` are further keys of a structured content, `text_key` is that of its text."""

    role: Literal["system", "user", "assistant"]
    content: str
    given: dict[str, str] = {}
    text_key: str = ""


class ScoredRow(RowRecord):
    """A row as it was when the evaluation began.

    Attributes:
        id: of the row in its file, or its number.
        messages: what stands before the answer.
        reference: the answer in the file; None where it holds none.
        given: what is given of the answer, such as its emotion.
        text_key: key of the answer's text in a structured content; empty where it is plain text.
        tags: its tags.
        blocks: its own context blocks, title and text.
        group: rows of one group never give each other's answers away, as of `data.example.Example`.
        plain: the reference is a text without a conversation around it.
    """

    id: str
    messages: list[Said]
    reference: str | None
    given: dict[str, str] = {}
    text_key: str = ""
    tags: dict[str, str] = {}
    blocks: list[tuple[str, str]] = []
    group: str = ""
    plain: bool = False


class Score(RowRecord):
    """How likely the reference is to a model.

    Attributes:
        repeat: which draw of few-shot examples, from 0.
        nll: negative log likelihood of the scored tokens, summed, in nats.
        tokens: how many are scored; 0 where none is, for the reason in `skipped`.
        correct: how many of them are the likeliest token at their place.
        skipped: why no token is scored, such as an answer that was cut off; empty where some are. Up to its
            colon it is the same for all rows of its sort, so that it can be counted.
    """

    repeat: int = 0
    nll: float
    tokens: int
    correct: int
    skipped: str = ""


class Answer(RowRecord):
    """What a model wrote.

    Attributes:
        repeat: as of `Score`.
        text: without prompt, special tokens and stop text.
        tokens: generated, a stop token among them.
        ended: what ended it, as `chat.protocol.EndReason`; empty where `skipped` says why there is none.
        skipped: why there is no answer; empty where there is one.
    """

    repeat: int = 0
    text: str
    tokens: int
    ended: str
    skipped: str = ""


class Label(RowRecord):
    """What the classifier says.

    Attributes:
        repeat: as of `Score`.
        of: the text it looked at.
        label: what it is.
        score: how sure the classifier is, from 0 to 1.
    """

    repeat: int = 0
    of: Literal["answer", "reference"]
    label: str
    score: float


class Draw(Record):
    """Examples before the prompts of one repeat.

    Attributes:
        repeat: from 0.
        seed: of the draw.
        rows: source and row of each, in order.
        tags: tag name to the number of examples with each value.
    """

    repeat: int
    seed: int
    rows: list[tuple[int, int]]
    tags: dict[str, dict[str, int]] = {}


def read_records(path: Path, kind: type[_Line]) -> Iterator[_Line]:
    """The lines of a file that may still be growing; half a last line is left out, a missing file is empty.

    Raises WorkbenchError: unreadable, or a broken line, with its number.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror}", path) from None
    yield from parse_records(content[: content.rfind(b"\n") + 1], kind, path)


def parse_records(content: bytes, kind: type[_Line], path: Path, before: int = 0) -> Iterator[_Line]:
    """The records of whole lines.

    Args:
        content: ends in a line break.
        kind: of the records.
        path: where they stand, for errors.
        before: how many lines of the file come first.

    Raises WorkbenchError: a broken line, with its number.
    """
    for number, line in enumerate(content.split(b"\n")[:-1], before + 1):
        if not line.strip():
            continue
        try:
            yield kind.model_validate_json(line)
        except ValidationError as error:
            what = error.errors(include_url=False)[0]["msg"]
            raise fault(f"not a line of an evaluation: {what}", f"{path}:{number}") from None


def to_lines(records: Iterable[Record]) -> bytes:
    """The records as lines of UTF-8. What is not finite is written as text."""
    return b"".join(record.model_dump_json().encode() + b"\n" for record in records)
