"""The shapes of files that hold one text, a question with its answer, or a list of turns."""

from collections.abc import Iterator
from typing import Any

from workbench.data.detect.sample import Sample, Shape, braced, common_mark, first, mostly
from workbench.data.example import Role
from workbench.data.mapping.turns import ROLES, list_in

_TURN_COLUMNS = ("messages", "conversations", "conversation", "chat", "turns", "dialogue", "dialog")
_ROLE_KEYS = ("role", "from", "speaker", "user")
_CONTENT_KEYS = ("content", "value", "text", "message", "utterance")
_TEXT_KEYS = ("text", "dialog", "content", "utterance", "message", "value")
"""Keys of the text in a turn whose content is an object."""
_SPEAKERS: dict[str, Role] = {
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "agent": "assistant",
    "customer": "user",
    "prompter": "user",
    "narrator": "system",
    "developer": "system",
}
"""Speakers seen in public sets beside those that are always known."""
_PREFERENCES = "pairs of answers for DPO, of which the chosen one is trained"
_PAIRS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("instruction", "input"), "output", "Alpaca"),
    (("instruction", "context"), "response", "Dolly"),
    (("instruction",), "output", "instruction and output"),
    (("instruction",), "response", "instruction and response"),
    (("prompt",), "completion", "OpenAI's older fine-tuning format"),
    (("prompt",), "response", "prompt and response"),
    (("context", "question"), "answer", "question and answer with a context"),
    (("question",), "answer", "question and answer"),
    (("question",), "response", "question and response"),
    (("query",), "response", "query and response"),
    (("problem",), "solution", "problem and solution"),
    (("user",), "assistant", "user and assistant"),
    (("input",), "output", "input and output"),
    (("source",), "target", "source and target"),
    (("instruction", "input"), "chosen", _PREFERENCES),
    (("instruction",), "chosen", _PREFERENCES),
    (("prompt",), "chosen", _PREFERENCES),
    (("question",), "chosen", _PREFERENCES),
)
"""Columns of the user message and of the answer, the more particular pairs first."""
_ASKING = ("instruction", "prompt", "question", "query", "input", "user")
"""Columns that make a question even where nothing answers it."""
_TEXT_COLUMNS = ("text", "content", "document", "body", "article")
_TITLE_INSTRUCTION = "Write a text with the following title."


def turns(sample: Sample) -> Iterator[Shape]:
    """Kind `messages`: a column of lists of turns, the better known names first."""
    for column in sorted(sample.columns, key=lambda name: (name not in _TURN_COLUMNS, name == "rejected")):
        read = [list_in(value) if isinstance(value, str) else value for value in sample.values(column)]
        lists = [value for value in read if isinstance(value, list)]
        spoken = [turn for turns in lists for turn in turns if isinstance(turn, dict)]
        keys = dict.fromkeys(key for turn in spoken for key in turn)
        role, content = first(_ROLE_KEYS, keys), first(_CONTENT_KEYS, keys)
        names = {str(turn.get(role)).strip() for turn in spoken} if role else set()
        if not content or not any(name.lower() in ROLES or name.lower() in _SPEAKERS for name in names):
            continue
        table: dict[str, Any] = {"kind": "messages", "column": column, "role": role, "content": content}
        objects = [turn[content] for turn in spoken if isinstance(turn.get(content), dict)]
        if objects and mostly(objects, spoken):
            if not (text := first(_TEXT_KEYS, (key for each in objects for key in each))):
                continue
            table["text"] = text
        if roles := {name: _SPEAKERS[name.lower()] for name in sorted(names) if name.lower() in _SPEAKERS}:
            table["roles"] = roles
        spoken_roles = {(ROLES | _SPEAKERS).get(name.lower()) for name in names}
        if "assistant" not in spoken_roles:
            table["split"] = "test"
        yield Shape(table | _system(sample), f'"{column}" holds lists of turns with {role} and {content}')


def squad(sample: Sample) -> Iterator[Shape]:
    """SQuAD: a question whose answers are a list of objects, or an object of lists."""
    question, context = sample.texts.get("question"), sample.texts.get("context")
    answers = sample.values("answers")
    if not question or not answers:
        return
    user = braced(*filter(None, (context, question)))
    for kind, place in ((list, "answers.0.text"), (dict, "answers.text.0")):
        if mostly([each for each in answers if isinstance(each, kind)], answers):
            answer = f"{{{place}}}"
            table = {"kind": "fields", "user": user, "assistant": answer}
            why = "SQuAD: question and answers"
            if group := sample.texts.get("title", context):
                table["group"] = group
                why += f", those of one {group} kept on one side of the split"
            yield Shape(table, why)


def pairs(sample: Sample) -> Iterator[Shape]:
    """Kind `fields`: a known pair of question and answer."""
    named = sample.texts
    for user, answer, known_as in _PAIRS:
        if answer in named and all(name in named for name in user):
            users = [named[name] for name in user]
            table: dict[str, Any] = {
                "kind": "fields",
                "user": braced(*sample.as_read(users)),
                "assistant": f"{{{named[answer]}}}",
            }
            if len(user) == 1 and (mark := common_mark(sample.strings(users[0]))):
                table["strip_user"] = [mark]
            if mark := common_mark(sample.strings(named[answer])):
                table["strip_assistant"] = [mark]
            why = f"columns {', '.join((*users, named[answer]))}: {known_as}"
            if not sample.values(named[answer]):
                table["split"] = "test"
                why += ', but no row has an answer, so they are for testing (split = "test")'
            yield Shape(table | _system(sample), why)
    if {"title", "text"} <= named.keys():
        user_parts = [_TITLE_INSTRUCTION, f"{{{named['title']}}}"]
        table = {"kind": "fields", "user": user_parts, "assistant": f"{{{named['text']}}}"}
        yield Shape(
            table, "columns title, text: an article under an instruction that is the same for all rows"
        )


def unanswered(sample: Sample) -> Iterator[Shape]:
    """Kind `fields` of a test source: a question that no column answers."""
    named = sample.texts
    if asking := first(_ASKING, named):
        more = "input" if asking == "instruction" and "input" in named else ""
        users = [named[name] for name in filter(None, (asking, more))]
        table = {"kind": "fields", "user": braced(*users), "assistant": "{output}", "split": "test"}
        why = f"columns {', '.join(users)} without a column that answers: rows for testing"
        yield Shape(table | _system(sample), f'{why} (split = "test")')


def plain(sample: Sample) -> Iterator[Shape]:
    """Kind `text`: a column of texts that has a usual name, or is the only one."""
    prose = sample.prose()
    by_name = first(_TEXT_COLUMNS, (name.lower() for name in prose))
    column = sample.texts[by_name] if by_name else prose[0] if len(prose) == 1 else ""
    if column:
        why = f'one column of text, "{column}": trained on as it stands'
        yield Shape({"kind": "text", "text": f"{{{column}}}"}, why)


def two_texts(sample: Sample) -> Iterator[Shape]:
    """Kind `fields` of a row that is two texts and nothing else, whatever they are called."""
    prose = sample.prose()
    names = [name for name in sample.columns if name in prose]
    if len(names) == 2 and not sample.unused({"user": braced(*names)}):
        asks, answers = names
        why = f'a guess: the only two columns of text, of which "{asks}" asks and "{answers}" answers'
        yield Shape({"kind": "fields", "user": braced(asks), "assistant": f"{{{answers}}}"}, why)


def _system(sample: Sample) -> dict[str, str]:
    name = first(("system", "system_prompt"), sample.texts)
    return {"system": f"{{{sample.texts[name]}}}"} if name else {}
