"""Ask what an evaluation shall compare, and say what that comes to before anything is started."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, get_args

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.evaluation.grid import DEFAULT_GRID
from workbench.evaluation.planning import CHECKPOINTS, Kind
from workbench.ui.text import shown
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.evaluation.plan import Plan
    from workbench.project.store import OpenProject
    from workbench.runs.folder import Run

KINDS: tuple[Kind, ...] = get_args(Kind)
ABOUT = {
    "models": "the base model, zero-shot and few-shot, and checkpoints",
    "templates": "the base model with each template of the project",
    "bases": "several base models",
    "sampling": "one model with several sampling settings",
}
ASKED = {
    "models": (f"Which checkpoints: {', '.join(CHECKPOINTS)}, or the number of a step", "all"),
    "templates": ("", ""),
    "bases": (
        "Further base models: folders or hub ids, commas between",
        "such as models/merged, embedded",
    ),
    "sampling": (
        "Sampling settings, each with its values",
        " ".join(f"{name}={','.join(f'{each:g}' for each in axis)}" for name, axis in DEFAULT_GRID.items()),
    ),
}
"""What is asked for each kind, and what stands for an empty answer, or an example."""

KEYS = "↑ ↓ what is compared   enter starts it   esc leaves"


class EvaluateDialog(ModalScreen["Plan | None"]):
    """Answers the plan that was shown when enter was pressed; None on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
    ]

    def __init__(self, project: "OpenProject", runs: "Sequence[Run]" = ()) -> None:
        """`runs`: whose checkpoints are compared; of the newest run without one."""
        super().__init__()
        self._project, self._runs = project, runs
        self._planned: tuple[tuple[Kind, str], Plan] | None = None

    def compose(self) -> ComposeResult:
        """What is compared, what else is asked for, what that comes to, keys."""
        with Vertical(classes="dialog dialog-list"):
            yield Static(Text("Evaluate: hold models against each other on the same rows", style="bold"))
            yield VirtualTable([Column("", 10), Column("", 1.0)], self._cells, id="kinds")
            yield Static(id="asked")
            yield Input(compact=True, id="given")
            with VerticalScroll(can_focus=False):
                yield Static(id="evaluate-plan")
            yield Static(KEYS, classes="dialog-keys")

    def on_mount(self) -> None:
        """The table follows the arrows; letters go to the input."""
        table = self.query_one(VirtualTable)
        table.can_focus = False
        table.set_row_count(len(KINDS))
        self._ask()

    def _cells(self, row: int) -> list[str]:
        return [KINDS[row], ABOUT[KINDS[row]]]

    @property
    def _wanted(self) -> tuple[Kind, str]:
        return KINDS[self.query_one(VirtualTable).cursor], self.query_one(Input).value.strip()

    def _ask(self) -> None:
        """What has to be typed for the chosen kind."""
        asked, example = ASKED[self._wanted[0]]
        field = self.query_one(Input)
        field.disabled = not asked
        field.value, field.placeholder = "", example
        self.query_one("#asked", Static).update(asked or "Nothing else is asked for")
        field.focus()
        self._plan(self._wanted)

    def action_move(self, rows: int) -> None:
        """Another kind of comparison."""
        table = self.query_one(VirtualTable)
        before = table.cursor
        table.action_move(rows)
        if table.cursor != before:
            self._ask()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._plan(self._wanted)

    @work(thread=True, exclusive=True, group="plan", exit_on_error=False)
    def _plan(self, wanted: tuple[Kind, str]) -> None:
        """Checkpoints are looked through: never in the event loop."""
        worker, made = get_current_worker(), None
        try:
            made = plan_of(self._project, *wanted, self._runs)
            text = _told(made)
        except WorkbenchError as error:
            text = shown(f"✗ {error}", "bold")
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, wanted, made, text)

    def _show(self, wanted: tuple[Kind, str], made: "Plan | None", text: Text) -> None:
        self._planned = None if made is None else (wanted, made)
        for line in self.query("#evaluate-plan").results(Static):
            line.update(text)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._begin()

    def key_enter(self) -> None:
        """Where nothing can be typed, enter comes here."""
        self._begin()

    def _begin(self) -> None:
        """Only what has been shown is started."""
        if self._planned is not None and self._planned[0] == self._wanted:
            self.dismiss(self._planned[1])

    def action_leave(self) -> None:
        """Nothing is started."""
        self.dismiss(None)


def plan_of(project: "OpenProject", kind: Kind, given: str, runs: "Sequence[Run]" = ()) -> "Plan":
    """The plan of what a person typed in the dialog, which the command line spells with options.

    Raises:
        WorkbenchError: as `make_plan`, and settings of a decoding that cannot be.
    """
    from workbench.evaluation.decodings import parse_decodings
    from workbench.evaluation.planning import make_plan

    match kind:
        case "models":
            return make_plan(project, kind, runs=runs, checkpoints=given or "all")
        case "bases":
            return make_plan(project, kind, bases=[name.strip() for name in given.split(",") if name.strip()])
        case "sampling":
            cells = parse_decodings(given, project.settings.evaluation.decoding)
            return make_plan(project, kind, runs=runs, checkpoints="best", decodings=cells)
    return make_plan(project, kind)


def _told(plan: "Plan") -> Text:
    settings = plan.settings
    measured = []
    if settings.perplexity != "off":
        measured.append(f"perplexity ({settings.perplexity})")
    if settings.answers:
        measured.append(f"answers of {settings.decoding.max_new_tokens} tokens at most")
    if settings.classifier:
        measured.append(f"labels by {settings.classifier}")
    rows = f"{settings.take:,} of the {plan.side} rows" if settings.take else f"all {plan.side} rows"
    text = shown(f"{rows}: {', '.join(measured)}   (3 Setup, evaluation)\n")
    count = len(plan.contestants)
    text.append_text(Text(f"{count} model{'' if count == 1 else 's'}\n", style="bold"))
    return text.append_text(shown("\n".join(f"  {contestant.name}" for contestant in plan.contestants)))
