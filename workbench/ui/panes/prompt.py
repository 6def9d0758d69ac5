"""The prompt pane: one example exactly as it trains, as text, as tokens, and with its loss mask."""

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Input, Static

from workbench.data.example import Rejected
from workbench.errors import WorkbenchError
from workbench.prompts.encoded import Encoded
from workbench.ui.actions import bindings
from workbench.ui.panes.base import Pane
from workbench.ui.text import shown
from workbench.ui.widgets.tokens import MODES, TokenView


class PromptPane(Pane):
    """What the trainer will see of the selected row."""

    PLACE = "prompt"
    BINDINGS = bindings("prompt")

    def compose(self) -> ComposeResult:
        """Figures, warnings, the tokens; the row input appears when asked for."""
        yield Static(id="figures")
        yield Static(id="warnings")
        yield TokenView(id="tokens")
        yield Static(id="legend")

    def on_mount(self) -> None:
        """Nothing is rendered before the pane comes into view."""
        self.encoded: Encoded | None = None
        self._row_count = 0

    def came_into_view(self) -> None:
        """Render the selected row with the project as it is now."""
        self.query_one(TokenView).focus()
        self._render_row()

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _render_row(self) -> None:
        """Tokenizers take tens of milliseconds to load: never in the event loop."""
        workspace = self.workspace
        source, row = workspace.row
        try:
            dataset, encoder = workspace.dataset(), workspace.encoder()
            state = dataset.sources[source] if source < len(dataset.sources) else None
            if state is None or state.error or not state.known_rows:
                self.app.call_from_thread(
                    self._refuse, str(state.error if state else "there is no row to show")
                )
                return
            made = dataset.example(source, row)
            outcome = made if isinstance(made, Rejected) else encoder.encode(made)
            tokens = [encoder.tokenizer.token(i) for i in outcome.ids] if isinstance(outcome, Encoded) else []
            stops = set(encoder.stop_ids)
        except WorkbenchError as error:
            self.app.call_from_thread(self._refuse, str(error))
            return
        self._row_count = state.known_rows
        template = encoder.template.name
        self.app.call_from_thread(self._show, outcome, tokens, stops, template)

    def _refuse(self, why: str) -> None:
        self.encoded = None
        self.query_one("#figures", Static).update(shown(f"! {why}", "bold"))
        self.query_one("#warnings", Static).update("")
        self.query_one(TokenView).show([], [], [], [], stops=set(), text="")
        self.workbench.refresh_keys()

    def _show(self, outcome: Encoded | Rejected, tokens: list[str], stops: set[int], template: str) -> None:
        source, row = self.workspace.row
        head = Text.assemble(
            (f"row {row}", "bold"), f" of {self._row_count:,}", f", source {source + 1}" if source else ""
        )
        if isinstance(outcome, Rejected):
            self._refuse(f"row {row} is not trained on: {outcome.reason} {outcome.detail}")
            return
        self.encoded = outcome
        trained = sum(outcome.mask)
        share = trained / len(outcome.mask) if outcome.mask else 0
        head.append(f"  {len(outcome.ids):,} tokens, {trained:,} trained ({share:.0%})")
        head.append("  stop token trained" if outcome.stop_trained else "  ! stop token NOT trained")
        head.append_text(Text.assemble("  template ", shown(template, "bold")))
        self.query_one("#figures", Static).update(head)
        lines = list(outcome.warnings)
        if outcome.truncated:
            lines.append(f"{outcome.truncated} tokens are cut off at data.max_tokens")
        self.query_one("#warnings", Static).update(shown("\n".join(f"! {line}" for line in lines)))
        self.query_one("#warnings").display = bool(lines)
        view = self.query_one(TokenView)
        view.show(tokens, outcome.ids, outcome.mask, outcome.spans, stops=stops, text=outcome.text)
        self.query_one("#legend", Static).update(view.legend())
        self.workbench.refresh_keys()

    # Actions

    def why_not(self, name: str) -> str | None:
        """There has to be a row."""
        if name in ("previous_row", "next_row", "goto") and not self._row_count:
            return "there is no row"
        if name == "previous_row" and self.workspace.row[1] == 0:
            return "this is the first row"
        if name == "next_row" and self.workspace.row[1] + 1 >= self._row_count:
            return "this is the last row"
        if name in ("copy", "mode") and self.encoded is None:
            return "nothing is rendered"
        return None

    def _go(self, row: int) -> None:
        self.workspace.row = (self.workspace.row[0], max(0, min(row, self._row_count - 1)))
        self._render_row()

    def do_previous_row(self) -> None:
        """The row before this one."""
        self._go(self.workspace.row[1] - 1)

    def do_next_row(self) -> None:
        """The row after this one."""
        self._go(self.workspace.row[1] + 1)

    def do_mode(self) -> None:
        """Text, tokens, tokens with ids."""
        view = self.query_one(TokenView)
        view.mode = MODES[(MODES.index(view.mode) + 1) % len(MODES)]
        self.query_one("#legend", Static).update(view.legend())

    async def do_goto(self) -> None:
        """Ask for a row number."""
        if not self.query("#goto"):
            field = Input(
                placeholder=f"row number, 0 to {self._row_count - 1}", id="goto", type="integer", compact=True
            )
            await self.mount(field, before="#figures")
            field.focus()

    @on(Input.Submitted, "#goto")
    async def _went(self, event: Input.Submitted) -> None:
        await event.input.remove()
        self.query_one(TokenView).focus()
        if event.value.strip().isdigit():
            self._go(int(event.value))

    async def key_escape(self) -> None:
        """Leave the row input."""
        for field in self.query("#goto"):
            await field.remove()
            self.query_one(TokenView).focus()

    def do_template(self) -> None:
        """Choose the base model's own template, a built-in one, or a file of the project; saved at once."""
        from workbench.project.store import save_settings
        from workbench.prompts.template import BUILT_IN
        from workbench.ui.widgets.pick import Pick

        files = sorted(
            str(file.relative_to(self.workspace.project.folder))
            for file in self.workspace.project.folder.rglob("*.jinja")
        )
        names = ["base", *BUILT_IN, *files]

        def chosen(index: int | None) -> None:
            if index is None:
                return
            try:
                saved = save_settings(self.workspace.project, {"prompt.template": names[index]})
            except WorkbenchError as error:
                self.workbench.tell(error)
                return
            self.workbench.project_changed(saved)
            self._render_row()

        self.app.push_screen(Pick("Chat template", names), chosen)

    def do_copy(self) -> None:
        """The rendered text to the clipboard."""
        from workbench.ui.clipboard import copy

        assert self.encoded is not None
        self.workbench.say(copy(self.app, self.encoded.text))
