"""`prediction.json`: answers to a set of rows in the order of the set, and a look at whether it is one."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import fault
from workbench.evaluation.checks.answer import Answer, Expected
from workbench.evaluation.checks.leaks import answer_prefix, leaked_prompt, special_tokens
from workbench.project.files import write_atomic
from workbench.prompts.survey.checks.seen import have, rows
from workbench.prompts.survey.findings import SHOWN_ROWS, Finding, Level

_SHOWN_IDS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of the set: its id as text, and what was asked, empty where that is not known."""

    id: str
    question: str = ""


def write_predictions(path: Path, answers: Iterable[tuple[str, str]]) -> None:
    """Write ids with their answers as a JSON array of ``id`` and ``output``, indented by 2, in this order.

    Raises WorkbenchError: it cannot be written; an old file is untouched.
    """
    made = [{"id": id, "output": output} for id, output in answers]
    write_atomic(path, json.dumps(made, ensure_ascii=False, indent=2) + "\n")


def check_predictions(path: Path, asked: Sequence[Asked], special: Sequence[str] = ()) -> list[Finding]:
    """What is wrong with a file of predictions, the gravest first; red is what a course would refuse.

    Args:
        path: the file.
        asked: the rows of the set, in order.
        special: the tokenizer's special tokens.

    Rows of findings are counted in the file's order, from 0. Raises WorkbenchError: it cannot be read, or is
    no JSON array.
    """
    elements = _read(path)
    whole = [(i, each) for i, each in enumerate(elements) if _is_prediction(each)]
    found = []
    if broken := [i for i in range(len(elements)) if not _is_prediction(elements[i])]:
        found.append(_finding("form", "red", broken, "no object of a text `id` and a text `output`"))
    found += _about_ids([(i, each["id"]) for i, each in whole], [str(row.id) for row in asked])
    return found + _about_texts(whole, {row.id: row.question for row in asked}, special)


def _read(path: Path) -> list[Any]:
    try:
        elements = json.loads(path.read_bytes())
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", path) from None
    except (ValueError, RecursionError) as error:
        raise fault(f"is no JSON: {error}", path, "a JSON array of {id, output}, one for each row") from None
    if not isinstance(elements, list):
        raise fault("is no JSON array", path, "a JSON array of {id, output}, one for each row")
    return elements


def _is_prediction(element: Any) -> bool:
    return (
        isinstance(element, dict)
        and isinstance(element.get("id"), str | int)
        and isinstance(element.get("output"), str)
    )


def _about_ids(given: Sequence[tuple[int, Any]], wanted: Sequence[str]) -> list[Finding]:
    found = []
    ids = [(i, str(id)) for i, id in given]
    known, counts = Counter(wanted), Counter(id for _, id in ids)
    foreign = [i for i, id in ids if id not in known]
    if foreign and len(foreign) == len(ids):
        what = "none of the ids is one of this set: predictions of another set"
        found.append(Finding("foreign-ids", "red", what, "", len(foreign), _places(foreign)))
    elif foreign:
        found.append(_finding("foreign-ids", "red", foreign, "an id that the set does not have"))
    missing = list((known - counts).elements())
    if missing and len(foreign) < max(len(ids), 1):
        shown = ", ".join(missing[:_SHOWN_IDS]) + (", …" if len(missing) > _SHOWN_IDS else "")
        what = f"{rows(len(missing))} of the set {have(len(missing))} no prediction: {shown}"
        found.append(Finding("missing", "red", what, "", len(missing)))
    seen: Counter[str] = Counter()
    double = []
    for i, id in ids:
        seen[id] += 1
        if id in known and seen[id] > known[id]:
            double.append(i)
    if double:
        found.append(_finding("double", "red", double, "an id that stood before"))
    if not found and [id for _, id in ids] != list(wanted):
        moved = [i for (i, id), expected in zip(ids, wanted, strict=True) if id != expected]
        found.append(_finding("order", "red", moved, "another place than in the set"))
    return found


def _about_texts(
    given: Sequence[tuple[int, Any]], questions: dict[str, str], special: Sequence[str]
) -> list[Finding]:
    expected = Expected(special_tokens=tuple(special))
    marked: dict[str, list[int]] = {}
    for i, each in given:
        answer = Answer(each["output"], questions.get(str(each["id"]), ""))
        if not answer.text.strip():
            marked.setdefault("empty", []).append(i)
        for check in (special_tokens, leaked_prompt, answer_prefix):
            for finding in check(answer, expected)[:1]:
                marked.setdefault(finding.check, []).append(i)
    about: tuple[tuple[str, Level, str], ...] = (
        ("special-tokens", "red", "special tokens in the output"),
        ("leaked-prompt", "red", "marks or the question of the prompt in the output"),
        ("empty", "yellow", "an empty output"),
        ("answer-prefix", "note", "an output that announces itself, as in 答案："),
    )
    return [_finding(name, level, marked[name], what) for name, level, what in about if name in marked]


def _finding(name: str, level: Level, places: Sequence[int], what: str) -> Finding:
    count = len(places)
    return Finding(name, level, f"{rows(count)} {have(count)} {what}", "", count, _places(places))


def _places(numbers: Sequence[int]) -> list[tuple[int, int]]:
    return [(0, i) for i in numbers[:SHOWN_ROWS]]
