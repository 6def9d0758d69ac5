"""From a question to its answers: models are loaded, all columns are asked at once, pieces are drawn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from textual import on, work
from textual.timer import Timer
from textual.worker import Worker, get_current_worker

from workbench.chat.cleanup import Cleaned, clean_answer, takes_leave
from workbench.chat.protocol import Column, Done, Failed, NoRoom, Piece, Target
from workbench.chat.targets import newest, remarks
from workbench.data.example import Message
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings
from workbench.ui.panes.chat.column import ColumnView
from workbench.ui.panes.chat.talk import TalkPane
from workbench.ui.widgets.message_input import MessageInput

AGAIN = "no answer, g asks again"
LEAVE = "leave was taken: n begins a new conversation"


class AnswerPane(TalkPane):
    """A pane that asks."""

    asking_worker: Worker[None] | None
    _generating: bool
    _redraw: Timer

    @on(MessageInput.Sent)
    def _sent(self, event: MessageInput.Sent) -> None:
        if self.answering:
            self.workbench.say("the answer is still being written: x or esc stops it", "warning")
            return
        self.query_one("#message", MessageInput).clear()
        if not self.take_edit(event.text):
            self.conversation.ask(self.message("user", event.text))
            self.ask()

    def take_edit(self, text: str) -> bool:
        """What was typed changes an older turn; False when it is a message."""
        raise NotImplementedError

    def ask(self) -> None:
        """Let every column answer the last question."""
        self.selected = None
        for column in self.columns:
            column.failure = ""
        self.asking_worker = self._ask()

    def wanted(self, target: Target) -> Target:
        """A target as the engine is to hold it: with the blocks of this chat."""
        blocks = [block for block in target.prompt.block if block.title not in self.without]
        if len(blocks) < len(target.prompt.block):
            target = replace(target, prompt=target.prompt.model_copy(update={"block": blocks}))
        return target

    @work(exclusive=True, exit_on_error=False)
    async def _ask(self) -> None:
        """Load what is not loaded yet, then stream all answers."""
        columns = self.columns
        self.draw()
        for column in columns:
            column.begin()
        try:
            async with self.asking(columns) as ready:
                await self._stream(ready)
        except WorkbenchError as error:
            self._end_all(columns, f"! {error}")
            self.offer_processor(error)
        except asyncio.CancelledError:
            self._end_all(columns, "stopped before the model was loaded")
            raise
        finally:
            if self.is_attached:
                self.draw()
                self.say_target(self._state_after(columns))

    def _state_after(self, columns: list[ColumnView]) -> str:
        if any(column.failure for column in columns):
            return AGAIN
        at = self.conversation.at
        return LEAVE if at is not None and takes_leave(at.question.content) else ""

    def _end_all(self, columns: list[ColumnView], failure: str) -> None:
        for column in columns:
            if column.answering:
                column.end(failure)

    @asynccontextmanager
    async def asking(self, columns: list[ColumnView]) -> AsyncIterator[list[ColumnView]]:
        """Load what these columns ask, and let the screen follow what comes; gives those that are loaded.

        Raises WorkbenchError when there is none at all.
        """
        self.answering = True
        self.workbench.refresh_keys()
        try:
            ready = await self._load(columns)
            self.say_target("answering, esc stops it")
            self._generating = True
            self._redraw.resume()
            yield ready
        except WorkbenchError:
            self.models.forget()
            raise
        finally:
            self._redraw.pause()
            self.answering = self._generating = False

    async def _load(self, columns: list[ColumnView]) -> list[ColumnView]:
        """The columns whose target is held now; those that have none say why.

        Raises WorkbenchError when there is none at all.
        """
        for column in columns:
            column.target = newest(column.target)
        wanted = {column.key: self.wanted(column.target) for column in columns}
        if not self.models.engine.running:
            self.say_target("starting the chat engine…")
            await self.models.start()
        if not self.models.holds(wanted):
            self.say_target("loading…")
        refused = await self.models.hold(wanted)
        if len(refused) == len(wanted):
            problems = dict.fromkeys(problem for error in refused.values() for problem in error.problems)
            kind = NoRoom if any(isinstance(error, NoRoom) for error in refused.values()) else WorkbenchError
            raise kind(*problems)
        for column in columns:
            if error := refused.get(column.key):
                column.end(f"! {error}")
                self.draw_column(column)
        ready = [column for column in columns if column.key not in refused]
        said = [remark for column in ready for remark in self.models.facts[column.key].remarks]
        self._hold_to_contract([column.target for column in ready], said)
        return ready

    async def _stream(self, columns: list[ColumnView]) -> None:
        settings = [self.settings_of(column) for column in columns]
        asked = [
            Column(column.key, self.prompt_of(column), each)
            for column, each in zip(columns, settings, strict=True)
        ]
        async for reply in self.models.engine.generate(asked, details=True):
            column = columns[reply.column or 0]
            match reply:
                case Piece():
                    column.take(reply.text)
                case Done():
                    column.draw()
                    self._finish(column, settings[reply.column], reply)
                case Failed():
                    column.draw()
                    column.end(f"! {reply.error()}")
                    self.draw_column(column)

    def prompt_of(self, column: ColumnView) -> list[Message]:
        """What a column is asked with: the conversation, and what is given with the answer."""
        said = self.conversation.prompt(column.number)
        answer = self.message("assistant", "")
        return [*said, answer] if answer.given else said

    def _finish(self, column: ColumnView, settings: ChatSettings, done: Done) -> None:
        column.end()
        if not self.keep(column, self.message("assistant", ""), column.text, settings, done):
            column.end_empty(done)
        self.draw_column(column)
        self.draw_context()

    def cleaned(self, column: ColumnView, text: str, settings: ChatSettings) -> Cleaned:
        """An answer without what does not belong to it."""
        blocks = [(block.title, block.text) for block in self.wanted(column.target).prompt.block]
        return clean_answer(text, settings.stop, blocks)

    def keep(self, column: ColumnView, asked: Message, text: str, settings: ChatSettings, done: Done) -> bool:
        """Take an answer in, cleaned; False when nothing is left of it: templates refuse an empty turn, so
        that the question stays open then.
        """
        cleaned = self.cleaned(column, text, settings)
        if not cleaned.text:
            return False
        column.failure = ""
        message = replace(asked, content=cleaned.text)
        raw = text if cleaned.removed else ""
        try:
            self.conversation.answer(
                column.number,
                message,
                column.target,
                settings,
                done,
                cut=", ".join(cleaned.removed),
                raw=raw,
            )
        except WorkbenchError as error:
            self.workbench.tell(error)
        return True

    def offer_processor(self, error: WorkbenchError) -> None:
        """The GPU has no room: the processor is slower, but answers."""
        if not isinstance(error, NoRoom):
            return
        from workbench.ui.widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self._ask_processor()

        said = f"{error}\nThe processor has more memory and takes longer; all of this chat goes there."
        self.app.push_screen(Confirm("Talk on the processor instead?", said), answered)

    @work(exit_on_error=False)
    async def _ask_processor(self) -> None:
        await self.models.use_processor()
        self.ask()

    def draw_answers(self) -> None:
        """What has come since the last time."""
        for column in self.columns:
            column.draw()

    @work(thread=True, exclusive=True, exit_on_error=False, group="contract")
    def _hold_to_contract(self, targets: list[Target], said: list[str]) -> None:
        """A line where the project writes prompts in another way by now than a run that is talked to, after
        what the engine has to say of them.
        """
        worker = get_current_worker()
        project = self.workspace.project
        found = dict.fromkeys(said)
        for target in targets:
            found |= dict.fromkeys(remarks(target, project))
        if not worker.is_cancelled:
            self.app.call_from_thread(self.say_contract, "\n".join(f"! {remark}" for remark in found))

    # Actions

    def why_not_answer(self, name: str) -> str | None:
        """Stopping needs an answer under way; None for other actions too."""
        if name == "halt" and not self.answering:
            return "no answer is being written"
        return None

    async def do_halt(self) -> None:
        """End the answers, what was written stays; or stop waiting for a model that is being loaded."""
        if self._generating:
            await self.models.engine.stop()
        elif self.asking_worker is not None:
            self.asking_worker.cancel()
