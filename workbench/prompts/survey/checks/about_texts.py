"""Findings about how the rows are written: leftovers of scraping, of other formats, of other programs."""

import json
import unicodedata
from collections.abc import Iterator

from workbench.prompts.survey.checks.facts import Marked
from workbench.prompts.survey.checks.seen import Seen, have, merged, percent, rows, share, short
from workbench.prompts.survey.findings import Finding, Level

ANSWER_WORDS = frozenset(
    ("答案", "回答", "答", "譯文", "译文", "翻譯", "翻译", "答え", "답", "답변", "คำตอบ", "ตอบ", "ответ")
    + ("answer", "answers", "the answer", "the answer is", "final answer", "a", "response", "output")
    + ("completion", "assistant", "gpt", "ai", "bot", "antwort", "réponse", "respuesta", "risposta")
    + ("trả lời", "đáp án", "đáp")
)
"""Words that announce an answer; what stands after them is the answer."""
PREFIX_SHARE, PREFIX_MOST, PREFIX_ROWS = 0.005, 0.95, 5
OTHER_PREFIX_SHARE = 0.1
HABIT_SHARE, HABIT_ROWS = 0.5, 3
BLANKS_SHARE = 0.05
LONE_SHARE = 0.05
SENTENCE_ENDS = frozenset(".?!…:;,。？！：；，、।؟\"'`”’»」』)）]")
"""Ordinary ends of questions; a word's last letter is one too."""
_SHORTEST_SHARED = 4


def findings(seen: Seen) -> Iterator[Finding]:
    """All of this module."""
    yield from _marks(seen)
    yield from _legacy(seen)
    yield from _ending(seen)
    yield from _prefixes(seen)
    yield from _shared(seen)


def _marks(seen: Seen) -> Iterator[Finding]:
    marks, used = seen.facts.writing.marks, seen.facts.used
    yield from _escapes(seen)
    if mark := marks.get("private_use"):
        what = (
            f"{rows(mark.count)} {have(mark.count)} private-use characters: they mean something in one font"
        )
        yield seen.finding("private-use", "yellow", mark, what, 'clean = ["private_use"] takes them out')
    if mark := marks.get("special_token"):
        what = f"{rows(mark.count)} {have(mark.count)} special tokens written as text, such as {mark.example}"
        hint = "they become the tokens themselves: a row can end its own answer; replace them"
        yield seen.finding("special-token-text", "yellow", mark, what, hint)
    if foreign := seen.facts.writing.foreign:
        mark = merged(foreign.values())
        what = (
            f"{rows(mark.count)} {have(mark.count)} marks of another template as text: {', '.join(foreign)}"
        )
        hint = "the tokenizer has no such token: the model learns to write it letter by letter; take it out"
        yield seen.finding("special-token-text", "yellow", mark, what, hint)
    tails = {text: mark for text, mark in seen.facts.writing.tails.items() if mark.count >= HABIT_ROWS}
    if tails:
        mark = merged(tails.values())
        what = f"{rows(mark.count)} {have(mark.count)} a message that ends in a button: {', '.join(tails)}"
        hint = f"clean = [{{ suffix = {json.dumps(list(tails))} }}] takes it off"
        yield seen.finding("scraped-tail", "yellow", mark, what, hint)
    for key, what in (
        ("prompt_blank", "a question that ends in blanks"),
        ("answer_blank", "an answer with blanks at its edge"),
    ):
        if mark := marks.get(key):
            level: Level = "yellow" if share(mark.count, used) >= BLANKS_SHARE else "note"
            hint = 'clean = ["strip"] takes them off'
            yield seen.finding(
                "trailing-space", level, mark, f"{rows(mark.count)} {have(mark.count)} {what}", hint
            )


