"""Reading keyword arguments out of a notebook's Python: looked at, never run."""

import ast
import re
from typing import Any

from workbench.errors import fault
from workbench.project.importing.given import Given
from workbench.project.importing.names import NOT_HERE, OURS

_CALLS = re.compile(
    r"(Seq2Seq)?TrainingArguments|SFTConfig|SFTTrainer|Trainer|LoraConfig|BitsAndBytesConfig|get_peft_model"
    r"|\w*ModelConfig|from_pretrained"
)
_MAGIC = re.compile(r"^\s*[!%]")
_UNREADABLE = object()


def read_python(text: str, name: str) -> tuple[list[Given], list[Given]]:
    """Keywords of the calls that set up training, and constants of a known name; then what is no constant.

    Raises:
        WorkbenchError: it is no Python; with the line.
    """
    # A notebook's magics are no Python; their lines stay, so that the others keep their numbers
    plain = "\n".join("" if _MAGIC.match(line) else line for line in text.splitlines())
    try:
        tree = ast.parse(plain)
    except SyntaxError as e:
        raise fault(f"not Python: {e.msg}", f"{name}:{e.lineno or 1}") from e
    except (ValueError, RecursionError, MemoryError) as e:
        raise fault("not Python that can be read", name) from e
    constants: dict[str, Any] = {}
    given: list[Given] = []
    unread: list[Given] = []
    for node in sorted(
        (node for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.Call)),
        key=lambda node: (node.lineno, node.col_offset),
    ):
        if isinstance(node, ast.Assign):
            value = _value(node.value, constants)
            for target in node.targets:
                if isinstance(target, ast.Name) and value is not _UNREADABLE:
                    constants[target.id] = value
                    if target.id in OURS and len(target.id) > 2:
                        given.append(Given(target.id, value, f"{name}:{node.lineno}"))
        elif _CALLS.fullmatch(_called(node)):
            for keyword in node.keywords:
                if keyword.arg is None:
                    continue
                value = _value(keyword.value, constants)
                where = f"{name}:{keyword.value.lineno}"
                if value is not _UNREADABLE or keyword.arg in NOT_HERE:
                    given.append(Given(keyword.arg, None if value is _UNREADABLE else value, where))
                else:
                    unread.append(Given("unread", f"{keyword.arg}={_source(keyword.value)}", where))
    return given, unread


def _called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _value(node: ast.expr, constants: dict[str, Any]) -> Any:
    """A literal, a constant that was assigned before, or `torch.bfloat16`."""
    if isinstance(node, ast.Name):
        return constants.get(node.id, _UNREADABLE)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "torch":
        return node.attr
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return _UNREADABLE
    if isinstance(value, tuple):
        return list(value)
    is_plain = value is None or isinstance(value, bool | int | float | str | list | dict)
    return value if is_plain else _UNREADABLE


def _source(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return "?"
