"""The chat pane: talk to the base model or to any checkpoint; the model lives in another process."""

import asyncio
from dataclasses import replace
from typing import Any

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static
from textual.worker import Worker

from workbench.chat.client import ChatEngine
from workbench.chat.protocol import Column, Done, Failed, Piece, Target
from workbench.chat.targets import remarks, targets
from workbench.errors import Problem, WorkbenchError
from workbench.project.base_model import EMBEDDED
from workbench.project.fields import form_fields, validate_changes
from workbench.project.store import save_settings
from workbench.ui.actions import bindings
from workbench.ui.conversation import Conversation
from workbench.ui.panes.base import Pane
from workbench.ui.text import clean_lines, shown
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.message_input import MessageInput

KEY = "model"
"""The key under which the engine holds the target."""
REDRAWS_PER_SECOND = 10
TOY = "Type a message. This base model is a toy: greetings, capitals, sums, shop talk; it makes up the rest"


class ChatPane(Pane):
    """A conversation with one model at a time."""

    PLACE = "chat"
    BINDINGS = bindings("chat")

    def compose(self) -> ComposeResult:
        """Which model, the conversation beside its settings, the input."""
        yield Static(id="target")
        yield Static(id="contract")
        with Horizontal():
            with Vertical():
                yield VerticalScroll(id="turns")
                yield MessageInput(id="message")
            yield Form(form_fields("chat"), check=self._check, id="settings")

    def on_mount(self) -> None:
        """The engine starts with the first message: looking at the pane costs nothing."""
        self.engine = ChatEngine()
        self.target: Target | None = None
        self.loaded: Target | None = None
        self.conversation = Conversation(self.workspace.project.folder)
        self.answering = False
        self._asking: Worker[None] | None = None
        self._generating = False
        self._answer = ""
        self._last: Static | None = None
        self._opened_for: object = None
        self.query_one(Form).display = self.query_one("#contract").display = False
        # Follows the answer, until the reader scrolls up
        self.query_one("#turns", VerticalScroll).anchor()
        self._redraw = self.set_interval(1 / REDRAWS_PER_SECOND, self._draw_answer, pause=True)

    async def on_unmount(self) -> None:
        """The engine never outlives the pane."""
        await self.engine.close()

    def came_into_view(self) -> None:
        """Take the project's sampling settings in; stay with the model that was chosen."""
        form = self.query_one(Form)
        if self._opened_for is not self.workspace.project and not form.changes:
            self._fill()
        if not self.answering:
            self._find_target()
            self._say_target()
        (form if form.display else self.query_one(MessageInput)).focus()

    def _fill(self) -> None:
        self._opened_for = self.workspace.project
        chat = self.workspace.project.settings.chat.model_dump()
        self.query_one(Form).load({f"chat.{name}": value for name, value in chat.items()})

    def _find_target(self) -> None:
        """The chosen weights as they are offered now: the project's template may be another by now."""
        offered = targets(self.workspace.project)
        chosen = self.target.weights if self.target else None
        found = next((target for target in offered if target.weights == chosen), None)
        if found is None and self.target is not None:
            self.workbench.say(f"{self.target.label} is no longer there", "warning")
        self.target = found or offered[0]

    def _check(self, changes: dict[str, Any]) -> list[Problem]:
        return validate_changes(self.workspace.project, changes)

    def _say_target(self, state: str = "") -> None:
        assert self.target is not None
        toy = self.target.kind == "base" and self.target.base == EMBEDDED
        self.query_one(MessageInput).placeholder = TOY if toy else "Type a message"
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

    @work(thread=True, exclusive=True, exit_on_error=False, group="contract")
    def _hold_to_contract(self, target: Target) -> None:
        """One line where the project writes prompts in another way by now than the run that is talked to."""
        said = "\n".join(f"! {remark}" for remark in remarks(target, self.workspace.project))
        self.app.call_from_thread(self._say_contract, said)

    def _say_contract(self, said: str) -> None:
        line = self.query_one("#contract", Static)
        line.update(shown(said))
        line.display = bool(said)

    # A turn

    @on(MessageInput.Sent)
    async def _sent(self, event: MessageInput.Sent) -> None:
        if self.answering:
            self.workbench.say("the answer is still being written: x or esc stops it", "warning")
            return
        self.query_one(MessageInput).clear()
        self.conversation.ask(event.text)
        self.query_one("#turns", VerticalScroll).anchor()
        await self._add_turn("you", event.text)
        self._asking = self._ask()

    async def _add_turn(self, who: str, text: str) -> Static:
        turn = Static(_turn(who, text))
        await self.query_one("#turns", VerticalScroll).mount(turn)
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
            if self.loaded is None or replace(self.loaded, label=target.label) != target:
                self._say_target("loading…")
                self.loaded = None
                await self.engine.load({KEY: target})
                self.loaded = target
                if target.weights is None:
                    self._say_contract("")
                else:
                    self._hold_to_contract(target)
            self._say_target("answering, esc stops it")
            self._generating = True
            self._redraw.resume()
            settings = self._settings()
            async for reply in self.engine.generate([Column(KEY, self.conversation.messages, settings)]):
                match reply:
                    case Piece():
                        self._answer += reply.text
                    case Done():
                        self._finish(target, settings, reply)
                    case Failed():
                        raise reply.error()
        except WorkbenchError as error:
            self._last.update(_turn(target.label, f"{self._answer}\n! {error}".lstrip()))
            self._say_target("no answer, g asks again")
        except asyncio.CancelledError:
            if self.is_attached:
                self._last.update(_turn(target.label, "stopped before the model was loaded"))
                self._say_target("no answer, g asks again")
            raise
        finally:
            self._redraw.pause()
            self.answering = self._generating = False
            self.workbench.refresh_keys()

    def _settings(self) -> Any:
        chat = self.workspace.project.settings.chat
        return chat.model_copy(
            update={key.removeprefix("chat."): value for key, value in self.query_one(Form).values.items()}
        )

    def _finish(self, target: Target, settings: Any, done: Done) -> None:
        assert self._last is not None
        figures = (
            f"{done.reason}, {done.tokens} tokens, {done.tokens_per_second:.0f} tokens/s, "
            f"the first after {done.first_token_seconds:.2f} s"
        )
        if not self._answer.strip():
            # Templates refuse an empty turn: the question stays open
            self._last.update(_turn(target.label, "no answer", figures))
            self._say_target("no answer, g asks again")
            return
        self._last.update(_turn(target.label, self._answer, figures))
        self._say_target()
        try:
            self.conversation.answer(self._answer, target, settings, done)
        except WorkbenchError as error:
            self.workbench.tell(error)

    def _draw_answer(self) -> None:
        if self._last is not None and self.target is not None:
            self._last.update(_turn(self.target.label, self._answer or "…"))

    # Actions

    @property
    def places(self) -> dict[str, str]:
        """The form has keys of its own."""
        return {"chat": "Chat", "form": "In its settings"}

    def why_not(self, name: str) -> str | None:
        """Stopping needs an answer under way; most else needs none."""
        if name == "halt" and not self.answering:
            return "no answer is being written"
        if name in ("model", "regenerate", "fresh") and self.answering:
            return "the answer is still being written: x stops it"
        if name == "regenerate" and not self.conversation.messages:
            return "nothing has been said yet"
        if name == "copy" and self.conversation.last_answer is None:
            return "there is no answer yet"
        form = self.query_one(Form)
        if name == "settings" and form.display and form.problems:
            return "mend this first: " + "; ".join(map(str, form.problems))
        return None

    def would_lose(self) -> str | None:
        """An answer under way, settings that are not saved."""
        if self.answering:
            return "the answer that is being written"
        return "sampling settings that are not saved" if self.query_one(Form).changes else None

    def do_write(self) -> None:
        """Into the input."""
        self.query_one(MessageInput).focus()

    @on(MessageInput.Left)
    async def _left(self) -> None:
        """Esc stops an answer first, then leaves the input."""
        if self.answering:
            await self.do_halt()
        else:
            self.query_one("#turns").focus()

    def do_model(self) -> None:
        """Choose whom to talk to."""
        from workbench.ui.widgets.pick import Pick

        offered = targets(self.workspace.project)

        def chosen(index: int | None) -> None:
            if index is not None:
                self.target = offered[index]
                self._say_target("loads with the next message")

        weights = [target.weights for target in offered]
        here = weights.index(self.target.weights) if self.target and self.target.weights in weights else 0
        self.app.push_screen(Pick("Talk to", [target.label for target in offered], chosen=here), chosen)

    def do_settings(self) -> None:
        """Show the sampling settings, or save and hide them."""
        form = self.query_one(Form)
        if form.display and form.changes:
            self.workbench.project_changed(save_settings(self.workspace.project, form.changes))
            self._fill()
            self.workbench.say("sampling settings saved to project.toml")
        form.display = not form.display
        (form if form.display else self.query_one("#turns")).focus()
        if not self.answering:
            self._say_target()

    async def do_halt(self) -> None:
        """End the answer, what was written stays; or stop waiting for a model that is being loaded."""
        if self._generating:
            await self.engine.stop()
        elif self._asking is not None:
            self._asking.cancel()

    async def do_regenerate(self) -> None:
        """The last question once more."""
        self.conversation.ask_again()
        if self._last is not None:
            await self._last.remove()
        self._asking = self._ask()

    async def do_fresh(self) -> None:
        """A new conversation."""
        self.conversation = Conversation(self.workspace.project.folder)
        self._last = None
        await self.query_one("#turns", VerticalScroll).remove_children()
        self.query_one(MessageInput).focus()

    def do_copy(self) -> None:
        """The last answer."""
        from workbench.ui.clipboard import copy

        self.workbench.say(copy(self.app, self.conversation.last_answer or ""))


def _turn(who: str, text: str, figures: str = "") -> Text:
    """One turn of the conversation; `figures` say how an answer ended and how fast it was."""
    turn = Text.assemble(shown(who, "bold"), "\n", clean_lines(text), "\n")
    return turn.append(f"{figures}\n", "dim") if figures else turn
