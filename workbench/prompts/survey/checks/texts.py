"""Every row's text looked at whole, in one pass, with some thirty bytes kept of each example."""

import re
from array import array
from collections import Counter
from os.path import commonprefix
from typing import TYPE_CHECKING

from workbench.data.cleaning.survey import BUTTONS
from workbench.data.example import Example
from workbench.prompts.survey.checks.scripts import SCRIPTS, dominant
from workbench.prompts.tokenizer import Tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARKS = ("literal_escapes", "lone_escape", "private_use", "special_token", "prompt_blank", "answer_blank") + (
    "own_system",
)
"""Names of what a text can show; the position in here is the bit that is kept of a row."""
ESCAPES, LONE_ESCAPE, PRIVATE_USE, SPECIAL_TOKEN, PROMPT_BLANK, ANSWER_BLANK, OWN_SYSTEM = (
    1 << i for i in range(len(MARKS))
)

SEPARATORS = ("###", "->", "=>", "→", "|||", ">>>", "===")
"""Ends of prompts that OpenAI's legacy fine-tuning guide and its imitators ask for."""
STOPS = ("###", "#END#", "#END", "[END]", "<END>", "<|end|>", "<STOP>", "[STOP]", "STOP", "END")
"""Ends of completions of the same guide."""

_LAST_OF_ENDINGS = frozenset(ending[-1] for ending in SEPARATORS + STOPS)
_LAST_OF_BUTTONS = frozenset(button[-1] for button in BUTTONS)

FOREIGN_MARKS = re.compile(
    r"<\|(?:im_start|im_end|endoftext|end|eot_id|start_header_id|end_header_id|begin_of_text|end_of_text"
    r"|assistant|user|system)\|>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|\A\s*<s>|</s>(?=\s*(?:\Z|<s>))"
)
"""Marks that templates write. `<s>` is HTML too: it counts at the edge of a text."""
_FOREIGN_HEADS = ("<|", "[INST]", "[/INST]", "<<", "<s>", "</s>", "_of_turn>")
"""A text without any of these has no such mark; without `<` and `[` it has none of these."""
_ENDING = 2
"""Characters of a question's end that are kept, to find marks that nobody thought of."""
PREFIX = re.compile(r"\s*([^\s:：]{1,16}(?:[ 　][^\s:：]{1,16}){0,2} ?[:：])")
"""Up to three words and a colon at the beginning, which may announce an answer."""
_LONGEST_PREFIX = 52
"""Characters of such a beginning, white space before it aside."""
_ESCAPE = re.compile(r"\\n(?![a-z])(?![\"'`)\]|/*+}])")
_AT_EDGE = re.compile(r"\A\s*\\n(?![a-z])|\\n\s*\Z")
_ALONE = re.compile(r"(?<=\s)\\n(?=\s)")
_LETTER = re.compile("[A-Za-z]")
_MOST_KINDS = 4096
_BATCH_CHARACTERS = 1 << 18
_MOST_SHARED = 400


