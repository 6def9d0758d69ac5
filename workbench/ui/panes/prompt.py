"""The prompt pane: one example exactly as it trains, as text, as tokens, and with its loss mask."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from workbench.data.example import Rejected
from workbench.errors import WorkbenchError
from workbench.prompts.encoded import Encoded
from workbench.ui.actions import bindings
from workbench.ui.panes.base import Pane
from workbench.ui.panes.data import DETAIL_CHARACTERS
from workbench.ui.text import shown
from workbench.ui.widgets.tokens import MODES, TokenView

if TYPE_CHECKING:
    from workbench.ui.workspace import Workspace


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
        worker = get_current_worker()
        made = _make(self.workspace)
        if not worker.is_cancelled:  # else another row is asked for by now
            self.app.call_from_thread(self._show, made)

    def _show(self, made: "_Made") -> None:
        self._row_count, self.encoded = made.rows, made.encoded
        view = self.query_one(TokenView)
        if made.encoded is None:
            view.show([], [], [], [], stops=set(), text="")
        else:
            encoded = made.encoded
            view.show(
                made.tokens, encoded.ids, encoded.mask, encoded.spans, stops=made.stops, text=encoded.text
            )
        self.query_one("#figures", Static).update(made.figures())
        remarks = self.query_one("#warnings", Static)
        remarks.update(shown("\n".join(f"! {line}" for line in made.remarks())))
        remarks.display = bool(made.remarks())
        self.query_one("#legend", Static).update(view.legend() if made.encoded else "")
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
            asked = Input(placeholder=f"row number, {self._range()}", id="goto", compact=True)
            await self.mount(asked, before="#figures")
            asked.focus()

    @on(Input.Submitted, "#goto")
    async def _went(self, event: Input.Submitted) -> None:
        asked = event.value.strip()
        if not (asked.isdecimal() and int(asked) < self._row_count):
            self.workbench.say(f"rows go {self._range()}", "warning")
            return
        await event.input.remove()
        self.query_one(TokenView).focus()
        self._go(int(asked))

    def _range(self) -> str:
        return f"from 0 to {self._row_count - 1}"

    async def key_escape(self) -> None:
        """Leave the row input."""
        for asked in self.query("#goto"):
            await asked.remove()
            self.query_one(TokenView).focus()

    def do_template(self) -> None:
        """Choose the base model's own template, a built-in one, or a file of the project; saved at once."""
        from workbench.project.store import save_settings
        from workbench.prompts.template import BUILT_IN
        from workbench.ui.widgets.pick import Pick

        project = self.workspace.project
        files = [file for place in ("*.jinja", "templates/*.jinja") for file in project.folder.glob(place)]
        names = ["base", *BUILT_IN, *sorted(str(file.relative_to(project.folder)) for file in files)]
        now = project.settings.prompt.template

        here = names.index(now) if now in names else 0

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

        self.app.push_screen(Pick("Chat template", names, chosen=here), chosen)

    def do_copy(self) -> None:
        """The rendered text to the clipboard."""
        from workbench.ui.clipboard import copy

        assert self.encoded is not None
        self.workbench.say(copy(self.app, self.encoded.text))


@dataclass
class _Made:
    """What became of the selected row.

    Attributes:
        row: its number.
        source: its source.
        rows: how many that source has so far.
        why: why there is nothing to show; empty when `encoded` is there.
        encoded: as the trainer sees it.
        tokens: how each of its tokens reads.
        stops: ids that end an answer.
        template: name of the chat template.
    """

    source: int
    row: int
    rows: int = 0
    why: str = ""
    encoded: Encoded | None = None
    tokens: list[str] = field(default_factory=list)
    stops: set[int] = field(default_factory=set)
    template: str = ""

    def figures(self) -> Text:
        """Which row, how long it is, and how much of it is trained."""
        if not self.rows:
            return Text()
        line = Text.assemble((f"row {self.row}", "bold"), f" of {self.rows:,}")
        if self.source:
            line.append(f", source {self.source + 1}")
        if self.encoded is None:
            return line
        tokens, trained = len(self.encoded.mask), sum(self.encoded.mask)
        line.append(f"  {tokens:,} tokens, {trained:,} trained ({trained / max(1, tokens):.0%})")
        line.append("  stop token trained" if self.encoded.stop_trained else "  ! stop token NOT trained")
        return line.append_text(Text.assemble("  template ", shown(self.template, "bold")))

    def remarks(self) -> list[str]:
        """What is wrong with the row, or with how it is rendered."""
        if self.encoded is None:
            return [self.why]
        cut = self.encoded.truncated
        return [*self.encoded.warnings, *([f"{cut} tokens are cut off at data.max_tokens"] if cut else [])]


def _make(workspace: "Workspace") -> _Made:
    """Render the selected row, or the last one when the file has become shorter."""
    made = _Made(*workspace.row)
    try:
        dataset = workspace.dataset()
        if made.source >= len(dataset.sources):
            made.why = "there is no [[data.source]] in project.toml yet"
            return made
        state = dataset.sources[made.source]
        made.rows = state.known_rows
        if not made.rows:
            made.why = str(state.error or "there is no row")
            return made
        made.row = min(made.row, made.rows - 1)
        encoder = workspace.encoder()
        example = dataset.example(made.source, made.row)
        outcome = example if isinstance(example, Rejected) else encoder.encode(example)
        if isinstance(outcome, Rejected):
            detail = f": {outcome.detail[:DETAIL_CHARACTERS]}" if outcome.detail else ""
            made.why = f"not trained on: {outcome.reason}{detail}"
            return made
        made.encoded, made.template, made.stops = outcome, encoder.template.name, set(encoder.stop_ids)
        made.tokens = [encoder.tokenizer.token(i) for i in outcome.ids]
    except WorkbenchError as error:
        made.why = str(error)
    return made
