"""A bounded Jinja sandbox for chat templates, which are foreign code.

The language is the one that transformers gives them (utils/chat_template_utils.py): immutable sandbox,
trimmed blocks, `break` and `continue`, `tojson`, `raise_exception`, `strftime_now` and `{% generation %}`.
On top of it every render has a budget of loop rounds, of processor time and of characters, so that a
template cannot hang or fill the memory.
"""

import json
import re
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace as AnyNamespace

from workbench.errors import Problem, WorkbenchError

ROUNDS = 300_000
SECONDS = 10.0
CHARACTERS = 10_000_000
MOST_INDENT = 100


class TemplateFault(WorkbenchError):
    """A template that cannot be compiled or rendered.

    Attributes:
        refused: the template said so itself with `raise_exception`; otherwise it is a mistake in the
        template.
        message: what it said, without the place.
    """

    def __init__(self, message: str, where: str, *, refused: bool = False, hint: str = "") -> None:
        super().__init__(Problem(message, where, hint))
        self.message = message
        self.refused = refused


class _Refused(jinja2.TemplateError):
    """Raised by a template's own `raise_exception(...)`."""


class _BoundedCode(CodeGenerator):
    """Generates the usual code, plus a count of rounds in every loop and a look at the size of every `~`."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        count = nodes.Call(nodes.EnvironmentAttribute("count_round"), [], [], None, None)
        node.body.insert(0, nodes.ExprStmt(count).set_lineno(node.lineno))
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.join_parts((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Generation(Extension):
    """`{% generation %} ... {% endgeneration %}`: the characters between are an answer."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("note"), [], [], body).set_lineno(line)

    def note(self, caller: Callable[[], str]) -> str:
        text = caller()
        environment = self.environment
        assert isinstance(environment, Environment)
        environment.spans.append((environment.written, environment.written + len(text)))
        return text


class Environment(ImmutableSandboxedEnvironment):
    passes_on: tuple[type[Exception], ...] = ()
    """Exceptions that leave a render as they are."""
    code_generator_class = _BoundedCode
    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
        self.filters["tojson"] = _tojson
        self.filters = {name: _bounded(name, do) for name, do in self.filters.items()}
        self.globals.update(raise_exception=_refuse, strftime_now=self.now, namespace=Namespace)
        self.begin()

    def begin(self) -> None:
        """Start a render with a full budget."""
        self.rounds = 0
        self.deadline = time.thread_time() + SECONDS
        self.written = 0
        self.spans: list[tuple[int, int]] = []
        self.read_clock = False

    def now(self, form: str) -> str:
        """`strftime_now`: today's date, which makes tomorrow's prompt another one."""
        self.read_clock = True
        return datetime.now().strftime(form)

    def count_round(self) -> None:
        """Called at the start of every round of every loop."""
        self.rounds += 1
        if self.rounds > ROUNDS:
            raise SecurityError(f"more than {ROUNDS:,} rounds of loops")
        if self.rounds % 1000 == 0 and time.thread_time() > self.deadline:
            raise SecurityError(f"more than {SECONDS:g} seconds of work")

    def join_parts(self, parts: tuple[Any, ...]) -> str:
        """The `~` operator."""
        text = str_join(parts)
        _check_size(len(text))
        return text

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse `'a' * 10**9` and its like before they are computed."""
        if operator == "%" and isinstance(left, str):
            _check_widths(left)
        elif isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * (right if operator == "**" else 1) + right.bit_length()
            if bits > 4096:
                raise SecurityError("a number that large is not allowed")
        elif operator == "*":
            count, repeated = (left, right) if isinstance(left, int) else (right, left)
            if isinstance(count, int) and hasattr(repeated, "__len__"):
                _check_size(len(repeated) * count)
        elif operator == "+" and hasattr(left, "__len__") and hasattr(right, "__len__"):
            _check_size(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Refuse `'a'.center(10**9)` and its like; `range` has its own limit in the sandbox."""
        if __obj is not __self.globals["range"]:
            # The sandbox hands out `str.format` wrapped
            owner = getattr(getattr(__obj, "__wrapped__", __obj), "__self__", None)
            args = _checked(getattr(__obj, "__name__", ""), owner, args, kwargs)
        return super().call(__context, __obj, *args, **kwargs)


