"""The line that names the views of a pane with their keys, marks the one in view and says what goes on."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget


class ViewLine(Widget):
    """`[r Rows]  s Sources  ...   counting 43%`; brackets mark the view in sight, so that colour need not."""

    current: reactive[str] = reactive("")
    """Name of the view in sight."""
    doing: reactive[str] = reactive("")
    """What is being read or counted, such as `counting 43%`; empty for nothing."""

    def __init__(self, views: Sequence[tuple[str, str, str]], *, current: str) -> None:
        """Args: views: name, key and title of each."""
        super().__init__()
        self.views = views
        self.set_reactive(ViewLine.current, current)

    def render(self) -> Text:
        """One line; where it is short, the other views are their keys."""
        room = self.size.width - 1 - (cell_len(self.doing) + 1 if self.doing else 0)
        line = self._line(titles=True)
        if line.cell_len > room:
            line = self._line(titles=False)
        if self.doing:
            line.append(" " * max(1, self.size.width - line.cell_len - cell_len(self.doing) - 1))
            line.append(self.doing, style="bold")
        return line

    def _line(self, *, titles: bool) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        for name, key, title in self.views:
            if name == self.current:
                line.append(f"[{key} {title}]", style="bold reverse")
            else:
                line.append(f" {key} {title} " if titles else f" {key} ")
        return line
