"""The forecast of memory as one line of stacked letters, and in words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.ui.text import shown

if TYPE_CHECKING:
    from workbench.project.schema import Project
    from workbench.project.store import OpenProject
    from workbench.prompts.survey.statistics import Statistics
    from workbench.runs.forecast.estimate import Forecaster
    from workbench.runs.forecast.memory import Memory

LETTERS = {
    "weights": ("w", "cyan"),
    "adapter": ("a", "green"),
    "gradients": ("g", "bright_green"),
    "optimiser": ("o", "magenta"),
    "activations": ("v", "yellow"),
    "logits": ("l", "red"),
    "overhead": ("h", "blue"),
}
"""Part to the letter that draws it and its colour: the letter says it without the colour."""

LIMIT = "|"


def stacked(parts: Mapping[str, int], room: int, width: int) -> Text:
    """A bar of exactly `width` cells: each part as its letter, dots for what stays free, `|` at its end.

    Its full width is the need or the room, whichever is larger. A part that is there has a cell where
    possible.
    """
    total = sum(parts.values())
    over = total > room
    cells = width - 1 if over else width
    line = Text(no_wrap=True)
    for name, count in _cells(parts, round(cells * total / max(total, room, 1))).items():
        letter, colour = LETTERS[name]
        line.append(letter * count, style=colour)
    line.append("·" * (cells - line.cell_len), style="dim")
    if over:
        end = cells * room // total
        line = Text.assemble(line[:end], (LIMIT, "bold reverse"), line[end:], no_wrap=True)
    return line


def _cells(parts: Mapping[str, int], width: int) -> dict[str, int]:
    """`width` cells among the parts, by largest remainder; one for each part that is a hundredth or more."""
    total = max(1, sum(parts.values()))
    exact = {name: size / total * width for name, size in parts.items()}
    cells = {name: max(int(value), int(parts[name] * 100 >= total)) for name, value in exact.items()}
    while (over := sum(cells.values()) - width) > 0:
        name = max(cells, key=cells.__getitem__)
        cells[name] -= min(over, max(1, cells[name] // 2))
        if not any(cells.values()):
            break
    for name in sorted(exact, key=lambda each: exact[each] % 1, reverse=True):
        if sum(cells.values()) >= width:
            break
        cells[name] += 1 if parts[name] else 0
    return cells


def size(count: float) -> str:
    """Bytes for a person: `3.2 GiB`, below one `310 MiB`."""
    return f"{count / 2**30:.1f} GiB" if abs(count) >= 2**30 else f"{count / 2**20:.0f} MiB"


def legend(memory: "Memory") -> str:
    """`w weights 96 MiB  v activations 1.1 GiB`, the parts that are a hundredth of the whole or more."""
    told = [
        f"{LETTERS[name][0]} {name} {size(value)}"
        for name, value in memory.parts.items()
        if value * 100 >= memory.total
    ]
    return "  ".join(told)


def in_words(memory: "Memory", room: int, verdict: str) -> Text:
    """`about 2.1 GiB (1.8-2.4 GiB) of 22.0 GiB: fits; most of it activations`, on one line."""
    span = f"{memory.low / 2**30:.1f}-{memory.high / 2**30:.1f} GiB"
    line = Text.assemble("memory ", (f"{size(memory.total)}", "bold"), f" ({span}) of {size(room)} free: ")
    line.append(verdict, style="bold" if verdict == "fits" else "bold reverse")
    line.append(f", mostly {memory.largest}")
    return line


class MemoryBar(Static):
    """The stacked bar, its total with range, room and verdict, and beside or below it what the letters are.

    What is slow (the driver, headers of the weights, the file of measurements) is read by a thread, once for
    each base model and adapter; a forecast takes a millisecond or two.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._made: Forecaster | None = None
        self._made_for: object = None
        self._settings: Project | None = None

    def consider(self, project: "OpenProject", settings: "Project", statistics: "Statistics | None") -> None:
        """Forecast `settings` of `project`, whose rows have these statistics."""
        self._settings = settings
        wanted = (
            project.folder,
            settings.model.base,
            settings.prompt.special_tokens,
            settings.training.continue_from,
            id(statistics),
        )
        if wanted != self._made_for:
            self._made_for, self._made = wanted, None
            self._read(replace(project, settings=settings), statistics, wanted)
        elif self._made is not None:
            self._draw()

    @work(thread=True, exclusive=True, group="forecast", exit_on_error=False)
    def _read(self, project: "OpenProject", statistics: "Statistics | None", wanted: object) -> None:
        from workbench.machine.capacity import capacity
        from workbench.runs.forecast.estimate import forecaster
        from workbench.runs.forecast.measurements import remembered

        worker = get_current_worker()
        try:
            made = forecaster(project, capacity(), statistics, remembered())
        except WorkbenchError as error:
            self.app.call_from_thread(self._take, wanted, None, f"memory: {error.problems[0]}")
        else:
            if not worker.is_cancelled:
                self.app.call_from_thread(self._take, wanted, made, "")

    def _take(self, wanted: object, made: "Forecaster | None", remark: str) -> None:
        if wanted != self._made_for:
            return
        self._made = made
        if remark:
            self.update(shown(remark))
        else:
            self._draw()

    def on_resize(self) -> None:
        """The bar is as wide as the screen."""
        self._draw()

    def _draw(self) -> None:
        if self._made is None or self._settings is None:
            return
        memory = self._made.memory(self._settings)
        width = max(10, self.content_size.width)
        words = in_words(memory, self._made.room, self._made.verdict(memory))
        letters = Text(legend(memory))
        gap = "   " if words.cell_len + letters.cell_len + 3 <= width else "\n"
        for line in (words, letters):
            line.truncate(width, overflow="ellipsis")
        self.update(Text.assemble(stacked(memory.parts, self._made.room, width), "\n", words, gap, letters))
