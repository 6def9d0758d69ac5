"""Rows made to a target count, evenly over the rows that they are made from, the same for the same seed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from workbench.data.augment.changes import Variant, break_conversation, in_parts, variants
from workbench.data.augment.keywords import Keywords
from workbench.data.digest import digest, digest_of, group_of
from workbench.data.example import Example, Origin
from workbench.data.files.rows import Progress
from workbench.data.likeness.near import normalise
from workbench.errors import WorkbenchError, fault
from workbench.project.schema import Augmentation

Questions = Mapping[Origin, Sequence[tuple[str, str]]]
"""Whole texts that may stand for the last user message of a row, each with how it was made."""
_REPORT_EVERY = 100
_IN_PARTS = (
    "paraphrases of messages that begin with a title and a colon (name their parts as blocks of the source)"
)


@dataclass(frozen=True, slots=True)
class MadeRow:
    """One made row.

    Attributes:
        example: what is trained on; its origin is the row it is made from.
        by: what was done, in order.
        group: the group of the row it is made from, so that both stay on one side of a split.
    """

    example: Example
    by: tuple[str, ...]
    group: str

    @property
    def kind(self) -> str:
        """What was done, without particulars: `break + keyword`."""
        return " + ".join(dict.fromkeys(by.split(maxsplit=1)[0] for by in self.by))


@dataclass(slots=True)
class Augmented:
    """What was made.

    Attributes:
        originals: rows that rows could be made from.
        target: rows that were asked for, originals included; 0 for no number.
        rows: the made rows, by source and row of their originals.
        left_out: reason to the number of variants that were not made into rows.
        unused: reason to the number of originals of which nothing could be made.
    """

    originals: int
    target: int
    rows: list[MadeRow] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    unused: Counter[str] = field(default_factory=Counter)

    @property
    def kinds(self) -> dict[str, int]:
        """Kind to the number of made rows, by name."""
        return dict(sorted(Counter(row.kind for row in self.rows).items()))

    @property
    def total(self) -> int:
        """Rows that are trained on then."""
        return self.originals + len(self.rows)

    @property
    def missing(self) -> int:
        """Rows that the target asks for and that could not be made."""
        return max(0, self.target - self.total)


def augment(
    originals: Sequence[Example],
    settings: Augmentation,
    held_out: Iterable[Example] = (),
    questions: Questions | None = None,
    progress: Progress | None = None,
) -> Augmented:
    """Make rows from rows until there are `settings.target`.

    Each original gives one row in turn: first its replies one by one, then what one change makes of it, then
    what two make; without a target, what one change makes. No made row equals an original, a held-out row or
    another made row; none asks what a held-out row asks; and none that asks in other words asks what an
    original asks already, since that one's answer may differ. Memory grows with the originals.

    Args:
        originals: what is trained on, in the order of sources and rows.
        settings: `[augmentation]`.
        held_out: rows of validation and test, which nothing made may give away.
        questions: further variants, such as a model's.
        progress: told the share of the target that is made.

    Raises:
        WorkbenchError: settings that cannot be carried out, with their keys.
    """
    check(settings)
    result = Augmented(len(originals), settings.target)
    seen = _Seen(originals, held_out)
    keywords = Keywords(settings.keywords)
    left = []
    for number, example in enumerate(originals):
        if example.plain:
            result.unused["a plain text has no question"] += 1
        else:
            group = group_of(example)
            candidates = _candidates(example, group, settings, keywords, questions or {}, result.left_out)
            left.append(_Original(number, group, candidates))
    Random(f"{settings.seed} order").shuffle(left)
    wanted = max(0, settings.target - len(originals)) if settings.target else None
    made: list[tuple[int, MadeRow]] = []
    while left and len(made) != wanted:
        again = []
        for original in left:
            if len(made) == wanted:
                break
            if row := original.next_row(seen, result.left_out):
                made.append((original.number, row))
                again.append(original)
                if progress and wanted and len(made) % _REPORT_EVERY == 0:
                    progress(len(made) / wanted)
            elif not original.used:
                result.unused["nothing new can be made of it"] += 1
        left = again
    made.sort(key=lambda each: each[0])
    result.rows = [row for _, row in made]
    if progress:
        progress(1.0)
    return result


def check(settings: Augmentation) -> None:
    """Raises WorkbenchError with every keyword that cannot be exchanged."""
    place = "project.toml: augmentation.keywords"
    faults = []
    for word, others in settings.keywords.items():
        if not word.strip():
            faults.append(fault("an empty keyword", place, "name a word of the users' texts"))
        faults += [
            fault(
                f"{word!r} -> {other!r} changes a number, which the answer may speak of",
                place,
                "a word that stands for another has the same digits",
            )
            for other in others
            if digits(word) != digits(other)
        ]
    if faults:
        raise WorkbenchError(*(problem for each in faults for problem in each.problems))


def digits(text: str) -> list[str]:
    """The numbers of a text as far as they can be told in any script: its digits, in order."""
    return [sign for sign in text if sign.isdigit()]


class _Seen:
    """What is said and asked already."""

    def __init__(self, originals: Iterable[Example], held_out: Iterable[Example]) -> None:
        self.said: set[int] = set()
        self.asked: set[int] = set()
        self.held_out: set[int] = set()
        for example in originals:
            self.said.add(digest(example))
            self.asked.add(_asked(example))
        for example in held_out:
            self.said.add(digest(example))
            self.held_out.add(_asked(example))

    def refuses(self, variant: Variant, reworded: bool) -> str:
        """Why a variant is not made into a row; empty when it is, and it counts as seen from then on."""
        said, asked = digest(variant.example), _asked(variant.example)
        if said in self.said:
            return "equal to another row"
        if asked in self.held_out:
            return "asks what a held-out row asks"
        if reworded and asked in self.asked:
            return "asks what another row asks"
        self.said.add(said)
        self.asked.add(asked)
        return ""


def _asked(example: Example) -> int:
    """What users say and the context they say it in; case, blanks and punctuation aside."""
    users = [message.content for message in example.messages if message.role == "user"]
    return digest_of(*(normalise(text) for _, text in example.blocks), *map(normalise, users))


@dataclass(slots=True)
class _Original:
    """One original on its turn, again and again."""

    number: int
    group: str
    candidates: Iterator[tuple[Variant, bool]]
    used: bool = False

    def next_row(self, seen: _Seen, left_out: Counter[str]) -> MadeRow | None:
        """The next row that can be made of it; None when there is none left."""
        for variant, reworded in self.candidates:
            if reason := seen.refuses(variant, reworded):
                left_out[reason] += 1
            else:
                self.used = True
                return MadeRow(variant.example, variant.by, self.group)
        return None


def _candidates(
    example: Example,
    group: str,
    settings: Augmentation,
    keywords: Keywords,
    questions: Questions,
    left_out: Counter[str],
) -> Iterator[tuple[Variant, bool]]:
    """What can be made of one original, each with whether it is put in other words."""
    bases = [Variant(example, ())]
    if settings.break_conversations:
        bases += break_conversation(example)[:-1]
    yield from ((base, False) for base in bases[1:])
    order = Random(f"{settings.seed} {group}")
    most = None if settings.target else 1
    turns = []
    for base in bases:
        asked = questions.get(example.origin, ()) if base is bases[0] else ()
        templates = settings.paraphrases
        if templates and in_parts(base.example):
            left_out[_IN_PARTS] += len(templates)
            templates = []
        turns.append((base, variants(base.example, keywords, templates, asked, order, most)))
    while turns:
        again = []
        for base, changed in turns:
            if (variant := next(changed, None)) is not None:
                yield Variant(variant.example, base.by + variant.by), True
                again.append((base, changed))
        turns = again