class TextLook:
    """Takes examples in the order of sources and rows; what it keeps is one number a row in each array."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.sources, self.rows = array("H"), array("q")
        self.marks = array("B")
        self.scripts = array("B")
        self.question_characters, self.answer_characters = array("q"), array("q")
        self.conversations, self.questions = array("q"), array("q")
        self.prefixes, self.separators = _Kinds(), _Kinds()
        self.stops, self.systems = _Kinds(), _Kinds()
        self.tails, self.foreign, self.endings = _Kinds(), _Kinds(), _Kinds()
        self.shared: dict[int, str] = {}
        self.special_examples: Counter[str] = Counter()
        # What the project adds is meant to stand in its rows
        special = {tokenizer.token(i) for i in tokenizer.special_ids} - set(tokenizer.added)
        self._special, self._heads = _pattern(special), _heads(special)
        self._odd = not all(head.startswith(("<", "[")) for head in self._heads)
        self._known = special | set(tokenizer.added)
        self._waiting: list[str] = []
        self._places: list[int] = []
        self._characters = 0

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, example: Example) -> None:
        """Look at one example."""
        place = len(self.rows)
        self.sources.append(example.origin.source)
        self.rows.append(example.origin.row)
        parts: list[object] = []
        marks = said = 0
        asked = sum(len(text) for _, text in example.blocks)
        question = answer = system = tail = foreign = ""
        for message in example.messages:
            text = message.content
            parts += (message.role, text, message.given, message.text_key)
            if message.role == "assistant":
                said += len(text)
                answer = text
                if text[:1].isspace() or text[-1:].isspace():
                    marks |= ANSWER_BLANK
            else:
                asked += len(text)
                if message.role == "system":
                    system = text
                    marks |= OWN_SYSTEM
                else:
                    question = question or text
                    if text[-1:].isspace():
                        marks |= PROMPT_BLANK
            # One character is found many times as fast as two
            if "\\" in text and "\\n" in text:
                marks |= ESCAPES if escaped(text) else LONE_ESCAPE if _ALONE.search(text) else 0
            if "<" in text or "[" in text or self._odd:
                if (
                    not example.plain
                    and any(map(text.__contains__, self._heads))
                    and (found := self._special.search(text))
                ):
                    marks |= SPECIAL_TOKEN
                    self.special_examples[found[0]] += 1
                if not foreign and any(map(text.__contains__, _FOREIGN_HEADS)):
                    foreign = self._foreign(text, example.plain)
            end = text[-24:].rstrip()
            if not tail and end[-1:] in _LAST_OF_BUTTONS and end.endswith(BUTTONS):
                tail = next(button for button in BUTTONS if end.endswith(button))
        self.marks.append(marks)
        self.question_characters.append(asked)
        self.answer_characters.append(said)
        conversation = hash((*parts, example.blocks))
        self.conversations.append(conversation)
        last = example.messages[-1]
        asks = len(example.messages) > 1 and last.role == "assistant"
        self.questions.append(hash((*parts[:-4], example.blocks, last.given)) if asks else conversation)
        if tail:
            self.tails.note(place, tail)
        if foreign:
            self.foreign.note(place, foreign)
        self._note_form(place, example, question, answer, system)
        self._note_script(place, example)

    def finish(self) -> None:
        """Carry out what waits; call it once, after the last example."""
        self._count_scripts()

    def _note_form(self, place: int, example: Example, question: str, answer: str, system: str) -> None:
        """How answers begin, how prompts and answers end, what all questions begin with."""
        if not example.plain:
            begin = answer.lstrip()[:_LONGEST_PREFIX]
            if (":" in begin or "：" in begin) and (found := PREFIX.match(begin)):
                self.prefixes.note(place, found[1])
        if separator := _ending(question, SEPARATORS):
            self.separators.note(place, separator)
        if stop := _ending(answer, STOPS):
            self.stops.note(place, stop)
        self.endings.note(place, question[-_ENDING:])
        if system:
            self.systems.note(place, system)
        source = example.origin.source
        shared = self.shared.get(source)
        if shared is None:
            self.shared[source] = question[:_MOST_SHARED]
        elif shared and not question.startswith(shared):
            self.shared[source] = commonprefix((shared, question))

    def _foreign(self, text: str, plain: bool) -> str:
        """The first mark of another format that the tokenizer has no token for; a plain text is written in a
        format of its own, whose words in brackets are meant."""
        for found in FOREIGN_MARKS.finditer(text):
            mark = found[0].strip()
            if mark not in self._known and not (plain and ("INST" in mark or "SYS" in mark)):
                return mark
        return ""

    def _note_script(self, place: int, example: Example) -> None:
        texts = [message.content for message in example.messages]
        if all(map(str.isascii, texts)):
            self.scripts.append(1 if any(map(_LETTER.search, texts)) else 0)
            return
        self.scripts.append(0)
        self._places.append(place)
        self._waiting.append(text := "\n".join(texts))
        self._characters += len(text)
        if self._characters >= _BATCH_CHARACTERS:
            self._count_scripts()

    def _count_scripts(self) -> None:
        """Code points are counted many texts at once."""
        if not self._waiting:
            return
        scripts, private = dominant(self._waiting)
        for place, script, has_private in zip(self._places, scripts.tolist(), private.tolist(), strict=True):
            self.scripts[place] = script
            if has_private:
                self.marks[place] |= PRIVATE_USE
        self._waiting, self._places, self._characters = [], [], 0


class _Kinds:
    """A text for rows, out of not too many; rows with further ones have none."""

    def __init__(self) -> None:
        self.numbers = array("H")
        self.known: dict[str, int] = {"": 0}

    def note(self, place: int, text: str) -> None:
        """The text of a row; rows come in their order, and those without one may be left out."""
        number = self.known.get(text)
        if number is None and len(self.known) < _MOST_KINDS:
            number = self.known[text] = len(self.known)
        if number:
            self.numbers.frombytes(bytes((place - len(self.numbers)) * self.numbers.itemsize))
            self.numbers.append(number)

    def _of(self, used: "NDArray[np.int64]") -> "NDArray[np.uint16]":
        """The number of the text of each of some rows, 0 for none."""
        import numpy as np

        numbers = np.zeros(max(len(self.numbers), int(used.max(initial=-1)) + 1), np.uint16)
        numbers[: len(self.numbers)] = self.numbers
        chosen: NDArray[np.uint16] = numbers[used]
        return chosen

    def among(self, used: "NDArray[np.int64]") -> "list[tuple[str, NDArray[np.int64]]]":
        """Each text with the places of `used` that have it, the most frequent first."""
        import numpy as np

        numbers = self._of(used)
        counts = np.bincount(numbers, minlength=len(self.known))
        texts = list(self.known)
        order = [i for i in np.argsort(-counts, kind="stable").tolist() if i and counts[i]]
        return [(texts[i], used[numbers == i]) for i in order[:8]]

    def ending(self, used: "NDArray[np.int64]", least: float) -> "tuple[str, NDArray[np.int64]]":
        """The longest end of the texts that this share of `used` has, with their places; "" for none."""
        import numpy as np

        numbers = self._of(used)
        counts = np.bincount(numbers, minlength=len(self.known))
        texts = list(self.known)
        for size in range(max(map(len, texts)), 0, -1):
            sums: Counter[str] = Counter()
            for text, count in zip(texts, counts.tolist(), strict=True):
                if len(text) >= size:
                    sums[text[-size:]] += count
            for text, count in sums.most_common(1):
                if count >= least * len(used):
                    having = [i for i, each in enumerate(texts) if each.endswith(text)]
                    return text, used[np.isin(numbers, having)]
        return "", used[:0]


def script_names(counts: "NDArray[np.int64]") -> dict[str, int]:
    """Counts by script as a table, the most frequent first."""
    found = [(SCRIPTS[i], n) for i, n in enumerate(counts.tolist()) if n]
    return dict(sorted(found, key=lambda item: -item[1]))


def _pattern(texts: set[str]) -> re.Pattern[str]:
    """Matches any of the texts, the longest first; never matches when there is none."""
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)")


def _heads(texts: set[str]) -> tuple[str, ...]:
    """How special tokens begin: a text without any of these needs no search for the tokens themselves."""
    heads = {text[:2] for text in texts}
    return tuple(heads if len(heads) <= 8 else {text[:1] for text in texts})


def escaped(text: str) -> bool:
    """Backslash and n stand where a line break was meant: twice at least or at an edge, and not in code.

    Texts with real line breaks have theirs; before a small letter it is a word (`\\nabla`) or a path, before
    a quote or a bracket a string or a pattern.
    """
    if "\n" in text.strip():
        return False
    return bool(_AT_EDGE.search(text)) or len(_ESCAPE.findall(text)) > 1


def _ending(text: str, endings: tuple[str, ...]) -> str:
    """The ending that `text` has, set off from what stands before it by a blank or a line break."""
    text = text[-24:].rstrip()
    if text[-1:] not in _LAST_OF_ENDINGS:
        return ""
    for ending in endings:
        if text.endswith(ending) and text[: -len(ending)][-1:].isspace():
            return ending
    return ""
