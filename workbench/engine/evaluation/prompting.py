"""The rows of an evaluation as one contestant reads them: what is scored and asked, or why it cannot be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.data.example import Example, Rejected
from workbench.engine.evaluation.generation import ToAnswer
from workbench.engine.evaluation.perplexity import ToScore
from workbench.errors import WorkbenchError
from workbench.evaluation.plan import Plan
from workbench.evaluation.records import ScoredRow
from workbench.evaluation.rows import question, thaw
from workbench.project.schema import FewShot
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.encode_many import encode_supervised
from workbench.prompts.encoding.encoded import Supervised
from workbench.prompts.encoding.limits import UNLIMITED, Limits
from workbench.prompts.shots.few_shot import Deck
from workbench.prompts.shots.few_shot_prompt import scoring_encoder, with_shots

NO_REFERENCE = "no reference"
Skipped = tuple[int, str]
"""Number of a row, and why there is nothing to do."""


@dataclass(frozen=True, slots=True)
class _Posed:
    """A row as it is put to the model.

    Attributes:
        number: its place among the rows.
        example: the conversation, examples before it included.
        shares: it begins as the others do: no example of its own stands in for one that gives it away.
        before: answers of examples that stand before it as turns of the conversation.
    """

    number: int
    example: Example
    shares: bool = True
    before: int = 0

    @property
    def several(self) -> bool:
        """It has several answers of its own."""
        return _answers(self.example) - self.before > 1


class Prompting:
    """Turns rows into ids for one model.

    Args:
        encoder: of the model: its tokenizer and template, the system message and blocks it was trained with.
        plan: what is scored, and how long a row may be.
        context: most tokens that the model has positions for; None for no limit.
        vocabulary: how many tokens it knows.
        deck: examples to put before each prompt; None for none.
        form: how these are written.
    """

    def __init__(
        self,
        encoder: Encoder,
        plan: Plan,
        context: int | None,
        vocabulary: int,
        deck: Deck | None = None,
        form: FewShot | None = None,
    ) -> None:
        self.encoder = encoder
        self._plan = plan
        self._context = context
        self._vocabulary = vocabulary
        self._deck = deck
        self._form = form or FewShot()
        # Blocks are written once the examples stand before them
        self._asking = scoring_encoder(encoder) if deck else encoder

    def to_score(self, rows: Sequence[ScoredRow]) -> Iterator[ToScore | Skipped]:
        """What is scored of each row, in no particular order, by the row's place in `rows`."""
        posed: list[_Posed] = []
        for number, row in enumerate(rows):
            if row.reference is None:
                yield number, NO_REFERENCE
                continue
            try:
                posed.append(self._posed(number, row))
            except WorkbenchError as error:
                yield number, str(error)
        apart = self._plan.settings.perplexity == "separate"
        for each in map(self._apart, posed) if apart else self._as_trained(posed):
            if isinstance(each, ToScore) and (said := self._unfit(each.ids, room=0)):
                yield each.number, said
            else:
                yield each

    def to_answer(self, rows: Sequence[ScoredRow]) -> Iterator[ToAnswer | Skipped]:
        """What is asked of each row, by the row's place in `rows`."""
        for number, row in enumerate(rows):
            if row.plain:
                yield number, "a text without a question"
                continue
            try:
                posed = self._posed(number, row)
                ids = self._asking.prompt(question(posed.example), posed.example.blocks)[0]
            except WorkbenchError as error:
                yield number, str(error)
                continue
            if said := self._unfit(ids, room=1):
                yield number, said
            elif not ids:
                yield number, "the template makes an empty prompt of this row"
            else:
                yield ToAnswer(number, ids, row.source << 32 | row.row, posed.shares)

    def _posed(self, number: int, row: ScoredRow) -> _Posed:
        """Raises WorkbenchError: no example can stand before this row without giving it away."""
        example = thaw(row)
        if self._deck is None:
            return _Posed(number, example)
        shots = self._deck.draw(example)
        before = 0 if self._form.shot else sum(map(_answers, shots.examples))
        example = with_shots(example, shots, self._form, self.encoder.blocks)
        return _Posed(number, example, not shots.replaced, before)

    def _as_trained(self, posed: Sequence[_Posed]) -> Iterator[ToScore | Skipped]:
        """The ids and the mask of training. Of examples before a prompt nothing is scored."""
        for several in (False, True):
            members = [each for each in posed if each.several == several]
            encoded = encode_supervised(self._scoring(several), [each.example for each in members])
            for each, result in zip(members, encoded, strict=True):
                if isinstance(result, Rejected):
                    yield each.number, f"{result.reason}: {result.detail}" if result.detail else result.reason
                else:
                    yield _masked(each, result)

    def _scoring(self, several: bool) -> Encoder:
        """As in training; examples before a prompt do not count towards the limits of a row."""
        encoder, data = self._asking, self._plan.data
        # One answer is found at the end of any conversation; several must each be told from the rest
        last = "last" if data.train_on == "all" or not several else data.train_on
        return Encoder(
            encoder.tokenizer,
            encoder.template,
            limits=Limits(UNLIMITED) if self._deck else Limits.of(data),
            train_on=last if self._deck else data.train_on,
            system=encoder.system,
            blocks=encoder.blocks,
        )

    def _apart(self, posed: _Posed) -> ToScore | Skipped:
        """Prompt and answer tokenized apart, with bos and eos around them, cut on the right.

        Source: ppl.py of NTU ADL HW3, where the limit is 2048 tokens; here it is `data.max_tokens`.
        """
        tokenizer, example = self.encoder.tokenizer, posed.example
        try:
            prompt = [] if example.plain else self._asking.prompt(question(example), example.blocks)[0]
            answer = tokenizer.encode(example.messages[-1].content)[0]
        except WorkbenchError as error:
            return posed.number, str(error)
        bos, eos = tokenizer.bos_id, tokenizer.eos_id
        if bos is not None and prompt[:1] != [bos]:  # a template may have written it
            prompt = [bos, *prompt]
        answer = answer if eos is None else [*answer, eos]
        limit = UNLIMITED if self._deck else self._plan.data.max_tokens
        ids, mask = [*prompt, *answer][:limit], [*[0] * len(prompt), *[1] * len(answer)][:limit]
        if not any(mask[1:]):
            return posed.number, f"the answer is cut off: it begins after data.max_tokens = {limit}"
        return ToScore(posed.number, ids, [0, *mask[1:]], posed.shares)

    def _unfit(self, ids: Sequence[int], room: int) -> str:
        """Why the model cannot read these tokens; empty when it can."""
        if self._context is not None and len(ids) + room > self._context:
            return f"longer than the model reads: {len(ids)} tokens, room for {self._context}"
        if ids and (highest := max(ids)) >= self._vocabulary:
            return f"tokens that the model does not know: {highest}, it knows {self._vocabulary}"
        return ""


def _answers(example: Example) -> int:
    return sum(message.role == "assistant" for message in example.messages)


def _masked(posed: _Posed, row: Supervised) -> ToScore:
    mask = [0, *row.mask[1:]]
    if posed.before and posed.several:
        # Each answer is a run of scored tokens; those of the examples come first
        runs = last = 0
        for i, scored in enumerate(mask):
            runs += scored and not last
            last = scored
            if runs <= posed.before:
                mask[i] = 0
    return ToScore(posed.number, list(row.ids), mask, posed.shares)
