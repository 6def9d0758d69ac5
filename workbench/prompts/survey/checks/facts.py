"""What was seen in a project's rows, as plain values that fit into a file; what it means is said elsewhere.

Nothing here depends on `[training]`, `[chat]` or `data.accept`: changing those needs no second look.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from workbench.prompts.survey.findings import SHOWN_ROWS
from workbench.prompts.survey.statistics import Statistics


@dataclass(slots=True)
class Marked:
    """The rows that show something.

    Attributes:
        count: all of them.
        rows: (source, row) of the first ones, from 0.
        example: what one of them shows, where that helps.
    """

    count: int = 0
    rows: list[tuple[int, int]] = field(default_factory=list)
    example: str = ""

    def add(self, source: int, row: int, example: str = "") -> None:
        """Take one row into account."""
        if self.count < SHOWN_ROWS:
            self.rows.append((source, row))
        self.count += 1
        self.example = self.example or example


@dataclass(slots=True)
class Writing:
    """How the used rows are written, all of them looked at.

    Attributes:
        marks: name of a mark, such as `private_use`, to the rows that show it; see `texts`.
        prefixes: beginning of an answer up to a colon, to the rows that begin with it, most frequent first.
        separators: end of a question such as ` ->`, to the rows that end with it.
        stops: end of an answer such as ` END`, to the rows that end with it.
        systems: text of a system message that stands in rows themselves, to the rows; most frequent first.
        tails: button of a web page that a message ends with, to the rows.
        foreign: mark of another template that the tokenizer has no token for, to the rows that hold it.
        ending: the end that nearly all questions have, in `example`, and the rows that have it.
        shared: for each source, what all its questions begin with.
    """

    marks: dict[str, Marked] = field(default_factory=dict)
    prefixes: dict[str, Marked] = field(default_factory=dict)
    separators: dict[str, Marked] = field(default_factory=dict)
    stops: dict[str, Marked] = field(default_factory=dict)
    systems: dict[str, Marked] = field(default_factory=dict)
    tails: dict[str, Marked] = field(default_factory=dict)
    foreign: dict[str, Marked] = field(default_factory=dict)
    ending: Marked = field(default_factory=Marked)
    shared: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Part:
    """The used rows of one source on one side, and which of them are lost when they are encoded.

    Attributes:
        source: number of the source.
        side: `train`, `validation` or `test`.
        rows: used rows, once each.
        repeat: how often each counts.
        looked_at: of those, the encoded ones.
        sample: of those, the ones drawn at random.
        sample_lost: lost ones among these.
        lost: reason why a run leaves rows out, to those of the encoded ones.
    """

    source: int
    side: str
    rows: int
    repeat: int = 1
    looked_at: int = 0
    sample: int = 0
    sample_lost: int = 0
    lost: dict[str, Marked] = field(default_factory=dict)

    @property
    def lost_count(self) -> int:
        """Rows known to be lost."""
        return sum(mark.count for mark in self.lost.values())

    @property
    def left(self) -> int:
        """Rows that stay, once each: counted where all were encoded, else estimated."""
        if self.looked_at == self.rows:
            return self.rows - self.lost_count
        lost, of = (self.sample_lost, self.sample) if self.sample else (self.lost_count, self.looked_at)
        return min(self.rows - self.lost_count, round(self.rows * (1 - lost / of))) if of else self.rows


@dataclass(slots=True)
class Over:
    """The training rows that are over one limit of `data`, whatever is done with them.

    Attributes:
        rows: all of them that were encoded.
        sample: those among the rows drawn at random.
        lost_end: of those that are cut, the ones whose last trained token this limit cuts off, the
            end-of-turn mark included.
        most: what 99 of 100 rows measure at most, in tokens.
        longest: what the longest one measures.
    """

    rows: Marked = field(default_factory=Marked)
    sample: int = 0
    lost_end: int = 0
    most: int = 0
    longest: int = 0


@dataclass(slots=True)
class Tokenised:
    """What the encoded rows show: all of the used ones, or a sample.

    Attributes:
        looked_at: encoded rows.
        refused: reason why a row does not encode, to the rows.
        no_supervised: rows without a trained token.
        over: reason of `encoding.limits` to the rows over that limit.
        sample: rows drawn at random, those of `looked_at` that were chosen for their length left out.
        answerless: truncated rows whose answer is cut off whole.
        stop_missing: rows whose end is not cut off, with an answer without a trained end-of-turn mark.
        stop_trained: rows in which every answer's end-of-turn mark is trained.
        double_bos: rows with two beginning-of-text tokens in a row.
        double_eos: rows with two equal end tokens in a row, blanks between them aside.
        unknown: rows with pieces that the tokenizer does not know.
        prompt_differs: rows whose tokens before the last answer are not those that chat would send.
        prompts_compared: rows looked at for that.
        parts: the used rows by source and side; all others but this speak of training rows.
    """

    looked_at: int = 0
    refused: dict[str, Marked] = field(default_factory=dict)
    no_supervised: Marked = field(default_factory=Marked)
    over: dict[str, Over] = field(default_factory=dict)
    sample: int = 0
    answerless: Marked = field(default_factory=Marked)
    stop_missing: Marked = field(default_factory=Marked)
    stop_trained: int = 0
    double_bos: Marked = field(default_factory=Marked)
    double_eos: Marked = field(default_factory=Marked)
    unknown: Marked = field(default_factory=Marked)
    prompt_differs: Marked = field(default_factory=Marked)
    prompts_compared: int = 0
    parts: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class Pairing:
    """What is so with this template and this tokenizer whatever the rows hold.

    Attributes:
        end_mark: what the template writes after an answer.
        end_pieces: tokens that the end mark takes.
        reads_clock: the template writes today's date.
        prompt_end: the last characters of chat's prompt.
        bos_missing: beginning-of-text token that the base model knows, and the template leaves out.
    """

    end_mark: str = ""
    end_pieces: int = 1
    reads_clock: bool = False
    prompt_end: str = ""
    bos_missing: str = ""


@dataclass(slots=True)
class Overlap:
    """Held-out rows that are trained on.

    Attributes:
        same: held-out rows that equal a training row, among all.
        group: held-out rows of a group that is trained on, among all.
        question: held-out rows whose question is asked in a training row too, among those compared.
        near: held-out rows that share most of their text with a training row, among those compared.
        held_out: held-out rows compared for the last two.
        trained: training rows compared for the last two.
    """

    same: Marked = field(default_factory=Marked)
    group: Marked = field(default_factory=Marked)
    question: Marked = field(default_factory=Marked)
    near: Marked = field(default_factory=Marked)
    held_out: int = 0
    trained: int = 0


@dataclass(slots=True)
class Facts:
    """Everything that findings are drawn from.

    Attributes:
        columns: the columns of each source's first row.
        rows: side to the rows of it, once each.
        train_repeated: training rows, each counted as often as its source repeats.
        tags: tag name, then side, to the number of rows for each value; "" counts rows without the tag.
        duplicates: rows that say the same as an earlier one.
        near_duplicates: rows that say nearly what an earlier one says; looked for in small data sets alone,
            and where they are kept.
        same_question: training rows that ask what an earlier one asks, and answer otherwise.
    """

    columns: list[list[str]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    train_repeated: int = 0
    tags: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    duplicates: Marked = field(default_factory=Marked)
    near_duplicates: Marked = field(default_factory=Marked)
    same_question: Marked = field(default_factory=Marked)
    overlap: Overlap = field(default_factory=Overlap)
    writing: Writing = field(default_factory=Writing)
    tokens: Tokenised = field(default_factory=Tokenised)
    pairing: Pairing = field(default_factory=Pairing)
    statistics: Statistics = field(default_factory=Statistics)

    @property
    def used(self) -> int:
        """Rows of all sides, once each."""
        return sum(self.rows.values())

    def left(self, side: str) -> int:
        """Rows of a side, once each, that encode."""
        return sum(part.left for part in self.tokens.parts if part.side == side)


def marked(rows: Iterable[tuple[int, int]]) -> Marked:
    """A mark of these rows."""
    found = Marked()
    for source, row in rows:
        found.add(source, row)
    return found
