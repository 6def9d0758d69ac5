"""What the parts of the chat pane share: its columns, the conversation, what is drawn of them."""

from typing import Any

from rich.text import Text
from textual.containers import Horizontal
from textual.widgets import Static

from workbench.chat.conversation import Answer, Conversation, Exchange
from workbench.chat.protocol import Target
from workbench.chat.structure import Structure
from workbench.data.example import Message, Pairs, Role
from workbench.project.base_model import EMBEDDED
from workbench.project.fields import format_value
from workbench.project.schema import ChatSettings
from workbench.ui.panes.base import Pane
from workbench.ui.panes.chat.column import LEAST, ColumnView
from workbench.ui.panes.chat.models import Models
from workbench.ui.panes.chat.turns import Place, left_out
from workbench.ui.text import shown
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.message_input import MessageInput

TOY = "Type a message. This base model is a toy: greetings, capitals, sums, shop talk; it makes up the rest"
WHO: dict[Role, str] = {"assistant": "answer", "user": "you"}
"""Who says what is given with."""
METER_CELLS = 10


class TalkPane(Pane):
    """A pane with columns and a conversation.

    Attributes:
        conversation: questions and answers, with all branches.
        models: the engine and what it holds.
        current: number of the column that keys go to, from 0.
        selected: the turn that was chosen; None for the last.
        markdown: answers are shown as Markdown.
        structure: what is given with a text in the project's data; None for plain text.
        given: what is given with the next messages.
        without: titles of context blocks that this chat leaves out.
    """

    conversation: Conversation
    models: Models
    current: int
    selected: Place | None
    markdown: bool
    structure: Structure | None
    given: dict[Role, Pairs]
    without: set[str]
    answering: bool

    @property
    def changing(self) -> bool:
        """The input holds an older turn that is being changed."""
        raise NotImplementedError

    @property
    def columns(self) -> list[ColumnView]:
        """From left to right."""
        return list(self.query(ColumnView))

    @property
    def column(self) -> ColumnView:
        """The one that keys go to."""
        columns = self.columns
        return columns[min(self.current, len(columns) - 1)]

    @property
    def target(self) -> Target:
        """Whom the current column asks."""
        return self.column.target

    def settings_of(self, column: ColumnView) -> ChatSettings:
        """How a column's answers are drawn: the form's values, its own over them."""
        form = {key.removeprefix("chat."): value for key, value in self.query_one(Form).values.items()}
        return self.workspace.project.settings.chat.model_copy(update=form | column.own)

    def message(self, role: Role, text: str) -> Message:
        """A message of the project's form, with what is given with it now."""
        if self.structure is None:
            return Message(role, text)
        return self.structure.message(role, text, self.given[role])

    # The chosen turn

    @property
    def chosen_exchange(self) -> Exchange | None:
        """Of the chosen turn, or the last one."""
        if self.selected is not None and self.selected[0] in self.conversation.path:
            return self.selected[0]
        return self.conversation.at

    @property
    def chosen_answer(self) -> Answer | None:
        """What the current column said there; of an open question, what it said before."""
        exchange = self.chosen_exchange
        if exchange is None:
            return None
        if exchange is self.conversation.open:
            return self.conversation.last_answer(self.column.number)
        return exchange.answer_for(self.column.number)

    # Drawing

    def draw(self) -> None:
        """All columns, what they are called, the line of state."""
        for column in self.columns:
            self.draw_column(column)
        self.draw_names()
        self.draw_context()
        self.workbench.refresh_keys()

    def draw_column(self, column: ColumnView) -> None:
        """One column's side of the conversation."""
        column.show(
            self.conversation,
            selected=self.selected,
            markdown=self.markdown,
            system=self.settings_of(column).system or column.target.prompt.system,
        )

    def draw_names(self) -> None:
        """Above each column its name; those that have room are shown, the current one among them."""
        columns = self.columns
        row = self.query_one("#columns", Horizontal)
        row.set_class(len(columns) > 1, "-many")
        # While another view takes its place it has no width
        room = max(1, (row.size.width or self.size.width) // LEAST)
        first = max(0, min(self.current - room + 1, len(columns) - room)) if self.current >= room else 0
        for index, column in enumerate(columns):
            column.display = first <= index < first + room
            column.name_it(index == self.current, index + 1, len(columns) > 1)

    def lay_out(self) -> None:
        """Another number of columns may have room."""
        if self.columns:
            self.draw_names()
            if len(self.columns) > 1 and not self.answering:
                self.say_target()

    def say_target(self, state: str = "") -> None:
        """The first line: whom one talks to, what goes on, which settings are not the usual ones."""
        columns, form = self.columns, self.query_one(Form)
        toy = any(each.target.kind == "base" and each.target.base == EMBEDDED for each in columns)
        self.query_one(MessageInput).placeholder = TOY if toy else "Type a message"
        if len(columns) == 1:
            line = Text.assemble("talking to ", shown(self.target.label, "bold"))
        else:
            seen = [str(index + 1) for index, column in enumerate(columns) if column.display]
            hidden = "" if len(seen) == len(columns) else f", {' and '.join(seen)} in view: tab goes on"
            line = Text(f"{len(columns)} columns answer each message{hidden}")
        if state:
            line.append_text(shown(f"   {state}"))
        changed = [
            f"{field.name} {format_value(form.values[field.key])}"
            for field in form.fields
            if form.values.get(field.key) != field.default and field.name != "system"
        ]
        if changed:
            line.append_text(shown(f"   {', '.join(changed)}", "dim"))
        self.query_one("#target", Static).update(line)

    def draw_context(self) -> None:
        """On the edge of the input: what of the context is used, what is sent, what is given."""
        column = self.column
        settings, blocks = self.settings_of(column), column.target.prompt.block
        said = [self._meter(column)]
        if self.structure is not None:
            said += [f"{WHO[role]} {value}" for role in WHO for _, value in self.given[role]]
        if settings.last_turns:
            said.append(f"last {settings.last_turns} sent")
        if blocks:
            said.append(f"{sum(block.title not in self.without for block in blocks)} of {len(blocks)} blocks")
        if (branches := len(self.conversation.branches)) > 1:
            said.append(f"{branches} branches")
        if not self.changing:
            self.query_one("#message", MessageInput).border_title = shown("   ".join(said))

    def _meter(self, column: ColumnView) -> str:
        facts = self.models.facts.get(column.key)
        answer = self.conversation.last_answer(column.number)
        result: dict[str, Any] = answer.result if answer else {}
        used = result.get("prompt_tokens", 0) + result.get("tokens", 0)
        if facts is None and not used:
            return "context ?"
        dropped = f", {left_out(count)}" if (count := result.get("dropped_turns", 0)) else ""
        if facts is None or facts.context is None:
            return f"context {used:,}{dropped}"
        return f"context {bar(used / facts.context, METER_CELLS)} {used:,} of {facts.context:,}{dropped}"

    def focus_turns(self) -> None:
        """Keys go to the conversation, the very next one too: what is typed ahead is no message."""
        self.screen.set_focus(self.column.turns)

    def say_contract(self, said: str) -> None:
        """What one should know before talking to a target."""
        line = self.query_one("#contract", Static)
        line.update(shown(said))
        line.display = bool(said)