def _escapes(seen: Seen) -> Iterator[Finding]:
    """One that stands alone between blanks may be meant in a text on programming; in many rows it is not."""
    marks = seen.facts.writing.marks
    found = [marks["literal_escapes"]] if "literal_escapes" in marks else []
    lone = marks.get("lone_escape")
    if lone and lone.count >= HABIT_ROWS and share(lone.count, seen.facts.used) >= LONE_SHARE:
        found.append(lone)
    if found:
        mark = merged(found)
        what = (
            rf"{rows(mark.count)} {have(mark.count)} \n as two characters, backslash and n, for a line break"
        )
        hint = 'clean = ["newlines"] makes line breaks of them'
        yield seen.finding("literal-escapes", "yellow", mark, what, hint)


def _legacy(seen: Seen) -> Iterator[Finding]:
    """Conventions of prompt/completion files: a chat template has marks of its own for both ends."""
    used = seen.facts.used
    for found, where, key in (
        (seen.facts.writing.separators, "question", "strip_user"),
        (seen.facts.writing.stops, "answer", "strip_assistant"),
    ):
        for text, mark in found.items():
            if mark.count >= HABIT_ROWS and share(mark.count, used) >= HABIT_SHARE:
                what = f"{percent(share(mark.count, used))} of the rows have a {where} that ends in {text!r}"
                hint = f"a mark of the older format: {key} = [{text!r}] takes it off"
                yield seen.finding(
                    "legacy-format", "yellow", mark, what.replace("a answer", "an answer"), hint
                )


def _ending(seen: Seen) -> Iterator[Finding]:
    """A mark at the end of nearly all questions that no known format has."""
    mark, writing = seen.facts.writing.ending, seen.facts.writing
    known = sum(each.count for each in writing.separators.values())
    last = mark.example[-1:]
    if (
        mark.count < PREFIX_ROWS
        or share(known, seen.facts.used) >= HABIT_SHARE
        or last == " "
        or last.isalnum()
        or unicodedata.category(last)[0] == "M"
        or last in SENTENCE_ENDS
        or any(mark.example.endswith(token) for token in seen.settings.prompt.special_tokens)
    ):
        return
    what = f"{percent(share(mark.count, seen.facts.used))} of the questions end in {mark.example!r}"
    off = f"strip_user = [{json.dumps(mark.example)}] takes it off"
    hint = f"a separator, perhaps: chat has to end in it too, or {off}"
    yield seen.finding("common-ending", "note", mark, what, hint)


def _prefixes(seen: Seen) -> Iterator[Finding]:
    used = seen.facts.used
    for text, mark in seen.facts.writing.prefixes.items():
        part = share(mark.count, used)
        if mark.count < PREFIX_ROWS or part > PREFIX_MOST:
            continue  # what all answers begin with is what the answers shall be
        announces = text.rstrip(" :：").casefold() in ANSWER_WORDS
        if announces and part >= PREFIX_SHARE:
            hint = f'clean = [{{ prefix = [{text!r}], on = "assistant" }}] takes it off'
        elif part >= OTHER_PREFIX_SHARE:
            hint = "fine when it is meant"
        else:
            continue
        count = f"{rows(mark.count)} ({percent(part)})"
        what = f"{count} {have(mark.count)} an answer that begins with {short(text)}"
        yield seen.finding("answer-prefix", "yellow" if announces else "note", mark, what, hint)


def _shared(seen: Seen) -> Iterator[Finding]:
    """An instruction that stands in every question belongs into chat's questions too."""
    for number, text in enumerate(seen.facts.writing.shared):
        end = max(text.rfind(mark) for mark in (":", "：", "\n", ".", "。"))
        shared = text[: end + 1].strip()
        if (
            number < len(seen.reports)
            and seen.reports[number].used >= HABIT_ROWS
            and len(shared) >= _SHORTEST_SHARED
        ):
            what = f"{seen.reports[number].name}: every question begins with {short(shared)}"
            hint = "chat sends what is typed: begin with the same there, or make it the system message"
            yield seen.finding("constant-instruction", "note", Marked(seen.reports[number].used), what, hint)
