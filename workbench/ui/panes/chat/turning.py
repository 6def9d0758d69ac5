"""Moves in a conversation: again, otherwise, back, another branch; and which turn keys speak of."""

from workbench.chat.conversation import Conversation, Exchange, depth
from workbench.data.example import Message
from workbench.ui.panes.chat.answering import AnswerPane
from workbench.ui.panes.chat.turns import Place
from workbench.ui.text import clean
from workbench.ui.widgets.message_input import MessageInput

MOVES = ("regenerate", "edit", "undo", "branches", "fresh", "open")
"""What waits for the end of an answer."""


class TurnPane(AnswerPane):
    """A pane whose conversation has branches."""

    _editing: Place | None
    """The turn whose text stands in the input."""

    @property
    def changing(self) -> bool:
        """The input holds an older turn that is being changed."""
        return self._editing is not None

    def take_edit(self, text: str) -> bool:
        """What was typed takes the place of an older turn."""
        if self._editing is None:
            return False
        exchange, is_answer = self._editing
        self.stop_editing()
        if is_answer:
            self.conversation.edit_answer(exchange, self.column.number, text)
            self.selected = None
            self.draw()
            self.workbench.say("the answer is yours now: the next message goes on from it")
        else:
            old = exchange.question
            changed = Message(old.role, text, old.given, old.text_key)
            self.conversation.edit(exchange, changed)
            self.ask()
        return True

    def stop_editing(self) -> None:
        """The input is for messages again."""
        if self._editing is not None:
            self._editing = None
            self.query_one("#message", MessageInput).clear()
            self.draw_context()

    # Actions

    def why_not_turn(self, name: str) -> str | None:
        """Most moves need something that was said; None for other actions too."""
        if name in MOVES and self.answering:
            return "the answer is still being written: x stops it"
        said = self.conversation.at is not None
        if name in ("regenerate", "edit", "previous_turn", "next_turn") and not said:
            return "nothing has been said yet"
        if name == "undo" and not self.conversation.can_undo:
            return "there is nothing to take back"
        if name == "branches" and len(self.conversation.branches) < 2:
            return "there is one branch: g asks again, e changes a turn, either makes another"
        return None

    def do_regenerate(self) -> None:
        """The last question once more; the answers that were there are a branch."""
        self.conversation.ask_again()
        self.ask()

    def do_edit(self) -> None:
        """The chosen turn into the input, the last question where none was chosen."""
        assert self.conversation.at is not None
        place = self.selected if self.selected is not None else (self.conversation.at, False)
        exchange, is_answer = place
        answer = exchange.answer_for(self.column.number)
        if is_answer and answer is None:
            place, is_answer = (exchange, False), False
        self._editing = place
        written = self.query_one("#message", MessageInput)
        written.load_text(answer.message.content if is_answer and answer else exchange.question.content)
        written.move_cursor(written.document.end)
        number = depth(exchange)
        written.border_title = f"changing {'answer' if is_answer else 'question'} {number}, esc leaves it"
        written.focus()

    def do_undo(self) -> None:
        """Take the last move back."""
        self.conversation.undo()
        for column in self.columns:
            column.failure = ""
        self.selected = None
        self.draw()
        self.say_target()

    def do_branches(self) -> None:
        """Choose among the ends of all branches, the newest first."""
        from workbench.ui.widgets.pick import Pick

        branches = self.conversation.branches[::-1]
        here = self.conversation.at

        def chosen(index: int | None) -> None:
            if index is not None:
                self.conversation.go_to(branches[index])
                self.selected = None
                self.draw()

        labels = [_label(each, here) for each in branches]
        at = next((index for index, each in enumerate(branches) if each is here), 0)
        self.app.push_screen(Pick("Branches", labels, chosen=at), chosen)

    async def do_fresh(self) -> None:
        """A new conversation."""
        self.start_over(Conversation(self.workspace.project.folder))
        self.query_one("#message", MessageInput).focus()

    def start_over(self, conversation: Conversation) -> None:
        """Another conversation in place of this one, which stays on disk."""
        self.conversation, self.selected = conversation, None
        self.stop_editing()
        for column in self.columns:
            column.failure = ""
        self.draw()
        self.say_target()

    def do_previous_turn(self) -> None:
        """Choose the turn before."""
        self._choose(-1)

    def do_next_turn(self) -> None:
        """Choose the turn after."""
        self._choose(1)

    def _choose(self, by: int) -> None:
        places = [place for place in self.column.places if place is not None]
        if not places:
            return
        at = places.index(self.selected) if self.selected in places else len(places)
        self.selected = places[max(0, min(at + by, len(places) - 1))]
        for column in self.columns:
            self.draw_column(column)
        self.workbench.refresh_keys()


def _label(exchange: Exchange, here: Exchange | None) -> str:
    """`* 3 exchanges: …question → answer`."""
    number = depth(exchange)
    answer = exchange.answer_for(-1)
    said = clean(exchange.question.content)
    text = f"{said[:40]}{'…' if len(said) > 40 else ''}"
    if answer:
        text += f" → {clean(answer.message.content)[:60]}"
    return f"{'*' if exchange is here else ' '} {number} exchange{'' if number == 1 else 's'}: {text}"