class Namespace(AnyNamespace):
    """Jinja's namespace without underscore names, as in transformers."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise SecurityError(f"a namespace takes no name with an underscore first: {name!r}")
        super().__setitem__(name, value)


class Program:
    """A compiled chat template. One render at a time: the budget and the spans belong to the environment."""

    def __init__(self, source: str, file: str, kind: type[Environment] | None = None) -> None:
        """Compile; raises TemplateFault with ``file:line``. `kind` is a stricter sandbox."""
        self._file = file
        self._lock = Lock()
        self._environment = (kind or Environment)()
        try:
            code = self._environment.compile(source, name=Path(file).name, filename=file)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateFault(f"not a valid template: {error.message}", f"{file}:{error.lineno}") from None
        except self._environment.passes_on:
            raise
        except Exception as error:  # foreign code: too deep a nesting is a RecursionError, for one
            raise TemplateFault(f"not a valid template: {_said(error)}", file) from None
        variables = self._environment.make_globals(None)
        self._template = jinja2.Template.from_code(self._environment, code, variables)

    def render(self, variables: Mapping[str, Any]) -> tuple[str, list[tuple[int, int]], bool]:
        """The text, the character ranges of its `{% generation %}` blocks, and whether it asked for the date.

        Raises TemplateFault with ``file:line`` for whatever goes wrong in the template.
        """
        with self._lock:
            environment = self._environment
            environment.begin()
            pieces: list[str] = []
            try:
                for piece in self._template.generate(**variables):
                    pieces.append(piece)
                    environment.written += len(piece)
                    _check_size(environment.written)
            except environment.passes_on:
                raise
            except Exception as error:  # foreign code may raise anything
                refused = isinstance(error, _Refused)
                raise TemplateFault(_said(error), self._place(error), refused=refused) from None
            return "".join(pieces), environment.spans, environment.read_clock

    def _place(self, error: BaseException) -> str:
        """``file:line`` of the innermost line of the template that was running."""
        lines = [
            line
            for frame, line in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_filename == self._file
        ]
        return f"{self._file}:{lines[-1]}" if lines else self._file


def _said(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return f"{type(error).__name__}: {text}" if not isinstance(error, jinja2.TemplateError) else text


def _check_size(characters: int) -> None:
    if characters > CHARACTERS:
        raise SecurityError(f"more than {CHARACTERS:,} characters")


def _check_widths(form: str) -> None:
    if re.search(r"\d{7}|%[^%]*\*", form):
        raise SecurityError("a field width that large is not allowed")


def _checked(name: str, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
    """The arguments of a method or filter of `value`, after a look at how much it would write with them."""
    if any(isinstance(number, int) and number > CHARACTERS for number in (*args, *named.values())):
        raise SecurityError("a number that large is not allowed as an argument")
    if isinstance(value, str) and name in ("format", "format_map"):
        _check_widths(value)
    elif isinstance(value, str) and name == "replace" and len(args) > 1:
        _check_size(len(value) + value.count(str(args[0])) * len(str(args[1])))
    elif isinstance(value, str) and name == "join" and args:
        parts = list(args[0])
        _check_size(len(value) * len(parts))
        args = (parts, *args[1:])
    return args


def _bounded(name: str, do: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that refuses what `_checked` refuses; compiled templates call filters past `call`."""
    before = 2 if hasattr(do, "jinja_pass_arg") else 1  # context or environment, then the value

    @wraps(do)
    def bounded(*args: Any, **named: Any) -> Any:
        if name == "join":  # its value are the parts, its first argument is what goes between them
            parts = list(args[before - 1])
            _check_size(len(str(args[before] if len(args) > before else named.get("d", ""))) * len(parts))
            return do(*args[: before - 1], parts, *args[before:], **named)
        return do(*args[:before], *_checked(name, args[before - 1], args[before:], named), **named)

    return bounded


def _refuse(message: str) -> NoReturn:
    raise _Refused(message)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if isinstance(indent, int) and indent > MOST_INDENT:
        raise SecurityError(f"an indent of more than {MOST_INDENT}")
    # Jinja's own filter escapes HTML characters
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )
