"""What panes with several views share: a line that names them, one of them below, keys to go through them."""

from importlib import import_module
from typing import ClassVar

from rich.text import Text
from textual.widgets import ContentSwitcher, Static

from workbench.ui.panes.base import Acting, Pane
from workbench.ui.widgets.view_line import ViewLine


class View(Acting):
    """One view; its actions are of place `PLACE.NAME`."""

    NAME: ClassVar[str]

    def came_into_view(self) -> None:
        """Called each time the view is shown: keys go to it."""

    def fill(self) -> None:
        """Show what is known by now. The same may be shown again."""

    def tell(self, where: str, text: str | Text) -> None:
        """Write one of the view's lines; an empty one takes no room."""
        line = self.query_one(where, Static)
        line.update(text)
        line.display = bool(str(text))


class ViewedPane(Pane):
    """A pane with a `ViewLine`, and a `ContentSwitcher` of id `views` whose parts have the views' names.

    A view NAME is the class `NameView` of the module NAME of the pane's package, made when it is first shown.
    """

    VIEWS: ClassVar[dict[str, str]]
    """Name and title of each, in their order."""

    @property
    def current(self) -> str:
        """Name of the view in sight."""
        return self.query_one(ViewLine).current

    @property
    def view(self) -> View:
        """The view in sight."""
        return self.query_one(f"#{self.current}", View)

    async def show(self, name: str) -> View:
        """Bring a view into sight; made at its first showing."""
        switcher = self.query_one("#views", ContentSwitcher)
        if not switcher.query(f"#{name}"):
            kind = getattr(import_module(f"workbench.ui.panes.{self.PLACE}.{name}"), f"{name.title()}View")
            await switcher.add_content(kind(id=name))
        switcher.current = name
        self.query_one(ViewLine).current = name
        view = self.view
        view.fill()
        if self.in_view:
            view.came_into_view()
        self.workbench.refresh_keys()
        return view

    def why_not(self, name: str) -> str | None:
        """Most actions are those of the view in sight."""
        return None if hasattr(self, f"do_{name}") else self.view.why_not(name)

    async def action_do(self, name: str) -> None:
        """The pane's own actions; else those of the view in sight, which the palette offers as well."""
        if hasattr(self, f"do_{name}"):
            await super().action_do(name)
        else:
            await self.view.action_do(name)

    async def do_next_view(self) -> None:
        """The view after this one."""
        await self._step(1)

    async def do_previous_view(self) -> None:
        """The view before this one."""
        await self._step(-1)

    async def _step(self, by: int) -> None:
        names = list(self.VIEWS)
        await self.show(names[(names.index(self.current) + by) % len(names)])

    def do_other_part(self) -> None:
        """The next part of the view that keys can go to."""
        parts = [part for part in self.view.query("*") if part.can_focus and part.display]
        here = next((i for i, part in enumerate(parts) if part.has_focus), -1)
        if parts:
            parts[(here + 1) % len(parts)].focus()
