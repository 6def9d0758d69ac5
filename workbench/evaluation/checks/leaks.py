"""What stands in an answer and belongs elsewhere: marks of the prompt, its texts, the tokenizer's tokens.

What the reference has as well is no leak: there it is meant.
"""

import re
from collections.abc import Iterator

from workbench.evaluation.checks.answer import Answer, Expected, Finding, Span
from workbench.evaluation.checks.repetition import UNSPACED
from workbench.prompts.survey.checks.about_texts import ANSWER_WORDS
from workbench.prompts.survey.checks.scripts import script_of
from workbench.prompts.survey.checks.seen import short
from workbench.prompts.survey.checks.texts import FOREIGN_MARKS, PREFIX, escaped

LEAKED_PROMPT = (
    "role names in front of a colon (USER:, ASSISTANT:, Human:), headings such as ### Response, the marks "
    "of chat templates ([INST], <|im_start|>, </s>), or the whole question at the beginning of the "
    "answer; the figure is how many"
)
LEAKED_CONTEXT = (
    "a piece of the system message, of a context block or of an earlier turn, word for word, 48 "
    "characters and longer (24 where the script has no spaces), that the reference does not have; the "
    "figure is its length. Quoting what was supplied may be wanted: look before you judge"
)
SPECIAL_TOKENS = "a special token of the tokenizer written out as text; the figure is how many"
ESCAPES = "backslash and n as two characters where a line break was meant, outside of code"
ANSWER_PREFIX = "the answer announces itself, as in 答案： or Answer:; the reference does not"

OVERLAP, UNSPACED_OVERLAP = 48, 24
SHORTEST_QUESTION = 8
"""Characters of a question from which an answer that begins with it repeats the prompt."""

_ROLES = re.compile(
    r"(?<![\w/])(?:USER|ASSISTANT|SYSTEM|HUMAN|BOT)\s?[:：]"
    r"|^[ \t>*#]*(?:User|Assistant|System|Human|Bot|Chatbot|GPT|AI)\*{0,2}\s?[:：]"
    r"|^#{2,}[ \t]*(?:Instruction|Input|Response|Question|Answer|Human|Assistant|User|System)s?\b:?",
    re.M,
)


def leaked_prompt(answer: Answer, expected: Expected) -> list[Finding]:
    """`LEAKED_PROMPT`."""
    found = []
    marks = [
        match
        for pattern in (_ROLES, FOREIGN_MARKS)
        for match in pattern.finditer(answer.text)
        if match[0].strip() not in answer.reference
    ]
    if marks:
        first = min(marks, key=lambda match: match.start())
        names = ", ".join(dict.fromkeys(match[0].strip() for match in marks))
        found.append(Finding("leaked-prompt", len(marks), f"marks of a prompt: {names}", first.span()))
    question = answer.question.strip()
    start = len(answer.text) - len(answer.text.lstrip())
    if (
        len(question) >= SHORTEST_QUESTION
        and answer.text.startswith(question, start)
        and not answer.reference.lstrip().startswith(question)
    ):
        span = (start, start + len(question))
        found.append(Finding("leaked-prompt", 1, "begins with the whole question", span))
    return found


def leaked_context(answer: Answer, expected: Expected) -> list[Finding]:
    """`LEAKED_CONTEXT`: the longest such piece of each text."""
    found = []
    size = UNSPACED_OVERLAP if script_of(answer.text) in UNSPACED else OVERLAP
    for fact in answer.facts:
        pieces = [
            span
            for span in shared(answer.text, fact, size)
            if answer.text[slice(*span)] not in answer.reference
        ]
        if pieces:
            start, end = max(pieces, key=lambda span: span[1] - span[0])
            what = f"{end - start:,} characters of the context: {short(answer.text[start:end])}"
            found.append(Finding("leaked-context", end - start, what, (start, end)))
    return found


def special_tokens(answer: Answer, expected: Expected) -> list[Finding]:
    """`SPECIAL_TOKENS`."""
    found = [(text, answer.text.count(text)) for text in dict.fromkeys(expected.special_tokens) if text]
    found = [(text, count) for text, count in found if count and text not in answer.reference]
    if not found:
        return []
    start = min(answer.text.index(text) for text, _ in found)
    first = next(text for text, _ in found if answer.text.startswith(text, start))
    what = f"special tokens: {', '.join(text for text, _ in found)}"
    total = sum(count for _, count in found)
    return [Finding("special-tokens", total, what, (start, start + len(first)))]


def escapes(answer: Answer, expected: Expected) -> list[Finding]:
    """`ESCAPES`; the figure is how many."""
    if "\\n" not in answer.text or not escaped(answer.text) or escaped(answer.reference):
        return []
    start, count = answer.text.index("\\n"), answer.text.count("\\n")
    return [Finding("escapes", count, "backslash and n for a line break", (start, start + 2))]


def answer_prefix(answer: Answer, expected: Expected) -> list[Finding]:
    """`ANSWER_PREFIX`."""
    span = prefix(answer.text)
    if span == (0, 0) or prefix(answer.reference) != (0, 0):
        return []
    what = f"begins with {answer.text[slice(*span)].strip()!r}"
    return [Finding("answer-prefix", 1, what, span)]


def prefix(text: str) -> Span:
    """Where the word and the colon stand that announce an answer; (0, 0) where there are none."""
    match = PREFIX.match(text)
    if not match or match[1].rstrip(" :：").casefold() not in ANSWER_WORDS:
        return 0, 0
    return match.span()


def shared(text: str, other: str, size: int) -> Iterator[Span]:
    """Pieces of `text` of at least `size` characters that stand in `other` to the letter, left to right.

    A piece is made longer as long as its last `size` characters stand in `other`, so that two pieces which
    overlap may come as one.
    """
    half = size // 2
    # Every window of `size` holds one of these pieces whole: most windows need no search of their own
    hits = {i for i in range(0, len(text) - half + 1, half) if text[i : i + half] in other}
    start = -1
    for i in range(len(text) - size + 1):
        if -(-i // half) * half in hits and text[i : i + size] in other:
            start = i if start < 0 else start
        elif start >= 0:
            yield start, i + size - 1
            start = -1
    if start >= 0:
        yield start, len(text)
