"""The card of a run that ran out of memory: what it needed, and what would save how much."""

from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.runs.status import RunStatus, State
from workbench.ui.text import counted, shown
from workbench.ui.widgets.memory_bar import size, stacked

if TYPE_CHECKING:
    from workbench.runs.folder import Run
    from workbench.runs.forecast.oom import OomCard

SHOWN_CHANGES = 6


class OomCardView(Static):
    """Shown for such a run alone; its log and the headers of its model are read by a thread.

    Attributes:
        card: of the run that was considered last; None for any other run, and until it is read.
    """

    class Read(Message):
        """The card is there: what the keys can do has changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.card: OomCard | None = None
        self._for: tuple[Run, int] | None = None
        self.display = False

    def consider(self, run: "Run | None", status: RunStatus | None) -> None:
        """Show the card of `run` if it has one."""
        failed = run is not None and status is not None and status.state is State.FAILED
        wanted = (run, status.attempt) if run and status and failed else None
        if wanted == self._for:
            return
        self._for, self.card, self.display = wanted, None, False
        if wanted is not None:
            self._read(wanted)

    @work(thread=True, exclusive=True, group="oom", exit_on_error=False)
    def _read(self, wanted: "tuple[Run, int]") -> None:
        from workbench.runs.forecast.oom import oom_card

        worker = get_current_worker()
        try:
            card = oom_card(wanted[0])
        except WorkbenchError:  # the reason of the run's end stays on screen
            card = None
        if card is not None and not worker.is_cancelled:
            self.app.call_from_thread(self._take, wanted, card)

    def _take(self, wanted: "tuple[Run, int]", card: "OomCard") -> None:
        if wanted == self._for:
            self.card, self.display = card, True
            self._draw()
            self.post_message(self.Read())

    def on_resize(self) -> None:
        """The bar is as wide as the screen."""
        if self.card is not None:
            self._draw()

    def _draw(self) -> None:
        assert self.card is not None
        self.update(card_text(self.card, max(10, self.content_size.width)))


def card_text(card: "OomCard", width: int) -> Text:
    """The card; what the changed run would do is marked with a `*`."""
    rows = f"{counted(card.micro_batch, 'example')} at a time"
    tokens = f", {card.tokens:,} tokens" if card.tokens else ""
    text = Text("out of memory", style="bold")
    text.append(
        f" with {rows}{tokens}: about {size(card.memory.total)} of {size(card.room)}, mostly "
        f"{card.memory.largest}\n",
        style="not bold",
    )
    text.append_text(stacked(card.memory.parts, card.room, width))
    planned = {change.name for change in card.plan}
    for change in card.changes[:SHOWN_CHANGES]:
        cost = f" ({change.cost})" if change.cost else ""
        mark = "*" if change.name in planned else " "
        text.append_text(shown(f"\n{mark} -{size(change.saved):>8}  {change.name}{cost}", "not bold"))
    if card.plan:
        text.append("\nf", style="bold")
        text.append(
            " starts it anew with *" if card.fits else " tries * (may still be too little)", "not bold"
        )
    else:
        text.append("\nno setting is known that would save enough: take a smaller base model", "not bold")
    return text


def plan_text(card: "OomCard") -> str:
    """What the changed run has other than this one, for the question before it starts."""
    lines = [
        f"{change.name}: {size(change.saved)} less" + (f"; {change.cost}" if change.cost else "")
        for change in card.plan
    ]
    lines += [f"{key} = {value}" for key, value in card.overrides.items()]
    return "\n".join(lines)
