"""The chat pane: talk to the base model or to any checkpoint; the model lives in another process."""

from typing import Any

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from workbench.chat.client import ChatEngine
from workbench.chat.protocol import Done, Piece, Target
from workbench.chat.targets import targets
from workbench.chat.transcript import Transcript
from workbench.data.example import Message
from workbench.errors import Problem, WorkbenchError
from workbench.project.fields import form_fields, validate_changes
from workbench.project.store import save_settings
from workbench.ui.actions import bindings
from workbench.ui.panes.base import Pane
from workbench.ui.text import clean_lines, shown
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.message_input import MessageInput

REDRAWS_PER_SECOND = 10


class ChatPane(Pane):
    """A conversation with one model at a time."""

    PLACE = "chat"
    BINDINGS = bindings("chat")

    def compose(self) -> ComposeResult:
        """Which model, the conversation beside its settings, the input."""
        yield Static(id="target")
        with Horizontal():
            with Vertical():
                yield VerticalScroll(id="turns", can_focus=False)
                yield MessageInput(id="message")
            yield Form(form_fields("chat"), check=self._check, id="settings")

    def on_mount(self) -> None:
        """The engine starts with the first message: looking at the pane costs nothing."""
        self.engine = ChatEngine()
        self.target: Target | None = None
        self.loaded: Target | None = None
        self.history: list[Message] = []
        self.transcript: Transcript | None = None
        self.answering = False
        self._answer = ""
        self._last: Static | None = None
        self._opened_for: object = None
        self.query_one(Form).display = False
        self._redraw = self.set_interval(1 / REDRAWS_PER_SECOND, self._draw_answer, pause=True)

    async def on_unmount(self) -> None:
        """The engine never outlives the pane."""
        await self.engine.close()

    def came_into_view(self) -> None:
        """Take the project's sampling settings in; stay with the model that was chosen."""
        if self._opened_for is not self.workspace.project:
            self._opened_for = self.workspace.project
            chat = self.workspace.project.settings.chat.model_dump()
            self.query_one(Form).load({f"chat.{name}": value for name, value in chat.items()})
        offered = targets(self.workspace.project)
        if self.target not in offered:
            self.target = offered[0]
        self._say_target()
        self.query_one(MessageInput).focus()

    def _check(self, changes: dict[str, Any]) -> list[Problem]:
        return validate_changes(self.workspace.project, changes)

    def _say_target(self, state: str = "") -> None:
        assert self.target is not None
        line = Text.assemble("talking to ", shown(self.target.label, "bold"), f"   {state}" if state else "")
        changed = [
            field
            for field in self.query_one(Form).fields
            if self.query_one(Form).values.get(field.key) != field.default
        ]
        if changed:
            values = ", ".join(
                f"{field.key.removeprefix('chat.')} {self.query_one(Form).values[field.key]}"
                for field in changed
            )
            line.append_text(shown(f"   {values}", "dim"))
        self.query_one("#target", Static).update(line)

    # A turn

    @on(MessageInput.Sent)
    async def _sent(self, event: MessageInput.Sent) -> None:
        if self.answering:
            self.workbench.say("the answer is still being written: x or esc stops it", "warning")
            return
        self.query_one(MessageInput).clear()
        self.history.append(Message("user", event.text))
        await self._add_turn("you", event.text)
        self._ask()

    async def _add_turn(self, who: str, text: str) -> Static:
        turns = self.query_one("#turns", VerticalScroll)
        turn = Static(_turn(who, text))
        await turns.mount(turn)
        turns.scroll_end(animate=False)
        return turn

    @work(exclusive=True, exit_on_error=False)
    async def _ask(self) -> None:
        """Load the model when it is not the loaded one, then stream the answer to the last message."""
        assert self.target is not None
        target, self.answering, self._answer = self.target, True, ""
        self.workbench.refresh_keys()
        self._last = await self._add_turn(target.label, "…")
        try:
            if not self.engine.running:
                self._say_target("starting the chat engine…")
                await self.engine.start()
                self.loaded = None
            if self.loaded != target:
                self._say_target("loading…")
                await self.engine.load(target)
                self.loaded = target
            self._say_target("answering, esc stops it")
            self._redraw.resume()
            settings = self._settings()
            async for reply in self.engine.generate(self.history, settings):
                if isinstance(reply, Piece):
                    self._answer += reply.text
                elif isinstance(reply, Done):
                    self._finish(target, settings, reply)
        except WorkbenchError as error:
            self.loaded = None
            self._last.update(_turn(target.label, f"{self._answer}\n! {error}"))
            self._say_target("no answer")
            self.workbench.tell(error)
        finally:
            self._redraw.pause()
            self.answering = False
            self.workbench.refresh_keys()

    def _settings(self) -> Any:
        chat = self.workspace.project.settings.chat
        return chat.model_copy(
            update={key.removeprefix("chat."): value for key, value in self.query_one(Form).values.items()}
        )

    def _finish(self, target: Target, settings: Any, done: Done) -> None:
        self._draw_answer()
        self.history.append(Message("assistant", self._answer))
        if self.transcript is None:
            self.transcript = Transcript.begin(self.workspace.project.folder)
        self.transcript.add(self.history, target, settings, done)
        self._say_target(
            f"{done.reason}, {done.tokens} tokens, first after {done.first_token_seconds:.2f} s, "
            f"{done.tokens_per_second:.0f} tokens/s"
        )

    def _draw_answer(self) -> None:
        if self._last is not None and self.target is not None:
            self._last.update(_turn(self.target.label, self._answer))
            self.query_one("#turns", VerticalScroll).scroll_end(animate=False)

    # Actions

    def why_not(self, name: str) -> str | None:
        """Stopping needs an answer under way; most else needs none."""
        if name == "halt" and not self.answering:
            return "no answer is being written"
        if name in ("model", "regenerate", "fresh") and self.answering:
            return "the answer is still being written: x stops it"
        if name in ("regenerate", "copy") and not self.history:
            return "nothing has been said yet"
        return None

    def would_lose(self) -> str | None:
        """An answer under way."""
        return "the answer that is being written" if self.answering else None

    def do_write(self) -> None:
        """Into the input."""
        self.query_one(MessageInput).focus()

    @on(MessageInput.Left)
    async def _left(self) -> None:
        """Esc stops an answer first, then leaves the input."""
        if self.answering:
            await self.do_halt()
        else:
            self.focus()

    def do_model(self) -> None:
        """Choose whom to talk to."""
        from workbench.ui.widgets.pick import Pick

        offered = targets(self.workspace.project)

        def chosen(index: int | None) -> None:
            if index is not None:
                self.target = offered[index]
                self._say_target("loads with the next message")

        self.app.push_screen(Pick("Talk to", [target.label for target in offered]), chosen)

    def do_settings(self) -> None:
        """Show the sampling settings, or save and hide them."""
        form = self.query_one(Form)
        if form.display and form.changes and not form.problems:
            saved = save_settings(self.workspace.project, form.changes)
            self.workbench.project_changed(saved)
            self._opened_for = saved
            form.mark_saved()
            self.workbench.say("sampling settings saved to project.toml")
        form.display = not form.display
        (form if form.display else self).focus()
        self._say_target()

    async def do_halt(self) -> None:
        """End the answer; what was written stays."""
        await self.engine.stop()

    async def do_regenerate(self) -> None:
        """The last question once more."""
        while self.history and self.history[-1].role == "assistant":
            self.history.pop()
        self._ask()

    async def do_fresh(self) -> None:
        """A new conversation."""
        self.history.clear()
        self.transcript = None
        await self.query_one("#turns", VerticalScroll).remove_children()
        self.query_one(MessageInput).focus()

    def do_copy(self) -> None:
        """The last answer."""
        from workbench.ui.clipboard import copy

        self.workbench.say(copy(self.app, self.history[-1].content))


def _turn(who: str, text: str) -> Text:
    return Text.assemble(shown(who, "bold"), "\n", clean_lines(text), "\n")
