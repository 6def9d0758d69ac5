"""What the prompt pane shows of the selected row: made in a worker thread, told in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from workbench.data.example import Example, Message, Rejected
from workbench.errors import WorkbenchError
from workbench.ui.text import clean_lines, shown

if TYPE_CHECKING:
    from workbench.data.dataset import SourceState
    from workbench.project.schema import FewShot
    from workbench.prompts.encoding.encoded import Encoded
    from workbench.prompts.preview import View
    from workbench.prompts.shots.few_shot import Deck, Shots
    from workbench.ui.widgets.tokens import TokenView
    from workbench.ui.workspace import Workspace

DETAIL_CHARACTERS = 20_000


@dataclass
class PromptRow:
    """What became of the selected row.

    Attributes:
        source: its source.
        row: its number.
        rows: how many that source has so far.
        sources: how many sources there are.
        view: as the trainer sees it, or as it is scored; None when `why` says why not.
        why: why there is nothing to show.
        template: name of the chat template.
        deck: where examples were drawn from; None without few-shot.
    """

    source: int
    row: int
    rows: int = 0
    sources: int = 0
    view: "View | None" = None
    why: str = ""
    template: str = ""
    deck: "Deck | None" = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the template gets."""
        return self.view.messages if self.view else ()

    @property
    def encoded(self) -> "Encoded | None":
        """Text, ids and mask; None when nothing is rendered."""
        return self.view.encoded if self.view else None

    def figures(self) -> Text:
        """Which row, how long it is, and how much of it is trained."""
        line = self.place()
        if self.view is None or self.encoded is None:
            return line
        line.append("  ").append_text(counts(self.view))
        return line.append_text(Text.assemble("  template ", shown(self.template, "bold")))

    def place(self) -> Text:
        """Which row; empty when there is none."""
        if not self.rows:
            return Text()
        line = Text.assemble((f"row {self.row}", "bold"), f" of {self.rows:,}")
        if self.sources > 1:
            line.append(f", source {self.source + 1} of {self.sources}")
        return line

    def state(self, workspace: "Workspace") -> "SourceState | None":
        """The source of the row as it is open now; its index may still be growing."""
        opened = workspace.opened
        return opened.sources[self.source] if opened and self.source < len(opened.sources) else None

    def remarks(self) -> list[str]:
        """What is wrong with the row, or with how it is rendered."""
        if self.view is None:
            return [self.why]
        if self.view.encoded is None:
            return [f"not trained on: {self.view.why[:DETAIL_CHARACTERS]}"]
        return self.view.warnings

    def examples(self) -> str:
        """Which examples stand before the question, and where they come from."""
        if self.deck is None or self.view is None or self.view.shots is None:
            return ""
        settings, shots = self.deck.settings, self.view.shots
        several = self.sources > 1
        told = ", ".join(_place(shot, several, settings.balance) for shot in shots.examples)
        kept = ", as stored in few_shot.json" if self.deck.stored else ""
        line = f"{settings.count} examples from {settings.pool}, seed {settings.seed}{kept}: {told}"
        return f"{line}\n{_replaced(shots)}" if shots.replaced else line


def show_view(tokens: "TokenView", view: "View | None") -> None:
    """A row in the widget for tokens; empty where it is left out."""
    if view is None or view.encoded is None:
        tokens.show([], [], [], [], stops=set(), text="")
        return
    encoded = view.encoded
    tokens.show(view.tokens, encoded.ids, encoded.mask, encoded.spans, stops=view.stops, text=encoded.text)


def counts(view: "View", *, short: bool = False) -> Text:
    """Tokens, how many of them are trained, and whether stopping is."""
    encoded = view.encoded
    assert encoded is not None
    tokens, trained = len(encoded.mask), sum(encoded.mask)
    gap = ", " if short else "  "
    if view.asked:
        return Text.assemble(f"{tokens:,} tokens{gap}", ("no answer: the prompt that asks for one", "bold"))
    verb, stop = "scored" if view.shots else "trained", "stop" if short else "stop token"
    share = "" if short else f" ({trained / max(1, tokens):.0%})"
    line = Text(f"{tokens:,} tokens, {trained:,} {verb}{share}{gap}")
    return line.append(f"{stop} {verb}" if encoded.stop_trained else f"! {stop} NOT {verb}")


def look(
    workspace: "Workspace", few_shot: "FewShot | None", drawn: "Callable[[FewShot], Deck | None]"
) -> PromptRow:
    """Render the selected row, or the last one when the file has become shorter.

    Args:
        workspace: the open project and its selected row.
        few_shot: put examples before the question.
        drawn: the deck for these settings; None when it was cancelled.
    """
    made = PromptRow(*workspace.row)
    try:
        if (outcome := find(workspace, made)) is None:
            return made
        encoder = workspace.encoder()
        made.template = encoder.template.name
        from workbench.prompts.preview import few_shot_view, view

        if few_shot is not None and isinstance(outcome, Example):
            made.deck = drawn(few_shot)
        if made.deck is not None and isinstance(outcome, Example):
            made.view = few_shot_view(encoder, outcome, made.deck)
        else:
            made.view = view(encoder, outcome)
    except WorkbenchError as error:
        made.why = str(error)
    return made


def find(workspace: "Workspace", made: PromptRow) -> Example | Rejected | None:
    """What the selected row becomes; None when there is none, which `made.why` explains then.

    Raises WorkbenchError.
    """
    dataset = workspace.dataset()
    made.sources = len(dataset.sources)
    if made.source >= made.sources:
        made.why = "no [[data.source]] in project.toml yet: a in 1 Data adds one from a data file"
        return None
    state = dataset.sources[made.source]
    made.rows = state.known_rows
    if not made.rows:
        made.why = str(state.error or "there is no row")
        return None
    made.row = min(made.row, made.rows - 1)
    return dataset.example(made.source, made.row)


def as_messages(messages: tuple[Message, ...]) -> Text:
    """A conversation as the chat template gets it; a structured content key by key."""
    text = Text()
    for message in messages:
        text.append(f"{message.role}\n", style="bold")
        for name, value in message.given:
            text.append_text(shown(f"{name} = {value[:DETAIL_CHARACTERS]}\n", "italic"))
        if message.text_key:
            text.append_text(shown(f"{message.text_key} =\n", "italic"))
        text.append(f"{clean_lines(message.content[:DETAIL_CHARACTERS])}\n\n")
    return text


def _place(shot: Example, several: bool, tag: str) -> str:
    place = f"source {shot.origin.source + 1} row {shot.origin.row}" if several else f"row {shot.origin.row}"
    value = dict(shot.tags).get(tag)
    return f"{place} ({value})" if value else place


def _replaced(shots: "Shots") -> str:
    rows = ", ".join(f"row {origin.row}" for origin in shots.replaced)
    return f"drawn, but not shown: {rows}, the row itself or one that says the same"
