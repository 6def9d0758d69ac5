"""Answers of two to four contestants to the same row, side by side; rated blind, edited, remarked on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.widgets import Static

from workbench.evaluation import judged
from workbench.evaluation.contents import Key, RowResult
from workbench.evaluation.votes import Ballot, Choice, read_votes, said_of, tally, vote
from workbench.ui.actions import bindings
from workbench.ui.panes.evaluate.judging import JudgeView
from workbench.ui.panes.evaluate.row_text import conversation, findings_text
from workbench.ui.text import shown

if TYPE_CHECKING:
    from workbench.evaluation.contents import Contents

MOST = 4
COLUMN_CELLS = 38
"""An answer is not read in less."""
BLIND = ("A", "B")
RATING = ("better_first", "better_second", "tie", "both_bad", "end_rating")


class AnswerColumn(Vertical):
    """One answer under the name of who wrote it."""

    def compose(self) -> ComposeResult:
        """Name and text."""
        yield Static(classes="answer-name")
        with VerticalScroll():
            yield Static(classes="answer")

    def say(self, name: Text, text: Text) -> None:
        """Another answer."""
        self.query_one(".answer-name", Static).update(name)
        self.query_one(".answer", Static).update(text)


class BesideView(JudgeView):
    """The row above, its answers below."""

    NAME = "beside"
    BINDINGS = bindings("evaluate.beside")

    def compose(self) -> ComposeResult:
        """Where one is, what was asked, a column for each answer."""
        yield Static(id="beside-said")
        with VerticalScroll(id="beside-asked"):
            yield Static(id="beside-row")
        with Horizontal(id="answer-columns"):
            for _ in range(MOST):
                yield AnswerColumn()

    def on_mount(self) -> None:
        """Nothing is chosen yet: as many contestants as there is room for."""
        self.row = 0
        self._models: list[int] = []
        self._of: object = None
        self.ballot: Ballot | None = None
        self._left: list[Ballot] = []

    def came_into_view(self) -> None:
        """Keys scroll the first answer."""
        self._columns()[0].query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        """Columns that are too narrow to be read are left out."""
        self.fill()

    def go_to(self, row: Key) -> None:
        """Show this row."""
        assert self.seen is not None
        keys = [each.key for each in self.seen.contents.rows]
        self.row = keys.index(row) if row in keys else 0
        self.fill()

    # What is shown

    def fill(self) -> None:
        """The row, and what is answered by now."""
        nothing = self.nothing_yet()
        if nothing or self.seen is None:
            self._of, self.ballot = None, None
            self.tell("#beside-said", shown(nothing))
            self.query_one("#beside-row", Static).update("")
            for column in self.query(AnswerColumn):
                column.display = False
            return
        contents = self.seen.contents
        if self._of != contents.evaluation:
            self._of, self.ballot, self.row = contents.evaluation, None, 0
            # The first one and the last, which is the newest checkpoint: what a narrow screen has room for
            count = len(contents.plan.contestants)
            self._models = list(dict.fromkeys([0, count - 1, *range(count)]))[:MOST]
        self.row = min(self.row, len(contents.rows) - 1)
        self.query_one("#beside-row", Static).update(conversation(contents.rows[self.row]))
        for column in self.query(AnswerColumn):
            column.display = False
        for column, (name, text) in zip(self._columns(), self._answers(contents), strict=True):
            column.display = True
            column.say(name, text)
        self.tell("#beside-said", self._said(contents))

    @property
    def models(self) -> list[int]:
        """Numbers of the contestants in view, by column, in the plan's order."""
        return sorted(self._models[: max(2, (self.size.width or MOST * COLUMN_CELLS) // COLUMN_CELLS)])

    def _columns(self) -> Sequence[AnswerColumn]:
        count = 2 if self.ballot is not None else max(1, len(self.models))
        return list(self.query(AnswerColumn))[:count]

    def chosen_model(self) -> int:
        """The contestant whose column has the keys, else the first."""
        columns = self._columns()
        here = next((n for n, column in enumerate(columns) if column.has_focus_within), 0)
        return self.models[here]

    def result(self, model: int) -> RowResult:
        """What a contestant did with the row in view."""
        assert self.seen is not None
        return self.seen.contents.results[model].row(self.row)

    def _answers(self, contents: "Contents") -> list[tuple[Text, Text]]:
        if self.ballot is not None:
            names = [contestant.name for contestant in contents.plan.contestants]
            pair = [names.index(name) for name in (self.ballot.left, self.ballot.right)]
            return [
                (Text(f" {letter} ", "bold reverse"), _answer(self.result(model)))
                for letter, model in zip(BLIND, pair, strict=True)
            ]
        chosen, several = self.chosen_model(), len(self.models) > 1
        told = []
        for model in self.models:
            name = contents.plan.contestants[model].name
            title = shown(f"{'> ' * (several and model == chosen)}{name}", "bold")
            perplexity = self.result(model).perplexity
            if perplexity is not None:
                title.append(f"  ppl {perplexity:.4g}", "not bold")
            told.append((title, self.judged(model).append_text(_answer(self.result(model), found=True))))
        return told

    def _said(self, contents: "Contents") -> Text:
        row, count = contents.rows[self.row], len(contents.rows)
        line = Text.assemble(f"row {self.row + 1} of {count:,}, id ", shown(row.id, "bold"))
        if self.ballot is not None:
            line = Text.assemble(
                (f"Rating, {len(self._left):,} to go: ", "bold"),
                "which answer is better?   ",
                ("a", "bold"),
                " A   ",
            )
            for key, what in (("b", "B"), ("=", "as good"), ("0", "both bad"), ("esc", "ends")):
                line.append_text(Text.assemble((key, "bold"), f" {what}   "))
            return line
        hidden = len(self._models) - len(self.models)
        return line.append(f"   {hidden} more do not fit: m chooses" if hidden > 0 else "")

    @on(DescendantFocus)
    def _focused(self) -> None:
        if self.seen is not None and self.ballot is None:
            self.fill()

    # Actions

    def why_not(self, name: str) -> str | None:
        """Rating has keys of its own."""
        if reason := self.nothing_yet():
            return reason
        assert self.seen is not None
        if name in RATING:
            return None if self.ballot is not None else "r starts rating, names hidden"
        if self.ballot is not None:
            return "you are rating: a, b, = or 0; esc ends it"
        if name in ("rate", "models") and len(self.seen.contents.plan.contestants) < 2:
            return "there is one model: nothing to hold it against"
        if name in ("edit", "issue") and self.result(self.chosen_model()).answer is None:
            return "there is no answer of this model"
        return None

    def do_next_row(self) -> None:
        """The row after this one, from the last one to the first."""
        self._step(1)

    def do_previous_row(self) -> None:
        """The row before this one."""
        self._step(-1)

    def _step(self, by: int) -> None:
        assert self.seen is not None
        self.row = (self.row + by) % len(self.seen.contents.rows)
        self.fill()
        self.query_one("#beside-asked").scroll_home(animate=False)

    def do_models(self) -> None:
        """Choose a model to put in, or to take out."""
        from workbench.ui.widgets.pick import Pick

        assert self.seen is not None
        contestants, here = self.seen.contents.plan.contestants, self.models
        items = [f"{'[x]' if n in here else '[ ]'} {each.name}" for n, each in enumerate(contestants)]

        def chosen(index: int | None) -> None:
            if index is None:
                return
            if index not in here:
                # The newest takes the last place: there it has room on any screen
                kept = [model for model in self._models if model != index]
                self._models = [*kept[: min(MOST, max(2, self.size.width // COLUMN_CELLS)) - 1], index]
            elif len(self._models) > 1:
                self._models.remove(index)
            self.fill()

        self.app.push_screen(Pick("Put in or take out", items), chosen)

    # Rating

    def do_rate(self) -> None:
        """The first pair of answers that is not rated yet."""
        assert self.seen is not None
        names = [self.seen.contents.plan.contestants[model].name for model in self.models]
        self._left = judged.open_ballots(self.seen.contents, names)
        if not self._left:
            self._sum_up("All pairs of different answers of these models are rated")
            return
        self._next()

    def _next(self) -> None:
        assert self.seen is not None
        self.ballot = self._left[0] if self._left else None
        if self.ballot is None:
            self.fill()
            self._sum_up("All of them are rated")
        else:
            self.go_to((self.ballot.source, self.ballot.row))
        self.workbench.refresh_keys()

    def _vote(self, choice: Choice) -> None:
        assert self.seen is not None and self.ballot is not None
        vote(self.seen.evaluation.votes, self.ballot, choice)
        self._left = self._left[1:]
        self._next()

    def do_better_first(self) -> None:
        """A is better."""
        self._vote("A")

    def do_better_second(self) -> None:
        """B is better."""
        self._vote("B")

    def do_tie(self) -> None:
        """Both are as good."""
        self._vote("tie")

    def do_both_bad(self) -> None:
        """Neither will do."""
        self._vote("both bad")

    def do_end_rating(self) -> None:
        """No more for now; says what was found so far."""
        self.ballot = None
        self.fill()
        self.workbench.refresh_keys()
        self._sum_up("What was rated so far")

    def _sum_up(self, title: str) -> None:
        from workbench.ui.widgets.reading import Reading

        assert self.seen is not None
        votes, broken = read_votes(self.seen.evaluation.votes)
        said = said_of(tally(votes), broken) or ["nothing yet"]
        self.app.push_screen(Reading(title, "\n\n".join(said).split("\n")))


def _answer(result: RowResult, *, found: bool = False) -> Text:
    if result.answer is None:
        return shown(result.skipped or "no answer yet", "italic")
    text = findings_text(result) if found else Text()
    body = shown(result.answer.text) if result.answer.text.strip() else Text("(empty)", "italic")
    if text:
        text.append("\n")
    return text.append_text(body)
