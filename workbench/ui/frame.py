"""The frame around the panes: a line with project, tabs and the run that goes on above, the key bar below."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from workbench.ui.actions import Action
from workbench.ui.text import clean, shown

NAME_CELLS = 4
"""So much of the project's name stays on the shortest line."""


class TopLine(Widget):
    """`project   [1 Data] 2 Prompt ...   state of the newest run`."""

    project: reactive[str] = reactive("")
    place: reactive[str] = reactive("")
    running: reactive[str] = reactive("")
    """Steps of the run that goes on, such as `12/120`; empty when none does."""
    paused: reactive[bool] = reactive(False)
    """That run waits."""
    waiting: reactive[int | None] = reactive(None)
    """Runs that wait in the queue while it is worked off; None when it is not."""

    def __init__(self, tabs: Sequence[tuple[str, str, str]]) -> None:
        """Args: tabs: place, key and title of each pane."""
        super().__init__()
        self.tabs = tabs

    def render(self) -> Text:
        """One line. Where it is short, the run is said in figures only; then panes by their keys alone, and
        the name of the project is cut."""
        width = self.size.width
        tabs, name = self._tabs(), shown(clean(self.project), "bold")
        room = width - tabs.cell_len - NAME_CELLS - 4
        running = self._told()
        if cell_len(running) > room:
            running = self._told(words=False)
        if cell_len(running) > room:
            tabs = self._tabs(words=False)
        name.truncate(max(NAME_CELLS, width - tabs.cell_len - cell_len(running) - 4), overflow="ellipsis")
        line = Text.assemble(" ", name, " ", tabs, no_wrap=True, overflow="ellipsis")
        gap = width - line.cell_len - cell_len(running) - 1
        if running and gap > 0:
            line.append(" " * gap)
            line.append_text(shown(running, "bold"))
        return line

    def _tabs(self, *, words: bool = True) -> Text:
        tabs = Text()
        for place, key, title in self.tabs:
            if place == self.place:
                tabs.append(f"[{key} {title}]", style="bold reverse")
            else:
                tabs.append(f" {key} {title} " if words else f" {key} ")
        return tabs

    def _told(self, *, words: bool = True) -> str:
        """The run that goes on, and the queue."""
        sign, state = ("‖", "PAUSED") if self.paused else ("●", "RUNNING")
        running = f"{sign} {state} {self.running}" if words else f"{sign} {self.running}"
        queue = "" if self.waiting is None else f"» QUEUE {self.waiting}" if words else f"» {self.waiting}"
        return "  ".join(part for part in (running if self.running else "", queue) if part)


class KeyBar(Widget):
    """What the keys do here; `?` always stands at the right, refused keys stand in parentheses."""

    keys: reactive[tuple[tuple[Action, bool], ...]] = reactive(())

    def render(self) -> Text:
        """As many keys as fit, and help; where room is short, the last keys stand without words."""
        last = Text.assemble(("?", "bold"), " help  ", ("q", "bold"), " quit ")
        room = self.size.width - last.cell_len - 1
        line = Text(" ", no_wrap=True)
        for piece in self._fitting(room):
            line.append_text(piece)
            line.append("  ")
        line.append(" " * max(0, room + 1 - line.cell_len))
        line.append_text(last)
        return line

    def _fitting(self, room: int) -> list[Text]:
        """Refused keys go first, then the words of the last keys, then the last keys."""
        keys = list(self.keys)
        while _cells(pieces := [_key(*each) for each in keys]) > room and not all(works for _, works in keys):
            refused = [index for index, (_, works) in enumerate(keys) if not works]
            del keys[refused[-1]]
        for index in reversed(range(len(pieces))):
            if _cells(pieces) > room:
                pieces[index] = Text(keys[index][0].key, "bold")
        while pieces and _cells(pieces) > room:
            del pieces[-1]
        return pieces


def _cells(pieces: Sequence[Text]) -> int:
    return sum(piece.cell_len + 2 for piece in pieces) + 1


def _key(action: Action, works: bool) -> Text:
    piece = Text.assemble((action.key, "bold"), f" {action.label}")
    return piece if works else Text.assemble("(", piece, ")", style="dim")
