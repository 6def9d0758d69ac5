"""Rows encoded as they train, all of them or a sample: what the tokens show, and their lengths."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workbench.data.example import Example, Origin, Rejected
from workbench.errors import WorkbenchError
from workbench.project.schema import DataSettings
from workbench.prompts.encoding.answers import PROBE, QUESTION
from workbench.prompts.encoding.encode import NOTHING, Encoder
from workbench.prompts.encoding.encode_many import encode_supervised
from workbench.prompts.encoding.encoded import Supervised
from workbench.prompts.encoding.limits import ANSWER_TOO_LONG, TOO_LONG, Kept, Limits
from workbench.prompts.survey.checks.facts import Marked, Over, Pairing, Part, Tokenised
from workbench.prompts.template import TemplateFault

PROMPTS_COMPARED = 50
ANSWERLESS = "cut off before the answer"
_TAIL = 12


@dataclass(slots=True)
class Measured:
    """Lengths in tokens of one side's encoded rows, nothing cut off.

    Attributes:
        prompt: tokens that are only read, for each row.
        completion: tokens that are trained.
        answer: number of the first trained token, of all tokens where there is none.
        used: tokens that a run takes of it, 0 when it leaves the row out.
        origins: the rows themselves.
        drawn: which of them belong to the random sample, in contrast to those chosen for their length.
    """

    prompt: list[int] = field(default_factory=list)
    completion: list[int] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    drawn: list[bool] = field(default_factory=list)


class TokenLook:
    """Encodes rows whole and says what the limits of `data` will do to them."""

    def __init__(self, encoder: Encoder, data: DataSettings, parts: Sequence[Part]) -> None:
        """`encoder` must not have a limit of its own: see `unlimited`; `parts` has all rows to come."""
        self.found = Tokenised(parts=list(parts))
        self._parts = {(part.side, part.source): part for part in parts}
        self.measured: dict[str, Measured] = {}
        self._encoder, self._limits = encoder, Limits.of(data)
        tokenizer = encoder.tokenizer
        self._bos, self._unknown = tokenizer.id("bos_token"), tokenizer.id("unk_token")
        self._stops = frozenset(encoder.stop_ids)
        if self._unknown in self._stops | {self._bos, tokenizer.id("pad_token")}:
            self._unknown = None  # one token for several purposes: it means none of them for sure
        self._unknown_text = tokenizer.special.get("unk_token", "")

    def take(self, examples: Sequence[Example], side: str, drawn: Sequence[bool]) -> None:
        """Encode some rows of one side; `drawn` says of each whether it belongs to the random sample."""
        measured = self.measured.setdefault(side, Measured())
        results = encode_supervised(self._encoder, examples)
        for example, at_random, result in zip(examples, drawn, results, strict=True):
            if side == "train":
                self.found.looked_at += 1
                self.found.sample += at_random
            part = self._parts[side, example.origin.source]
            part.looked_at += 1
            part.sample += at_random
            if isinstance(result, Rejected):
                if not (side == "test" and result.reason == NOTHING):  # test rows need no answer
                    _lose(part, result.origin, at_random, _reason(result), result.detail)
                if side == "train":
                    self._refuse(result)
                continue
            trained, answer, size = sum(result.mask), result.mask.find(1), len(result.ids)
            over = self._limits.over(size, answer)
            kept = self._limits.kept(size, answer) if over else None
            if kept and side != "test":
                reason, detail = self._lost(result, over, kept)
                if reason:
                    _lose(part, result.origin, at_random, reason, detail)
                measured.used.append(0 if reason else kept.tokens)
            else:
                measured.used.append(size)
            measured.origins.append(example.origin)
            measured.drawn.append(at_random)
            measured.prompt.append(size - trained)
            measured.completion.append(trained)
            measured.answer.append(size if answer < 0 else answer)
            if side == "train":
                self._look(example, result, at_random)
                self._limit(result, over, kept, at_random)

    def _lost(self, result: Supervised, over: dict[str, int], kept: Kept) -> tuple[str, str]:
        """Why a run leaves a row over a limit out; empty when it stays, cut."""
        if not self._limits.cuts:
            reason, tokens = next(iter(over.items()))
            return reason, f"{tokens:,} tokens"
        return ("" if any(kept.of(result.mask)[1:]) else ANSWERLESS), ""

    def _refuse(self, result: Rejected) -> None:
        place = result.origin.source, result.origin.row
        self.found.no_supervised.add(*place)
        self.found.refused.setdefault(_reason(result), Marked()).add(*place, result.detail)

    def _look(self, example: Example, encoded: Supervised, at_random: bool) -> None:
        found, place, ids = self.found, (example.origin.source, example.origin.row), encoded.ids
        if self._bos is not None and self._bos not in self._stops and _twice(ids, {self._bos}):
            found.double_bos.add(*place)
        if self._doubled_end(ids):
            found.double_eos.add(*place)
        if self._unknown is not None:
            meant = sum(message.content.count(self._unknown_text) for message in example.messages)
            if ids.count(self._unknown) > meant:
                found.unknown.add(*place)
        if (
            found.prompts_compared < PROMPTS_COMPARED
            and at_random
            and not (example.plain or example.messages[-1].given)
        ):
            self._compare_prompt(example, encoded, place)

    def _limit(self, encoded: Supervised, over: dict[str, int], kept: Kept | None, at_random: bool) -> None:
        """Which limits the row is over, and whether it trains a stop mark all the same."""
        found, place = self.found, (encoded.origin.source, encoded.origin.row)
        for reason, tokens in over.items():
            limit = found.over.setdefault(reason, Over())
            limit.rows.add(*place, f"{tokens:,} tokens")
            limit.sample += at_random
        if kept and not self._limits.cuts:
            return
        if kept and self._lost(encoded, over, kept)[0]:
            found.answerless.add(*place)
            found.no_supervised.add(*place)
        elif kept and any(encoded.mask[kept.end :]):
            found.over[ANSWER_TOO_LONG if ANSWER_TOO_LONG in over else TOO_LONG].lost_end += 1
        elif encoded.stop_trained:
            found.stop_trained += 1
        else:
            found.stop_missing.add(*place)

    def _doubled_end(self, ids: "array[int]") -> bool:
        """Two equal end tokens with nothing but blanks between them; bos = eos may rightly stand so."""
        if all(ids.count(token) < 2 for token in self._stops):
            return False
        ends = [(i, token) for i, token in enumerate(ids) if token in self._stops and token != self._bos]
        return any(
            a[1] == b[1] and not self._encoder.tokenizer.decode(ids[a[0] + 1 : b[0]]).strip()
            for a, b in zip(ends, ends[1:], strict=False)
            if b[0] - a[0] <= 3
        )

    def _compare_prompt(self, example: Example, encoded: Supervised, place: tuple[int, int]) -> None:
        """The tokens before the last answer in training against those that chat sends for the same turns."""
        try:
            asked, text = self._encoder.prompt(example.messages[:-1], example.blocks)
        except WorkbenchError:
            return
        self.found.prompts_compared += 1
        if encoded.ids[: len(asked)].tolist() != asked:
            self.found.prompt_differs.add(*place, f"chat's prompt ends in {text[-_TAIL:]!r}")


def look_at_pairing(encoder: Encoder) -> Pairing:
    """What holds for this template and this tokenizer whatever the rows say."""
    tokenizer, template = encoder.tokenizer, encoder.template
    found = Pairing(encoder.end_mark)
    found.end_pieces = len(tokenizer.encode(encoder.end_mark)[0]) if encoder.end_mark else 0
    try:
        asked = template.render([QUESTION], tokenizer.special, add_generation_prompt=True)
        whole = template.render([QUESTION, PROBE], tokenizer.special)
    except TemplateFault:
        return found
    found.reads_clock = asked.read_clock or whole.read_clock
    found.prompt_end = asked.text[-_TAIL:]
    trained = tokenizer.encode(whole.text)[0]
    if tokenizer.adds_bos and trained[:1] != [tokenizer.id("bos_token")]:
        found.bos_missing = tokenizer.special["bos_token"]
    return found


def _lose(part: Part, origin: Origin, at_random: bool, reason: str, detail: str) -> None:
    """A row that is left out when a run encodes it."""
    part.lost.setdefault(reason, Marked()).add(origin.source, origin.row, detail)
    part.sample_lost += at_random


def _reason(result: Rejected) -> str:
    return "the answer has no token of its own" if result.reason == NOTHING else result.reason


def _twice(ids: "array[int]", tokens: Iterable[int]) -> bool:
    """One of `tokens` stands twice in a row."""
    return any(
        ids.count(token) > 1 and any(a == b == token for a, b in zip(ids, ids[1:], strict=False))
        for token in tokens
    )
