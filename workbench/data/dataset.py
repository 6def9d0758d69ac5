"""All the sources of a project as examples, with every row that is left out counted by its reason."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.data.cleaning import Cleaner
from workbench.data.example import Example, Origin, Rejected, Row
from workbench.data.files.rows import RowError, Rows
from workbench.data.files.sources import is_hub, open_source
from workbench.data.mapping.mapper import Mapper
from workbench.errors import WorkbenchError, fault
from workbench.project.paths import expanded
from workbench.project.source import Source
from workbench.project.store import OpenProject


@dataclass(frozen=True, slots=True)
class SourceState:
    """One `[[data.source]]` as it was found: its rows, or why they cannot be read."""

    source: Source
    path: Path
    rows: Rows | None
    error: WorkbenchError | None = None

    @property
    def known_rows(self) -> int:
        """Rows that can be read at once; grows while the index is being built."""
        return self.rows.known if self.rows else 0

    @property
    def complete(self) -> bool:
        """Whether `known_rows` is the number of rows of the file."""
        return self.rows is None or self.rows.complete


class Dataset:
    """The rows and examples of a project. All methods may be called from several threads at once."""

    def __init__(self, sources: list[SourceState]) -> None:
        """Raises WorkbenchError for cleaning rules that cannot be carried out."""
        self.sources = sources
        self._mappers = [Mapper(state.source) for state in sources]
        self._cleaners = [Cleaner(state.source.clean) for state in sources]

    def row(self, source: int, i: int) -> Row:
        """Row `i` of a source as the file has it. Raises RowError when it is broken, else WorkbenchError."""
        rows = self._rows(source)
        try:
            return rows[i]
        except IndexError as e:
            raise fault(f"there is no row {i}; it has {len(rows)} rows, counted from 0", rows.path) from e

    def mapped(self, source: int, i: int) -> Example | Rejected:
        """What row `i` of a source becomes before it is cleaned. Raises WorkbenchError as `example`."""
        try:
            row = self.row(source, i)
        except RowError as e:
            return Rejected(Origin(source, i), e.reason, e.detail)
        return self._mappers[source].map(row, Origin(source, i))

    def example(self, source: int, i: int) -> Example | Rejected:
        """What row `i` of a source becomes. Raises WorkbenchError when there is no such row or source."""
        mapped = self.mapped(source, i)
        return mapped if isinstance(mapped, Rejected) else self._cleaners[source].clean(mapped)

    def examined(self, source: int) -> Iterator[tuple[Example | Rejected, tuple[str, ...]]]:
        """What each row of a source becomes, in order, with the cleaning rules that changed something.

        Raises WorkbenchError when its file cannot be read.
        """
        mapper, cleaner = self._mappers[source], self._cleaners[source]
        for i, row in enumerate(self._rows(source).scan()):
            origin = Origin(source, i)
            if isinstance(row, RowError):
                yield Rejected(origin, row.reason, row.detail), ()
            elif isinstance(mapped := mapper.map(row, origin), Rejected):
                yield mapped, ()
            else:
                yield cleaner.touched(mapped)

    @property
    def bytes(self) -> int:
        """Size of all files; one that went away meanwhile counts nothing."""
        total = 0
        for state in self.sources:
            for file in state.rows.files if state.rows else ():
                with suppress(OSError):
                    total += file.stat().st_size
        return total

    def require_readable(self) -> None:
        """Raises WorkbenchError with what is wrong with every source that cannot be read."""
        if broken := [state.error for state in self.sources if state.error]:
            raise WorkbenchError(*(problem for error in broken for problem in error.problems))

    def close(self) -> None:
        """Let go of the files."""
        for state in self.sources:
            if state.rows:
                state.rows.close()

    def _rows(self, source: int) -> Rows:
        if not self.sources:
            raise fault("the project names no data yet", "project.toml", "add a [[data.source]]")
        if not 0 <= source < len(self.sources):
            raise fault(f"there is no source {source}; the project has {len(self.sources)}, counted from 0")
        state = self.sources[source]
        if state.rows is None:
            raise state.error or fault("cannot be read", state.path)
        return state.rows


def open_dataset(project: OpenProject) -> Dataset:
    """The sources of a project. A file that cannot be read raises nothing: its state carries the error."""
    states = []
    for source in project.settings.data.source:
        path = source_path(project.folder, source)
        try:
            states.append(SourceState(source, path, open_source(source, project.folder)))
        except WorkbenchError as e:
            states.append(SourceState(source, path, None, e))
    return Dataset(states)


def source_path(folder: Path, source: Source) -> Path:
    """What a source names: relative to the project's folder, or absolute; `~` is the home folder."""
    return Path(source.path) if is_hub(source.path) else folder / expanded(source.path)
