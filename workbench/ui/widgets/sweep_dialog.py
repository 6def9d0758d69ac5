"""Ask what a sweep shall try, and say which runs that is before any is queued."""

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.ui.text import shown
from workbench.ui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.runs.sweep.choices import Plan

ASK = "Settings to vary, each with its values"
EXAMPLE = "training.learning_rate=1e-4,3e-4 training.rank=8,16"

KEYS = "enter shows the runs, then queues them   tab next   esc leaves"


class Typed(NamedTuple):
    """What stands in the fields, by their ids."""

    vary: str
    draws: str
    halve: str


class SweepDialog(Dialog[int | None]):
    """Answers how many runs were queued; None on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, project: "OpenProject") -> None:
        super().__init__()
        self._project = project
        self._planned: tuple[Typed, Plan] | None = None
        self._queueing = False

    def compose(self) -> ComposeResult:
        """What differs, how many are drawn, which runs that is, keys."""
        with Vertical(classes="dialog dialog-list"):
            yield Static(Text("Sweep: one run for each combination", style="bold"))
            yield Static(ASK)
            yield Input(placeholder=EXAMPLE, compact=True, id="vary")
            yield Static("Draws by chance; ranges such as 1e-5..1e-3 need them")
            yield Input(placeholder="all of them", compact=True, id="draws")
            yield Static("Steps to begin with, if the best third goes on with 3x")
            yield Input(placeholder="all train in full", compact=True, id="halve")
            with VerticalScroll():
                yield Static(id="sweep-plan")
            yield Static(KEYS, classes="dialog-keys")

    @property
    def _typed(self) -> Typed:
        return Typed(*(self.query_one(f"#{name}", Input).value.strip() for name in Typed._fields))

    @on(Input.Changed)
    def _changed(self) -> None:
        self._plan(self._typed)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Only what has been shown is queued."""
        event.stop()
        if self._planned is None or self._planned[0] != self._typed:
            self._plan(self._typed)
        elif not self._queueing:
            self._queueing = True
            self._queue(self._planned[1])

    @work(thread=True, exclusive=True, group="plan", exit_on_error=False)
    def _plan(self, typed: Typed) -> None:
        """Every run's settings are checked: 10 ms each, never in the event loop."""
        from workbench.runs.naming import about
        from workbench.runs.sweep.choices import parse_axes, plan

        worker, made, text = get_current_worker(), None, Text()
        try:
            if typed.vary:
                axes, draws = parse_axes(typed.vary), count_of(typed.draws, "every combination")
                halve = count_of(typed.halve, "training in full")
                made = plan(self._project, axes, draws, halve=halve)
                names = "\n".join(f"  {about(each)}" for each in made.projects)
                text = shown(f"{len(made.projects)} run{'' if len(made.projects) == 1 else 's'}\n{names}")
                if made.moves_validation:
                    moved = ", ".join(made.moves_validation)
                    warned = f"! {moved} changes what validation measures: not comparable across it\n"
                    text = Text.assemble((shown(warned, "bold")), text)
        except WorkbenchError as error:
            text = shown(f"✗ {error}", "bold")
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, typed, made, text)

    def _show(self, typed: Typed, made: "Plan | None", text: Text) -> None:
        self._planned = None if made is None else (typed, made)
        for plan in self.query("#sweep-plan").results(Static):
            plan.update(text)

    @work(thread=True, group="queue", exit_on_error=False)
    def _queue(self, made: "Plan") -> None:
        from workbench.runs.sweep.store import enqueue_sweep

        try:
            enqueue_sweep(
                made.projects, made.keys, halving=made.halving, moves_validation=made.moves_validation
            )
        except WorkbenchError as error:
            self._queueing = False
            self.app.call_from_thread(self._show, self._typed, None, shown(f"✗ {error}", "bold"))
        else:
            self.app.call_from_thread(self.dismiss, len(made.projects))

    def action_leave(self) -> None:
        """Nothing is queued."""
        self.dismiss(None)


def count_of(typed: str, without: str) -> int | None:
    """A count; None where nothing is typed, which means `without`. Raises WorkbenchError."""
    from workbench.errors import fault

    if not typed:
        return None
    if not typed.isdecimal() or int(typed) < 1:
        raise fault("not a whole number from 1 on", repr(typed), f"leave it empty for {without}")
    return int(typed)
