"""The chat pane's frame: columns over the input, the settings beside them, views that take their place."""

from typing import TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import ContentSwitcher, Static

from workbench.chat.conversation import Conversation
from workbench.chat.protocol import Done
from workbench.chat.targets import targets
from workbench.data.example import Message
from workbench.project.fields import form_fields
from workbench.ui.actions import bindings
from workbench.ui.panes.chat.choosing import ChoosePane
from workbench.ui.panes.chat.column import ColumnView
from workbench.ui.panes.chat.models import Models
from workbench.ui.panes.chat.sampling import SamplingPane
from workbench.ui.panes.chat.view import ChatView
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.message_input import MessageInput

REDRAWS_PER_SECOND = 10
NEWER_SECONDS = 3.0
TALK = "talk"
"""Id of what is shown while no other view is."""

Shown = TypeVar("Shown", bound=ChatView)


class ChatPane(ChoosePane, SamplingPane):
    """One conversation, answered by one or more models."""

    PLACE = "chat"
    BINDINGS = bindings("chat")

    def compose(self) -> ComposeResult:
        """Whom one talks to, the conversation beside its settings, the input; views come when shown."""
        yield Static(id="target")
        yield Static(id="contract")
        with ContentSwitcher(id="chat-views", initial=TALK), Horizontal(id=TALK):
            with Vertical():
                with Horizontal(id="columns"):
                    yield ColumnView(0, targets(self.workspace.project)[0])
                yield MessageInput(id="message")
            yield Form(form_fields("chat"), check=self.check, id="settings")

    def on_mount(self) -> None:
        """The engine starts with the first message: looking at the pane costs nothing."""
        self.models = Models()
        self.conversation = Conversation(self.workspace.project.folder)
        self.structure = None
        self.given = {"user": (), "assistant": ()}
        self.without = set()
        self.current = self._last_column = 0
        self.selected = self._editing = None
        self.markdown = self.answering = self._generating = False
        self.asking_worker = None
        self._opened_for = self._looked_for = None
        self.query_one(Form).display = self.query_one("#contract").display = False
        self._redraw = self.set_interval(1 / REDRAWS_PER_SECOND, self.draw_answers, pause=True)
        self.set_interval(NEWER_SECONDS, self.look_for_newer)

    async def on_unmount(self) -> None:
        """The engine never outlives the pane."""
        await self.models.engine.close()

    def came_into_view(self) -> None:
        """Take the project's settings in; stay with the models that were chosen."""
        form = self.query_one(Form)
        if self._opened_for is not self.workspace.project and not form.changes:
            self.take_settings()
        if not self.answering:
            self.find_targets()
            self.draw()
            self.say_target()
        self.look_for_structure()
        if self.shown_view is not None:
            self.shown_view.came_into_view()
        elif form.display:
            form.focus()
        else:
            self.screen.set_focus(self.query_one("#message"))

    @on(Resize)
    def _resized(self) -> None:
        """Another number of columns may have room."""
        self.call_after_refresh(self.lay_out)

    # Views

    @property
    def shown_view(self) -> ChatView | None:
        """What takes the place of the conversation just now."""
        current = self.query_one("#chat-views", ContentSwitcher).visible_content
        return current if isinstance(current, ChatView) else None

    @property
    def places(self) -> dict[str, str]:
        """A view has keys of its own, and none of the conversation; so has the form."""
        view = self.shown_view
        if view is not None:
            return {f"chat.{view.NAME}": f"Chat: {view.NAME}"}
        return {"chat": "Chat", "form": "In its settings"}

    async def action_do(self, name: str) -> None:
        """What the palette chooses may be an action of the view."""
        view = self.shown_view
        await (view.action_do(name) if view and hasattr(view, f"do_{name}") else super().action_do(name))

    async def _show(self, kind: type[Shown]) -> Shown:
        """Bring a view into sight; made at its first showing."""
        switcher = self.query_one("#chat-views", ContentSwitcher)
        if not switcher.query(kind):
            await switcher.add_content(kind(id=f"chat-{kind.NAME}"))
        switcher.current = f"chat-{kind.NAME}"
        view = switcher.query_one(kind)
        view.came_into_view()
        self.workbench.refresh_keys()
        return view

    def show_talk(self) -> None:
        """Away with the view."""
        self.query_one("#chat-views", ContentSwitcher).current = TALK
        self.focus_turns()
        self.draw()
        self.say_target()
        self.call_after_refresh(self.lay_out)

    def draw_answers(self) -> None:
        """What has come since the last time."""
        from workbench.ui.panes.chat.candidates import CandidatesView

        super().draw_answers()
        if isinstance(view := self.shown_view, CandidatesView):
            view.draw()

    # Actions

    def why_not(self, name: str) -> str | None:
        """Most actions need something: an answer, a second column, the end of what is being written."""
        if (view := self.shown_view) is not None:
            return view.why_not(name) if hasattr(view, f"do_{name}") else "esc shows the conversation again"
        return (
            self.why_not_answer(name)
            or self.why_not_choose(name)
            or self.why_not_turn(name)
            or self.why_not_keep(name)
            or self.why_not_prompt(name)
            or self.why_not_sample(name)
        )

    def would_lose(self) -> str | None:
        """An answer under way, settings that are not saved."""
        if self.answering:
            return "the answer that is being written"
        return "sampling settings that are not saved" if self.query_one(Form).changes else None

    def do_write(self) -> None:
        """Into the input."""
        self.query_one("#message").focus()

    @on(MessageInput.Left)
    async def _left(self) -> None:
        """Esc stops an answer first, then leaves what is being changed as it was, then the input."""
        if self.answering:
            await self.do_halt()
            return
        if self._editing is not None:
            self.stop_editing()
        self.focus_turns()

    def do_markdown(self) -> None:
        """Answers as Markdown, or as they were written."""
        self.markdown = not self.markdown
        self.draw()

    async def do_tokens(self) -> None:
        """The chosen answer token by token."""
        from workbench.ui.panes.chat.tokens import TokensView

        answer = self.chosen_answer
        assert answer is not None
        (await self._show(TokensView)).look_at(answer)

    async def do_candidates(self) -> None:
        """An answer for each value of what is given."""
        from workbench.ui.panes.chat.candidates import CandidatesView

        (await self._show(CandidatesView)).begin()

    def take_candidate(self, asked: Message, text: str, done: Done) -> None:
        """A candidate becomes the answer to the last question; the one that was there is a branch."""
        column = self.column
        if self.conversation.open is None:
            self.conversation.ask_again()
        self.keep(column, asked, text, self.settings_of(column), done)
