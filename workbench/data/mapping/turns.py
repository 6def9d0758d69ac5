"""Kind `messages`: a column holds a list of turns, as OpenAI and ShareGPT write them; in a table of texts, as
JSON."""

from collections.abc import Callable
from typing import Any

from workbench.data.example import Message, Pairs, Role, Row
from workbench.data.files.json_text import decoded, kind_of
from workbench.data.files.rows import RowError
from workbench.data.mapping.cells import hint, reader, shown, text_of
from workbench.project.source import MessagesSource

ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
"""Speaker names that need no `roles` entry: OpenAI's and ShareGPT's."""

_TOOLS = frozenset({"tool", "function", "function_call", "tool_call", "observation", "tool_response"})
_CALLS = ("tool_calls", "function_call")
"""Names of tool turns and keys of tool calls, OpenAI's and LLaMA-Factory's: they have no form here."""


def messages_of_turns(source: MessagesSource) -> Callable[[Row], list[Message]]:
    """Makes the messages of one row. An empty system turn at the front is none."""
    read, role_key, content_key = reader(source.column), source.role, source.content
    roles = {**ROLES, **source.roles}

    def make(row: Row) -> list[Message]:
        turns = read(row)
        if type(turns) is str:
            turns = list_in(turns)
        if not isinstance(turns, list):
            raise RowError(f'"{source.column}" is not a list of turns', f"it is {kind_of(turns)}")
        messages = []
        for n, turn in enumerate(turns, 1):
            if type(turn) is dict and type(content := turn.get(content_key)) is str and content:
                speaker = turn.get(role_key)
                if type(speaker) is str and (role := roles.get(speaker)):  # as nearly all are
                    messages.append(Message(role, content))
                    continue
            messages.append(_message(source, roles, turn, n))
        if messages and messages[0].role == "system" and not messages[0].content.strip():
            del messages[0]
        return messages

    return make


def list_in(text: str) -> Any:
    """The list that a cell of text holds as JSON; the text itself where it holds none."""
    if text.lstrip()[:1] != "[":
        return text
    try:
        return decoded(text)
    except (ValueError, RecursionError):
        return text


def _message(source: MessagesSource, roles: dict[str, Role], turn: Any, n: int) -> Message:
    if not isinstance(turn, dict):
        raise RowError("a turn is not an object", f"turn {n} is {kind_of(turn)}")
    if source.role not in turn:
        raise RowError(f'a turn has no "{source.role}"', f"turn {n}{hint(source.role, turn)}")
    role = _role(roles, turn[source.role], n)
    content = turn.get(source.content)
    if not content and any(turn.get(key) for key in _CALLS):
        raise RowError("a turn calls a tool", f"turn {n}")
    if source.content not in turn:
        raise RowError(f'a turn has no "{source.content}"', f"turn {n}{hint(source.content, turn)}")
    if type(content) is str:
        return Message(role, content)
    if isinstance(content, list):
        return Message(role, _joined(content, n))
    if isinstance(content, dict):
        return _structured(role, content, source, n)
    return Message(role, text_of(content, source.content))


def _role(roles: dict[str, Role], speaker: Any, n: int) -> Role:
    if isinstance(speaker, str):
        if speaker in roles:
            return roles[speaker]
        plain = speaker.strip().lower()
        if plain in roles:
            return roles[plain]
        if plain in _TOOLS:
            raise RowError("a tool's turn", f"turn {n}: {shown(speaker)}")
    raise RowError("unknown role", f"turn {n}: {shown(speaker)}")


def _joined(parts: list[Any], n: int) -> str:
    """OpenAI's content parts, `{"type": "text", "text": "..."}`, one behind the other."""
    texts = []
    for p, part in enumerate(parts, 1):
        if not isinstance(part, dict) or part.get("type") != "text":
            what = part.get("type") if isinstance(part, dict) else None
            of_type = f"of type {shown(what)}" if what is not None else "without a type"
            raise RowError("a content part is not text", f"turn {n}, part {p} is {of_type}")
        texts.append(text_of(part.get("text"), "text"))
    return "".join(texts)


def _structured(role: Role, content: dict[str, Any], source: MessagesSource, n: int) -> Message:
    if not source.text:
        raise RowError(f'"{source.content}" is not text', "it is an object: `text` names the key of its text")
    if source.text not in content:
        raise RowError(f'a content has no "{source.text}"', f"turn {n}{hint(source.text, content)}")
    given: Pairs = tuple(
        (str(key), text_of(value, str(key))) for key, value in content.items() if key != source.text
    )
    return Message(role, text_of(content[source.text], source.text), given, source.text)
