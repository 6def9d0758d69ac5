"""What is kept of a conversation: ratings, issues, training rows, transcripts to open and to pass on."""

import time
from pathlib import Path
from typing import Any

from textual import work

from workbench.chat.conversation import Conversation
from workbench.chat.markdown import export_markdown
from workbench.chat.rows import PATH, is_source, save_row, source_table
from workbench.chat.transcript import Rating, read_transcript, transcripts
from workbench.errors import WorkbenchError
from workbench.project.store import add_source
from workbench.ui.panes.chat.turning import TurnPane
from workbench.ui.text import clean

LISTED = 200
"""Transcripts that are offered, the newest first."""
OF_ANSWERS = ("good", "bad", "issue", "save_row", "copy", "tokens")


class KeepPane(TurnPane):
    """A pane whose answers are judged and kept."""

    # Actions

    def why_not_keep(self, name: str) -> str | None:
        """Most of it needs an answer; None for other actions too."""
        answer = self.chosen_answer
        if name in OF_ANSWERS and answer is None:
            return "there is no answer yet"
        if name in ("good", "bad", "issue") and answer is not None and answer.number is None:
            return "this answer is not in the transcript: it was written by hand"
        if name == "save_row" and answer is not None and answer.saved:
            return f"this turn is in {PATH} already"
        if name == "tokens" and answer is not None and not answer.details:
            return "how likely its tokens were is known of new answers only: g asks again"
        if name == "export" and self.conversation.transcript is None:
            return "there is no answer yet"
        return None

    def do_good(self) -> None:
        """A good answer, or no longer."""
        self._rate("good")

    def do_bad(self) -> None:
        """A bad answer, or no longer."""
        self._rate("bad")

    def _rate(self, rating: Rating) -> None:
        answer = self.chosen_answer
        assert answer is not None
        self.conversation.judge(answer, rating="" if answer.rating == rating else rating)
        self.draw()

    def do_issue(self) -> None:
        """Say what is wrong with the answer."""
        from workbench.ui.widgets.ask_text import AskText

        answer, conversation = self.chosen_answer, self.conversation
        assert answer is not None

        def entered(text: str | None) -> None:
            if text and text.strip():
                with self.telling():
                    conversation.judge(answer, issue=text.strip())
                    self.draw()

        about = "Such as wrong intent, leaked information, wrong number; kept with the answer"
        self.app.push_screen(AskText("What is wrong with it", about), entered)

    def do_save_row(self) -> None:
        """The conversation up to the chosen answer as a training row."""
        answer, exchange = self.chosen_answer, self.chosen_exchange
        assert answer is not None and exchange is not None
        transcript = self.conversation.transcript
        messages = self.conversation.messages_to(exchange, self.column.number)
        save_row(self.workspace.project, messages, answer, transcript=transcript.path if transcript else None)
        self.draw()
        self.workbench.say(f"saved as a row of {PATH}")
        if not is_source(self.workspace.project):
            self._offer_source(source_table(self.workspace.project, messages))

    def _offer_source(self, table: dict[str, str]) -> None:
        from workbench.ui.widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                with self.telling():
                    self.workbench.project_changed(add_source(self.workspace.project, table))
                    self.workbench.say(f"{PATH} is a source now: its rows are trained on, never held out")

        said = "It is not trained on yet. The table goes into project.toml; y adds it, n leaves it for later."
        self.app.push_screen(Confirm(f"Add {PATH} as a source?", said), answered)

    def do_copy(self) -> None:
        """The chosen answer."""
        from workbench.ui.clipboard import copy

        answer = self.chosen_answer
        assert answer is not None
        self.workbench.say(copy(self.app, answer.message.content))

    def do_export(self) -> None:
        """The conversation as Markdown, beside its transcript."""
        transcript = self.conversation.transcript
        assert transcript is not None
        path = export_markdown(transcript.path, read_transcript(transcript.path))
        self.workbench.say(f"written to {path}")

    # Opening

    def do_open(self) -> None:
        """Choose among the transcripts of the project."""
        self._list_transcripts()

    @work(thread=True, exclusive=True, exit_on_error=False, group="transcripts")
    def _list_transcripts(self) -> None:
        """Each is read for its first words: never in the event loop."""
        found = [(path, _first_words(path)) for path in transcripts(self.workspace.project.folder)[:LISTED]]
        self.app.call_from_thread(self._offer_transcripts, found)

    def _offer_transcripts(self, found: list[tuple[Path, str]]) -> None:
        from workbench.ui.widgets.pick import Pick

        if not found:
            self.workbench.say("no conversation has been kept in this project yet", "warning")
            return

        def chosen(index: int | None) -> None:
            if index is not None:
                self.call_later(self._reopen, found[index][0])

        self.app.push_screen(Pick("Conversations", [said for _, said in found]), chosen)

    async def _reopen(self, path: Path) -> None:
        if self.answering:
            self.workbench.say("the answer is still being written: x stops it", "warning")
            return
        with self.telling():
            conversation = Conversation.reopen(path, self.workspace.project.folder)
            self.start_over(conversation)
            await self.restore_columns(conversation.last_targets)
            self.workbench.say(f"{path.name}: the next message goes on from here")
            self.focus_turns()

    async def restore_columns(self, targets: dict[int, dict[str, Any]]) -> None:
        """Columns as they were, by number, with whom each was, as a transcript has it."""
        raise NotImplementedError


def _first_words(path: Path) -> str:
    """`2026-11-30 08:15  4 answers  base model: what was asked first`."""
    try:
        entries = read_transcript(path)
    except WorkbenchError as error:
        return f"{path.name}: {clean(str(error))}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entries[-1].time))
    asked = next((message.content for message in entries[0].messages), "")
    by = " / ".join(dict.fromkeys(str(entry.target.get("label", "?")) for entry in entries))
    return (
        f"{when}  {len(entries)} answer{'' if len(entries) == 1 else 's'}  {clean(asked)[:50]}  {clean(by)}"
    )
