"""What must hold between settings, or inside one in a way that a type cannot say."""

import re
from collections.abc import Iterator

from workbench.project.complaints import Complaint
from workbench.project.positions import KeyPath
from workbench.project.schema import Project
from workbench.project.source import FieldsSource, MessagesSource

_COLUMN = re.compile(r"\{[^{}]+\}")


def broken_relations(settings: Project) -> Iterator[Complaint]:
    """Every relation that valid settings break."""
    if settings.model.quantization != "none" and settings.training.method != "lora":
        yield Complaint(
            ("model", "quantization"),
            f"{settings.model.quantization} weights cannot be trained",
            'training.method must be "lora", or quantization "none"',
            (("training", "method"),),
        )
    yield from _count_or_share(("data", "validation"), settings.data.validation, "rows")
    yield from _count_or_share(("training", "warmup_steps"), settings.training.warmup_steps, "steps")
    for i, source in enumerate(settings.data.source):
        path = ("data", "source", i)
        if isinstance(source, FieldsSource):
            yield from _names_columns(path, source)
        elif isinstance(source, MessagesSource) and source.role == source.content:
            what = f"role and content are the same key, {source.role!r}"
            yield Complaint((*path, "content"), what, involved=((*path, "role"),))


def _count_or_share(path: KeyPath, value: float, unit: str) -> Iterator[Complaint]:
    if value > 1 and value != int(value):
        hint = "below 1 it is a share, from 1 on a count"
        yield Complaint(path, f"not a whole number of {unit}: {value:g}", hint)


def _names_columns(path: KeyPath, source: FieldsSource) -> Iterator[Complaint]:
    hint = 'write a column in braces, such as "{output}"'
    if not any(map(_COLUMN.search, source.user)):
        yield Complaint((*path, "user"), "names no column, all rows would ask the same", hint)
    if not _COLUMN.search(source.assistant):
        yield Complaint((*path, "assistant"), "names no column, all rows would answer the same", hint)
