"""All checks by name, each with what it measures, and an answer put through them."""

from dataclasses import dataclass

from workbench.evaluation.checks import endings, leaks, numbers, repetition, writing
from workbench.evaluation.checks.answer import NOTHING_MORE, Answer, Check, Expected, Finding, whole

WRONG_INTENT = (
    "the label that the classifier gives the answer is not the one it should have; as good as the classifier "
    "is: its own accuracy on the references tells"
)


@dataclass(frozen=True, slots=True)
class Known:
    """A check: `about` is its definition, shown beside its figures."""

    about: str
    run: Check


def wrong_intent(answer: Answer, expected: Expected) -> list[Finding]:
    """`WRONG_INTENT`; nothing before a classifier looked, or where the answer should have no label."""
    wanted = answer.label.strip()
    if answer.predicted is None or not wanted:
        return []
    got = answer.predicted.strip()
    if got == wanted:
        return []
    return [Finding("wrong-intent", 1, f"{got or 'no label'}, not {wanted}", whole(answer))]


CHECKS = {
    "empty": Known(endings.EMPTY, endings.empty),
    "not-stopped": Known(endings.NOT_STOPPED, endings.not_stopped),
    "no-sentence-end": Known(endings.NO_SENTENCE_END, endings.no_sentence_end),
    "length": Known(endings.LENGTH, endings.length),
    "repetition": Known(repetition.REPETITION, repetition.repetition),
    "loop": Known(repetition.LOOP, repetition.loop),
    "gibberish": Known(writing.GIBBERISH, writing.gibberish),
    "script": Known(writing.SCRIPT, writing.script),
    "leaked-prompt": Known(leaks.LEAKED_PROMPT, leaks.leaked_prompt),
    "leaked-context": Known(leaks.LEAKED_CONTEXT, leaks.leaked_context),
    "special-tokens": Known(leaks.SPECIAL_TOKENS, leaks.special_tokens),
    "escapes": Known(leaks.ESCAPES, leaks.escapes),
    "answer-prefix": Known(leaks.ANSWER_PREFIX, leaks.answer_prefix),
    "numbers": Known(numbers.NUMBERS, numbers.numbers),
    "wrong-intent": Known(WRONG_INTENT, wrong_intent),
}
"""In the order in which they are shown."""


def check_answer(answer: Answer, expected: Expected = NOTHING_MORE) -> list[Finding]:
    """All findings about one answer, in the order of `CHECKS`."""
    return [finding for known in CHECKS.values() for finding in known.run(answer, expected)]
