"""What a chat template makes of any conversation of one shape: fixed text, and places for the messages.

The template is run once on contents that are single characters of a private-use plane, in an environment
that watches them. A content may be joined to other text, stripped, passed on and asked whether it is there;
whatever else a template does with one (comparing, searching, counting, cutting) ends the attempt with
`Watched`. A template that gets through writes the same text around the contents of every conversation of
that shape, provided that these are neither blank nor have blanks around them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from jinja2 import nodes
from jinja2.runtime import Context, Macro, Undefined
from jinja2.visitor import NodeTransformer

from workbench.prompts.sandbox import Environment, Namespace

FIRST = 0xF0000
"""Supplementary Private Use Area-A: 65,534 characters that no template and no tokenizer has a use for."""
MOST = 0xFFFD
STANDS_IN = re.compile(f"[{chr(FIRST)}-{chr(FIRST + MOST - 1)}]")
_KNOWN_TESTS = frozenset(("defined", "undefined", "none", "string", "mapping", "sequence", "iterable"))
_ON_TEXTS = frozenset(("trim", "string", "default", "d"))
_ON_LISTS = frozenset(("length", "count", "first", "last", "list", "items", "default", "d"))
_BY_ROLE = frozenset(("selectattr", "rejectattr"))
_STRIPS = frozenset(("strip", "lstrip", "rstrip"))
_OF_JINJA = frozenset(("caller", "_loop_vars", "_block_vars"))
_LOOKUPS = frozenset(("get", "items", "keys", "values"))


class Watched(Exception):
    """The template looks at a content: what it writes cannot be told from the shape alone."""


def stand_in(number: int) -> str:
    """The character that stands for content `number`. Raises Watched when there are too many."""
    if number >= MOST:
        raise Watched
    return chr(FIRST + number)


class WatchingEnvironment(Environment):
    """The sandbox, with a look at every place where a content could change what is written."""

    passes_on = (Watched,)

    def __init__(self) -> None:
        super().__init__()
        self.filters = {name: self._watched_filter(name, do) for name, do in self.filters.items()}
        tests: Mapping[str, Any] = self.tests
        self.tests = {name: self._watched_test(name, do) for name, do in tests.items()}
        self.finalize = self.put_out

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        if next(tree.find_all((nodes.EvalContextModifier, nodes.ScopedEvalContextModifier)), None):
            raise Watched  # autoescape changes what a content reads like
        changed: nodes.Template = _Marking().visit(tree)
        return changed

    def unseen(self, value: Any) -> Any:
        """For operands of comparisons, and what is sliced."""
        if _holds(value):
            raise Watched
        return value

    def no_text(self, value: Any) -> Any:
        """For what is looped over: the items of a list, never the characters of a content."""
        if isinstance(value, str) and _holds(value):
            raise Watched
        return value

    def put_out(self, value: Any) -> Any:
        """For what is written: a container would be written as Python writes it."""
        if not isinstance(value, str) and _holds(value):
            raise Watched
        return value

    def join_parts(self, parts: tuple[Any, ...]) -> str:
        """The `~` operator."""
        return super().join_parts(tuple(self.put_out(part) for part in parts))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Texts and lists may be joined."""
        if operator != "+":
            self.unseen(left), self.unseen(right)
        return super().call_binop(context, operator, left, right)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A content has no items, and is no key."""
        self.unseen(argument)
        if isinstance(obj, str) and not isinstance(argument, str):
            self.unseen(obj)
        return super().getitem(obj, argument)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Macros, namespaces and our own hooks take contents; methods of contents only strip."""
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if owner is __self:
            return __obj(*args)
        if not (isinstance(__obj, Macro) or __obj is dict or __obj is Namespace):
            __self.unseen([*args, *(value for key, value in kwargs.items() if key not in _OF_JINJA)])
            if isinstance(owner, str) and _holds(owner) and (name not in _STRIPS or args):
                raise Watched
            if isinstance(owner, dict | list | tuple) and _holds(owner) and name not in _LOOKUPS:
                raise Watched
        return super().call(__context, __obj, *args, **kwargs)

    def _watched_filter(self, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        before = 1 if hasattr(do, "jinja_pass_arg") else 0

        @wraps(do)
        def watched(*args: Any, **named: Any) -> Any:
            value, further = args[before], args[before + 1 :]
            if _holds(value):
                if isinstance(value, str):
                    allowed = name in _ON_TEXTS and not (name == "trim" and (further or named))
                else:
                    allowed = name in _ON_LISTS or (name in _BY_ROLE and further[:1] == ("role",))
                if not allowed:
                    raise Watched
            if name not in ("default", "d"):
                self.unseen([*further, *named.values()])
            return do(*args, **named)

        return watched

    def _watched_test(self, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(do)
        def watched(*args: Any, **named: Any) -> Any:
            if name not in _KNOWN_TESTS:
                self.unseen([value for value in args if value is not self and not isinstance(value, Context)])
            return do(*args, **named)

        return watched


class _Marking(NodeTransformer):
    """Puts the environment's hooks around what it would not see otherwise."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _hooked("unseen", node.expr)
        for operand in node.find_all(nodes.Operand):
            operand.expr = _hooked("unseen", operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _hooked("no_text", node.node)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _hooked("no_text", node.iter)  # type: ignore[arg-type]
        return node


def _hooked(name: str, node: nodes.Expr) -> nodes.Expr:
    hook = nodes.EnvironmentAttribute(name)
    return nodes.Call(hook, [node], [], None, None).set_lineno(node.lineno)  # type: ignore[return-value]


def _holds(value: Any) -> bool:
    """A content is in it, or may be."""
    if isinstance(value, str):
        return STANDS_IN.search(value) is not None
    if value is None or isinstance(value, int | float | Undefined | Macro):
        return False
    if isinstance(value, Mapping):
        return any(_holds(part) for pair in value.items() for part in pair)
    if isinstance(value, Sequence):
        return any(_holds(part) for part in value)
    return True
