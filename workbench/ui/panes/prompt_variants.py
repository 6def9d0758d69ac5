"""The selected row as several templates write it, side by side, or in two rows on a small screen."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.events import DescendantFocus, Resize
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from workbench.ui.actions import bindings
from workbench.ui.panes.base import Acting
from workbench.ui.panes.prompt_row import PromptRow, counts, find, show_view
from workbench.ui.text import shown
from workbench.ui.widgets.tokens import TokenView

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.prompts.preview import View
    from workbench.prompts.variants import Made, Variant
    from workbench.ui.workspace import Workspace

MOST = 4
"""Columns that a wide screen has room for."""
COLUMN = 44
"""Cells of a column that is still read with ease."""


class VariantColumn(Vertical):
    """One variant: its name, the tokens, and what there is to say."""

    def __init__(self, variant: "Variant") -> None:
        super().__init__()
        self.variant = variant
        self.view: View | None = None

    def compose(self) -> ComposeResult:
        """Name and figures, tokens, warnings."""
        yield Static(classes="variant-name")
        yield TokenView()
        yield Static(classes="variant-warnings")

    def on_mount(self) -> None:
        """The name stands there before the row is rendered."""
        self.name_it(False)

    @property
    def tokens(self) -> TokenView:
        """What is scrolled and focused."""
        return self.query_one(TokenView)

    def show(self, view: "View", told: "Collection[str]") -> None:
        """The row as this variant writes it, or its error; without the warnings that are told elsewhere."""
        self.view = view
        show_view(self.tokens, view)
        self.tokens.display = view.encoded is not None
        self.name_it(self.tokens.has_focus)
        warnings = self.query_one(".variant-warnings", Static)
        said = [f"! {line}" for line in view.warnings if line not in told]
        warnings.update(shown("\n".join(said)))
        warnings.display = bool(said)

    def name_it(self, focused: bool) -> None:
        """The lines above: `>` marks the one that keys go to."""
        variant = self.variant
        line = Text("> " if focused else "  ", style="bold reverse" if focused else "bold")
        line.append_text(shown(variant.name))
        if variant.own:
            line.append(" (the project's)")
        if not variant.template.endswith(variant.name.replace("_", "-")):
            line.append_text(Text.assemble("  template ", shown(variant.template)))
        if self.view is not None and self.view.encoded is not None:
            line = Text.assemble(line, "\n", counts(self.view, short=True))
        self.query_one(".variant-name", Static).update(line)


class VariantsView(Acting):
    """Up to four columns; keys go to the focused one."""

    BINDINGS = bindings("prompt.variants")

    class Changed(Message):
        """Other variants are to be shown."""

    def compose(self) -> ComposeResult:
        """Columns come with `show`; below them what all of them earn."""
        yield Grid(id="columns")
        yield Static(id="common")

    def on_mount(self) -> None:
        """Nothing is compared yet."""
        self.mode = "text"
        self._added: list[Variant] = []
        self._away: set[Variant] = set()
        self._made: dict[Variant, Made] = {}
        self._made_for: Workspace | None = None

    @property
    def columns(self) -> list[VariantColumn]:
        """As they stand; one that is just being made is not among them."""
        return [column for column in self.query(VariantColumn) if column.is_mounted]

    @property
    def focused(self) -> VariantColumn | None:
        """The column that keys go to."""
        return next((column for column in self.columns if column.tokens.has_focus), None)

    def chosen(self, project: "OpenProject") -> "list[Variant]":
        """The project's own way, its variants, and templates that were put beside them."""
        from workbench.prompts.variants import variants

        own, *others = variants(project)
        listed = [variant for variant in others if variant not in self._away]
        return [own, *listed, *(variant for variant in self._added if variant.template != own.template)]

    def render_row(self, workspace: "Workspace") -> "tuple[list[tuple[Variant, View]], str]":
        """The selected row as each chosen variant writes it, and why there is none; in a worker thread.

        Raises WorkbenchError when the row cannot be read.
        """
        from workbench.prompts.preview import view_of
        from workbench.prompts.variants import make

        made_row = PromptRow(*workspace.row)
        if (outcome := find(workspace, made_row)) is None:
            return [], made_row.why
        if self._made_for is not workspace:
            self._made, self._made_for = {}, workspace
        views = []
        for variant in self.chosen(workspace.project)[:MOST]:
            if variant not in self._made:
                self._made[variant] = make(workspace.project, variant)
            views.append((variant, view_of(self._made[variant], outcome)))
        return views, ""

    async def show(self, views: "Sequence[tuple[Variant, View]]") -> None:
        """One column for each variant, up to `MOST`; those that stand there already stay."""
        views = views[:MOST]
        if [column.variant for column in self.columns] != [variant for variant, _ in views]:
            grid = self.query_one("#columns", Grid)
            focused = self.focused
            if focused is not None and isinstance(self.parent, Widget):
                self.parent.focus()
            await grid.remove_children()
            await grid.mount(*(VariantColumn(variant) for variant, _ in views))
            self.lay_out()
            if not isinstance(self.screen.focused, Input):
                self.focus_on(focused.variant if focused else None)
        common = _common([view for _, view in views])
        line = self.query_one("#common", Static)
        line.update(shown("\n".join(f"! all: {each}" for each in common)))
        line.display = bool(common)
        for column, (_, view) in zip(self.columns, views, strict=True):
            column.tokens.mode = self.mode
            column.show(view, common)

    def focus_on(self, variant: "Variant | None") -> None:
        """Keys go to this variant's column, or to the first."""
        column = next((each for each in self.columns if each.variant == variant), None)
        if column or self.columns:
            (column or self.columns[0]).tokens.focus()

    def set_mode(self, mode: str) -> None:
        """Text, tokens, ids or exact text in all columns."""
        self.mode = mode
        for column in self.columns:
            column.tokens.mode = mode

    @on(Resize)
    def lay_out(self) -> None:
        """As many columns beside each other as are readable, two at least."""
        grid, count = self.query_one("#columns", Grid), len(self.columns)
        if count:
            beside = min(count, max(2, self.size.width // COLUMN))
            beside = -(-count // -(-count // beside))  # 3 and 1 look worse than 2 and 2
            grid.styles.grid_size_columns = beside
            grid.styles.grid_size_rows = -(-count // beside)

    @on(DescendantFocus)
    def _focus_moved(self) -> None:
        for column in self.columns:
            column.name_it(column.tokens.has_focus)
        self.workbench.refresh_keys()

    # Actions

    def why_not(self, name: str) -> str | None:
        """Few columns can be told from each other on one screen."""
        column = self.focused
        if name == "add" and len(self.columns) >= MOST:
            return f"{MOST} templates stand here already: d takes one away"
        if name in ("remove", "use"):
            if column is None:
                return "choose a column with tab"
            if column.variant.own:
                return "this is how the project trains"
            if name == "use" and (column.view is None or column.view.encoded is None):
                return "this template does not write the row"
        return None

    def do_next_column(self) -> None:
        """Keys go to the next column."""
        columns = self.columns
        at = columns.index(self.focused) if self.focused in columns else -1
        columns[(at + 1) % len(columns)].tokens.focus()

    def do_add(self) -> None:
        """Put one more template beside those that stand there."""
        from workbench.prompts.variants import Variant, template_names
        from workbench.ui.widgets.pick import Pick

        project = self.workspace.project
        here = {(each.template, each.system) for each in self.chosen(project)}
        names = [name for name in template_names(project) if (name, None) not in here]

        def chosen(index: int | None) -> None:
            if index is not None:
                self._added.append(Variant(names[index], names[index]))
            self.post_message(self.Changed())

        self.app.push_screen(Pick("Compare with the chat template", names), chosen)

    def do_remove(self) -> None:
        """Take the focused column away; project.toml stays as it is."""
        assert self.focused is not None
        variant = self.focused.variant
        if variant in self._added:
            self._added.remove(variant)
        else:
            self._away.add(variant)
        self.post_message(self.Changed())

    def do_use(self) -> None:
        """The focused variant becomes the project's template; the former one stays beside it."""
        from workbench.project.store import save_settings
        from workbench.prompts.variants import Variant, variants

        assert self.focused is not None
        variant, project = self.focused.variant, self.workspace.project
        former = variants(project)[0]
        changes = {"prompt.template": variant.template}
        if variant.system is not None:
            changes["prompt.system"] = variant.system
        self.workbench.project_changed(save_settings(project, changes))
        self._added = [each for each in self._added if each != variant]
        if all(each.template != former.template for each in self.chosen(self.workspace.project)):
            self._added.insert(0, Variant(former.template, former.template))
        self.workbench.say(f"prompt.template is {variant.template} now")
        self.post_message(self.Changed())


def _common(views: "Sequence[View]") -> list[str]:
    """The warnings that every one of several views has."""
    if len(views) < 2:
        return []
    return [line for line in views[0].warnings if all(line in view.warnings for view in views)]
