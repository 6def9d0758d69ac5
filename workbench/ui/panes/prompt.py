"""The prompt pane: one example exactly as it trains, as text, as tokens, and with its loss mask.

The same row with examples before its question, as the messages that the template gets, and as several
templates write it.
"""

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.ui.actions import bindings
from workbench.ui.panes.base import Pane
from workbench.ui.panes.prompt_row import PromptRow, as_messages, look, show_view
from workbench.ui.panes.prompt_variants import VariantsView
from workbench.ui.text import shown
from workbench.ui.widgets.tokens import MODES, TokenView

if TYPE_CHECKING:
    from workbench.project.schema import FewShot
    from workbench.prompts.preview import View
    from workbench.prompts.shots.few_shot import Deck
    from workbench.prompts.variants import Variant
    from workbench.ui.workspace import Workspace

MOST_EXAMPLES = 100
PROGRESS_SECONDS = 0.25


class PromptPane(Pane):
    """What the trainer will see of the selected row."""

    PLACE = "prompt"
    BINDINGS = bindings("prompt")

    def compose(self) -> ComposeResult:
        """Figures, warnings, the tokens; the row input appears when asked for."""
        yield Static(id="figures")
        yield Static(id="examples")
        yield Static(id="warnings")
        yield TokenView(id="tokens")
        with VerticalScroll(id="messages"):
            yield Static(id="as-messages")
        yield VariantsView(id="variants")
        yield Static(id="legend")

    def on_mount(self) -> None:
        """Nothing is rendered before the pane comes into view."""
        self.made = PromptRow(0, 0)
        self.compared = self.raw = self.with_examples = False
        self._examples = 0
        self._deck: tuple[object, FewShot, Deck] | None = None
        self._doing = ""
        self._progress = self.set_interval(PROGRESS_SECONDS, self._say_progress, pause=True)
        self._growth = self.set_interval(PROGRESS_SECONDS, self._follow_growth, pause=True)
        self._arrange()

    def came_into_view(self) -> None:
        """Render the selected row with the project as it is now."""
        self._focus()
        self.render_row()

    @property
    def places(self) -> dict[str, str]:
        """With several templates side by side there are keys for them."""
        own = {"prompt": "Prompt"}
        return {"prompt.variants": "Templates side by side", **own} if self.compared else own

    @property
    def few_shot(self) -> "FewShot | None":
        """How examples are drawn, as the project has it; the number may have been typed here."""
        settings = self.workspace.project.settings.prompt.few_shot
        count = settings.count or self._examples
        return settings.model_copy(update={"count": count}) if self.with_examples and count else None

    # Rendering, in worker threads

    @work(thread=True, exclusive=True, exit_on_error=False, group="row")
    def render_row(self) -> None:
        """Tokenizers take tens of milliseconds to load: never in the event loop."""
        worker = get_current_worker()
        workspace, few_shot, compared = self.workspace, self.few_shot, self.compared
        made = look(workspace, few_shot, lambda asked: self._draw(workspace, asked))
        views: list[tuple[Variant, View]] = []
        if compared and not worker.is_cancelled:
            try:
                views, _ = self.query_one(VariantsView).render_row(workspace)
            except WorkbenchError as error:
                made.why, made.view = str(error), None
        if not worker.is_cancelled:  # else another row is asked for by now
            self.app.call_from_thread(self._show, made, views)  # type: ignore[arg-type]

    def _draw(self, workspace: "Workspace", settings: "FewShot") -> "Deck | None":
        """The examples of these settings; all rows are counted for the first draw."""
        from workbench.prompts.shots.few_shot_store import open_deck

        worker = get_current_worker()
        if self._deck is None or self._deck[:2] != (workspace, settings):
            self.app.call_from_thread(self._say_doing, "drawing examples")
            try:
                selection = workspace.selection(lambda: worker.is_cancelled)
                if selection is None:
                    return None
                deck = open_deck(workspace.project, workspace.dataset(), settings, selection)
            finally:
                self.app.call_from_thread(self._say_doing, "")
            self._deck = (workspace, settings, deck)
        return self._deck[2]

    async def _show(self, made: PromptRow, views: "list[tuple[Variant, View]]") -> None:
        self.made = made
        self._growth.resume()
        self._index(self.workspace)
        view = self.query_one(TokenView)
        show_view(view, made.view)
        self.query_one("#as-messages", Static).update(as_messages(made.messages))
        if self.compared:
            await self.query_one(VariantsView).show(views)
        self._arrange()
        self.workbench.refresh_keys()

    @work(thread=True, exclusive=True, exit_on_error=False, group="index")
    def _index(self, workspace: "Workspace") -> None:
        """No other pane need have asked for all rows of the source."""
        worker, state = get_current_worker(), self.made.state(workspace)
        if state is not None and state.rows is not None and not state.complete:
            state.rows.build(cancelled=lambda: worker.is_cancelled)

    def _follow_growth(self) -> None:
        """More rows are known while the index is being built."""
        made, state = self.made, self.made.state(self.workspace)
        if state is None or state.complete:
            self._growth.pause()
        if state is not None and made.rows != state.known_rows:
            first, made.rows = not made.rows, state.known_rows
            self.query_one("#figures", Static).update(self._figures())
            self.workbench.refresh_keys()
            if first or made.row != self.workspace.row[1]:
                self.render_row()

    def _arrange(self) -> None:
        """What is in sight now."""
        made = self.made
        self.query_one("#figures", Static).update(self._figures())
        self._tell("#examples", "" if self.compared else made.examples())
        remarks = [] if self.compared and made.rows else made.remarks()
        self._tell("#warnings", "\n".join(f"! {line}" for line in remarks if line))
        tokens = self.query_one(TokenView)
        raw = self.raw and bool(made.messages) and not self.compared
        self.query_one("#tokens").display = not (raw or self.compared)
        self.query_one("#messages").display = raw
        self.query_one(VariantsView).display = self.compared
        legend = tokens.legend() if made.encoded else ""
        self.query_one("#legend", Static).update("what the chat template gets" if raw else legend)

    def _tell(self, where: str, text: str) -> None:
        line = self.query_one(where, Static)
        line.update(shown(text))
        line.display = bool(text)

    def _figures(self) -> Text:
        line = self.made.place() if self.compared else self.made.figures()
        return line.append(f"  {self._doing}…", "bold") if self._doing else line

    def _say_doing(self, doing: str) -> None:
        self._doing = doing
        (self._progress.resume if doing else self._progress.pause)()
        self.query_one("#figures", Static).update(self._figures())

    def _say_progress(self) -> None:
        if self._doing == "drawing examples" and not self.workspace.selected:
            line = self._figures().append(f" {self.workspace.counted:.0%} of the rows counted")
            self.query_one("#figures", Static).update(line)

    def _focus(self) -> None:
        if self.compared and not self.query_one(VariantsView).columns:
            self.focus()  # keys work until the columns are there
        elif self.compared:
            self.query_one(VariantsView).focus_on(None)
        else:
            self.query_one("#messages" if self.query_one("#messages").display else "#tokens").focus()

    # Rows

    def why_not(self, name: str) -> str | None:
        """There has to be a row, and something that is rendered."""
        if self.compared and name in ("add", "remove", "use", "next_column"):
            return self.query_one(VariantsView).why_not(name)
        source, row = self.workspace.row
        rows, rendered = self.made.rows, self.made.encoded is not None
        if name in ("previous_row", "next_row", "goto", "next_warning", "previous_warning") and not rows:
            return "there is no row"
        if name == "previous_row" and row == 0:
            return "this is the first row"
        if name == "next_row" and row + 1 >= rows:
            return "this is the last row"
        if name == "next_source" and self.made.sources < 2:
            return "this project has one source"
        if name in ("copy", "mode") and not rendered and not self.compared:
            return "nothing is rendered"
        if name == "mode" and self.raw and not self.compared:
            return "these are the messages: r shows the text"
        if name == "raw" and not self.made.messages:
            return "the row has no messages"
        if name in ("raw", "few_shot") and self.compared:
            return "v leaves the comparison first"
        if name == "special_tokens" and not self.workspace.project.settings.prompt.special_tokens:
            return "prompt.special_tokens adds none"
        return None

    async def action_do(self, name: str) -> None:
        """The pane's own actions; else those of the templates side by side, which the palette offers too."""
        self.workers.cancel_group(self, "search")
        if hasattr(self, f"do_{name}"):
            await super().action_do(name)
        else:
            await self.query_one(VariantsView).action_do(name)

    def _go(self, row: int) -> None:
        self.workspace.row = (self.workspace.row[0], max(0, min(row, self.made.rows - 1)))
        self.render_row()

    def do_previous_row(self) -> None:
        """The row before this one."""
        self._go(self.workspace.row[1] - 1)

    def do_next_row(self) -> None:
        """The row after this one."""
        self._go(self.workspace.row[1] + 1)

    def do_next_source(self) -> None:
        """The first row of the next source."""
        self.workspace.row = ((self.workspace.row[0] + 1) % self.made.sources, 0)
        self.render_row()

    def do_next_warning(self) -> None:
        """The next row that has something wrong of its own."""
        self._search(1)

    def do_previous_warning(self) -> None:
        """The one before."""
        self._search(-1)

    @work(thread=True, exclusive=True, exit_on_error=False, group="search")
    def _search(self, step: int) -> None:
        from workbench.prompts.searching import next_with_warning

        worker, workspace = get_current_worker(), self.workspace

        def looked(rows: int) -> None:
            self.app.call_from_thread(self._say_doing, f"looked at {rows:,} rows, esc ends")

        try:
            read = workspace.dataset(), workspace.encoder()
            found = next_with_warning(*read, workspace.row, step, looked, lambda: worker.is_cancelled)
        finally:
            self.app.call_from_thread(self._say_doing, "")
        if worker.is_cancelled:
            return
        if found is None:
            self.app.call_from_thread(self.workbench.say, "no other row of this source has a warning")
        else:
            self.app.call_from_thread(self._go, found)

    # Typed numbers

    async def do_goto(self) -> None:
        """Ask for a row number."""
        await self._ask("goto", f"row number, {self._range()}")

    async def _ask(self, name: str, placeholder: str) -> None:
        if not self.query(".asked"):
            asked = Input(placeholder=placeholder, id=name, classes="asked", compact=True)
            await self.mount(asked, before="#figures")
            asked.focus()

    @on(Input.Submitted, "#goto")
    async def _went(self, event: Input.Submitted) -> None:
        asked = event.value.strip()
        if not (asked.isdecimal() and int(asked) < self.made.rows):
            self.workbench.say(f"rows go {self._range()}", "warning")
            return
        await self._asked_enough()
        self._go(int(asked))

    @on(Input.Submitted, "#count")
    async def _counted(self, event: Input.Submitted) -> None:
        asked = event.value.strip()
        if not (asked.isdecimal() and 0 < int(asked) <= MOST_EXAMPLES):
            self.workbench.say(f"from 1 to {MOST_EXAMPLES} examples", "warning")
            return
        await self._asked_enough()
        self.with_examples, self._examples = True, int(asked)
        self.render_row()

    async def _asked_enough(self) -> None:
        await self.query(".asked").remove()
        self._focus()

    def _range(self) -> str:
        return f"from 0 to {self.made.rows - 1}"

    async def key_escape(self) -> None:
        """Leave the input, end a search, or go back to the row by itself."""
        searching = bool(self.workers.cancel_group(self, "search"))
        if self.query(".asked"):
            await self._asked_enough()
        elif self.compared and not searching:
            self.do_variants()
        elif self.with_examples and not searching:
            await self.do_few_shot()

    # What is shown of the row

    def do_mode(self) -> None:
        """Text, tokens, tokens with ids, text with every blank."""
        view = self.query_one(TokenView)
        view.mode = MODES[(MODES.index(view.mode) + 1) % len(MODES)]
        self.query_one(VariantsView).set_mode(view.mode)
        self._arrange()

    def do_raw(self) -> None:
        """The messages that the template gets, or the text that it writes."""
        self.raw = not self.raw
        self._arrange()
        self._focus()
        self.workbench.refresh_keys()

    async def do_few_shot(self) -> None:
        """Examples before the question, or none."""
        if not (self.with_examples or self.workspace.project.settings.prompt.few_shot.count):
            await self._ask("count", f"how many examples, from 1 to {MOST_EXAMPLES}")
            return
        self.with_examples = not self.with_examples
        self.render_row()

    def do_variants(self) -> None:
        """Several templates side by side, or the project's alone."""
        self.compared = not self.compared
        variants = self.query_one(VariantsView)
        if self.compared and len(variants.chosen(self.workspace.project)) < 2:
            variants.do_add()
        self._arrange()
        self._focus()
        self.render_row()

    @on(VariantsView.Changed)
    def _compare_others(self) -> None:
        if len(self.query_one(VariantsView).chosen(self.workspace.project)) < 2:
            self.compared = False
            self._arrange()
            self._focus()
        self.render_row()

    @work(thread=True, exclusive=True, exit_on_error=False, group="explain")
    def do_special_tokens(self) -> None:
        """What the added special tokens change."""
        from workbench.prompts.special_tokens import consequences
        from workbench.ui.widgets.reading import Reading

        settings = self.workspace.project.settings
        told = consequences(
            self.workspace.encoder().tokenizer, settings.prompt.special_tokens, settings.training.method
        )
        self.app.call_from_thread(self.app.push_screen, Reading("Special tokens that are added", told))

    def do_template(self) -> None:
        """Choose the base model's own template, a built-in one, or a file of the project; saved at once."""
        from workbench.project.store import save_settings
        from workbench.prompts.variants import template_names
        from workbench.ui.widgets.pick import Pick

        project = self.workspace.project
        names, now = template_names(project), project.settings.prompt.template

        def chosen(index: int | None) -> None:
            if index is not None:
                with self.telling():
                    changes = {"prompt.template": names[index]}
                    self.workbench.project_changed(save_settings(self.workspace.project, changes))
                    self.render_row()

        here = names.index(now) if now in names else 0
        self.app.push_screen(Pick("Chat template", names, chosen=here), chosen)

    def do_copy(self) -> None:
        """The rendered text, or the messages, to the clipboard."""
        from workbench.ui.clipboard import copy

        column = self.query_one(VariantsView).focused if self.compared else None
        view = column.view if column else self.made.view
        text = as_messages(self.made.messages).plain if self.raw and not self.compared else ""
        if view is not None and view.encoded is not None:
            self.workbench.say(copy(self.app, text or view.encoded.text))
