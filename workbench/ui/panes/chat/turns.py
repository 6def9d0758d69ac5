"""A conversation of one column as turns: who, what, figures, and what the model was not sent."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.chat.conversation import Answer, Conversation, Exchange
from workbench.data.example import Pairs
from workbench.evaluation.checks.repetition import repeated_lines, repeated_runs
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.turns import Turn

METER_CELLS = 10
Place = tuple[Exchange, bool]
"""A turn of a conversation: the exchange, and whether it is the answer."""


def turns_of(
    conversation: Conversation, column: int, *, markdown: bool, system: str
) -> tuple[list[Turn], list[Place | None]]:
    """The turns of a column, and which turn of the conversation each one is; None for a note."""
    turns: list[Turn] = []
    places: list[Place | None] = []

    def add(turn: Turn, place: Place | None) -> None:
        turns.append(turn)
        places.append(place)

    if system:
        add(Turn("", f"system: {system}", style="note"), None)
    path = conversation.path
    dropped, tokens = _dropped(path, column)
    for number, exchange in enumerate(path):
        if number == dropped and dropped:
            add(Turn("", f"… {left_out(dropped)}, {tokens} tokens", style="note"), None)
        question = exchange.question
        add(Turn(f"you{_given(question.given)}", question.content), (exchange, False))
        if answer := exchange.answer_for(column):
            who = f"{short_name(answer.target)}{_given(answer.message.given)}"
            text = answer.message.content
            add(Turn(who, text, figures(answer), markdown=markdown), (exchange, True))
    return turns, places


def short_name(target: Mapping[str, Any]) -> str:
    """Whom an answer is from, without the run's id and a folder's path, which stand above."""
    label = str(target.get("label", "?"))
    if run := target.get("run"):
        return label.removeprefix(f"{run} ")
    base = str(target.get("base", ""))
    return label.replace(base, Path(base).name) if base else label


def left_out(exchanges: int) -> str:
    """What a model was not sent."""
    return f"{exchanges} exchange{'' if exchanges == 1 else 's'} left out"


def figures(answer: Answer) -> str:
    """How an answer ended and how fast it was, what was cut off, what is thought of it."""
    said = [ending(answer.result)] if answer.result else []
    if repeated := repeated_share(answer.message.content):
        said.append(f"repeats {bar(repeated, METER_CELLS).rstrip()} {repeated:.0%}")
    if answer.cut:
        said.append(f"taken out: {answer.cut}")
    if answer.rating:
        said.append(f"rated {answer.rating}")
    if answer.saved:
        said.append("saved as a row")
    return "\n".join([", ".join(said), *(f"issue: {issue}" for issue in answer.issues)]).strip()


@lru_cache(256)
def repeated_share(text: str) -> float:
    """The share of lines, or of runs of words, that stood before: the higher one; 0 for a short text."""
    return max(repeated_lines(text)[0], repeated_runs(text))


def ending(result: dict[str, Any]) -> str:
    """The figures of an answer."""
    return (
        f"{result['reason']}, {result['tokens']} tokens, {result['tokens_per_second']:.0f} tokens/s, "
        f"the first after {result['first_token_seconds']:.2f} s"
    )


def _given(given: Pairs) -> str:
    return f" ({', '.join(f'{key}: {value}' for key, value in given)})" if given else ""


def _dropped(path: Sequence[Exchange], column: int) -> tuple[int, int]:
    """Exchanges that the newest answer was given without, and how many tokens they are."""
    for exchange in reversed(path):
        if answer := exchange.answers.get(column):
            return answer.result.get("dropped_turns", 0), answer.result.get("dropped_tokens", 0)
    return 0, 0
