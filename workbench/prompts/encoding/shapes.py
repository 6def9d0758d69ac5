"""Conversations of one shape are written and masked alike: the template runs once for each shape.

A shape is the roles of a conversation and which parts of each message hold text. For a template that does
nothing with these texts but write them (see `outline`), everything else about such conversations is known in
advance: the text between them, where the answers stand, what is to be remarked. `Shapes.find` gives that
knowledge, or None where the template has to be run on the conversation itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from workbench.data.example import Message
from workbench.errors import WorkbenchError
from workbench.prompts.encoding.answers import Answer, Unmaskable
from workbench.prompts.encoding.outline import FIRST, STANDS_IN, Watched, WatchingEnvironment, stand_in
from workbench.prompts.sandbox import Program
from workbench.prompts.template import Rendered, Template

MOST_SHAPES = 2000
Key = tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is written around the texts of a conversation.

    Attributes:
        fixed: one text more than there are places.
        places: which text of the conversation stands between `fixed[n]` and `fixed[n + 1]`.
        answers: ranges in the outline, where every place is one character wide.
        edges: for every edge of those ranges (start, end, then start and end of the mark, if any) how many
            places stand before it.
        remarks: what is to be said of every conversation of this shape.
        whole: every text has a place.
        byte_edges: the same edges in bytes of UTF-8, the texts at the places left out.
        size: bytes of all that is fixed.
    """

    fixed: tuple[str, ...]
    places: tuple[int, ...]
    answers: tuple[Answer, ...]
    edges: tuple[tuple[int, ...], ...]
    remarks: tuple[str, ...]
    whole: bool
    byte_edges: tuple[tuple[int, ...], ...]
    size: int

    def fill(self, texts: Sequence[str]) -> tuple[str, tuple[Answer, ...]]:
        """The conversation with its texts in their places, and its answers."""
        parts: list[str] = [self.fixed[0]]
        for place, fixed in zip(self.places, self.fixed[1:], strict=True):
            parts += (texts[place], fixed)
        return "".join(parts), self.placed([len(texts[place]) for place in self.places])

    def placed(self, lengths: Sequence[int]) -> tuple[Answer, ...]:
        """The answers where the texts at the places have these lengths."""
        wider = [0, *accumulate(length - 1 for length in lengths)]
        return tuple(
            Answer(
                answer.start + wider[edges[0]],
                answer.end + wider[edges[1]],
                answer.mark and (answer.mark[0] + wider[edges[2]], answer.mark[1] + wider[edges[3]]),
                answer.lead,
            )
            for answer, edges in zip(self.answers, self.edges, strict=True)
        )


Find = Callable[[Template, Sequence[Message], Rendered], tuple[Sequence[Answer], Sequence[str]]]
"""From a rendered conversation its answers and remarks; as `writer` finds them."""


class Shapes:
    """The shapes that one template was asked for so far.

    Args:
        template: the chat template.
        special: the tokenizer's special tokens by name.
        find: what tells answers and remarks of a rendered conversation.
    """

    def __init__(self, template: Template, special: Mapping[str, str], find: Find) -> None:
        self._special = special
        self._find = find
        self._known: dict[Key, Shape | None] = {}
        self._outlined: Template | None = None
        if STANDS_IN.search(template.source) or any(map(STANDS_IN.search, special.values())):
            return
        try:
            program = Program(template.source, template.file or template.name, WatchingEnvironment)
        except (Watched, WorkbenchError):
            return
        self._outlined = replace(template)
        object.__setattr__(self._outlined, "_program", program)

    def find(self, messages: Sequence[Message]) -> tuple[Shape, list[str]] | None:
        """The conversation's shape, and its texts in the order that the shape's places count them.

        None when the template looks at the texts, or when one of them is blank or has blanks around it.
        """
        if self._outlined is None:
            return None
        key: list[tuple[object, ...]] = []
        texts: list[str] = []
        for message in messages:
            if message.given:
                key.append((message.role, message.text_key, *(name for name, _ in message.given)))
                texts += (text for _, text in message.given)
            else:
                key.append((message.role, message.text_key))
            texts.append(message.content)
        for text in texts:
            if not text or text != text.strip():
                return None
        known = tuple(key)
        if (shape := self._known.get(known)) is None:
            if known in self._known or len(self._known) >= MOST_SHAPES:
                return None
            shape = self._known[known] = self._made(messages)
        return None if shape is None else (shape, texts)

    def _made(self, messages: Sequence[Message]) -> Shape | None:
        """The shape of a conversation; None when the template looks at what is in it."""
        assert self._outlined is not None
        count = 0
        outlines: list[Message] = []
        try:
            for message in messages:
                given = tuple((name, stand_in(count + n)) for n, (name, _) in enumerate(message.given))
                count += len(given) + 1
                outlines.append(replace(message, content=stand_in(count - 1), given=given))
            rendered = self._outlined.render(outlines, self._special)
            if rendered.read_clock:
                return None
            answers, remarks = self._find(self._outlined, outlines, rendered)
        except (Watched, Unmaskable, WorkbenchError):  # running it on the conversation will say why
            return None
        said = (*remarks, *(answer.lead for answer in answers))
        if any(STANDS_IN.search(text) for text in said):
            return None
        return _shape(rendered.text, tuple(answers), tuple(remarks), count)


def _shape(text: str, answers: tuple[Answer, ...], remarks: tuple[str, ...], count: int) -> Shape:
    found = list(STANDS_IN.finditer(text))
    bounds = [0, *(edge for match in found for edge in match.span()), len(text)]
    fixed = tuple(text[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True))
    places = tuple(ord(match[0]) - FIRST for match in found)
    before = [match.start() for match in found]

    def ahead(at: int) -> int:
        return sum(start < at for start in before)

    def measure(at: int) -> int:
        return len(STANDS_IN.sub("", text[:at]).encode("utf-8", "surrogatepass"))

    ranges = [(answer.start, answer.end, *(answer.mark or ())) for answer in answers]
    return Shape(
        fixed,
        places,
        answers,
        edges=tuple(tuple(map(ahead, edges)) for edges in ranges),
        remarks=remarks,
        whole=set(places) == set(range(count)),
        byte_edges=tuple(tuple(map(measure, edges)) for edges in ranges),
        size=measure(len(text)),
    )
