"""What goes before and beside a question: system message, context blocks, memory, what is given."""

from textual import work
from textual.worker import get_current_worker

from workbench.chat.protocol import MOST_COLUMNS
from workbench.chat.structure import Structure, structure_of, with_value
from workbench.data.example import Role
from workbench.errors import WorkbenchError
from workbench.project.store import save_settings
from workbench.ui.panes.chat.keeping import KeepPane
from workbench.ui.panes.chat.talk import WHO
from workbench.ui.widgets.form import Form


class PromptingPane(KeepPane):
    """A pane that says what prompts are made of."""

    _looked_for: object

    def look_for_structure(self) -> None:
        """What is given with the texts of the project's data; once for each state of the project."""
        if self._looked_for is not self.workspace:
            self._looked_for = self.workspace
            self._look_for_structure()

    @work(thread=True, exclusive=True, exit_on_error=False, group="structure")
    def _look_for_structure(self) -> None:
        worker = get_current_worker()
        try:
            found = structure_of(self.workspace.dataset())
        except WorkbenchError:  # what is wrong with the data is said where it is looked at
            found = None
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take_structure, found)

    def _take_structure(self, found: Structure | None) -> None:
        if found != self.structure:
            self.structure = found
            if found is not None:
                self.given = {"user": found.usual("user"), "assistant": found.usual("assistant")}
        self.draw_context()
        self.workbench.refresh_keys()

    # Actions

    def why_not_prompt(self, name: str) -> str | None:
        """Values need data with given keys; None for other actions too."""
        if name in ("value", "candidates") and self.structure is None:
            return "the project's data gives nothing with an answer, such as an emotion"
        if name in ("value", "candidates", "system", "context") and self.answering:
            return "the answer is still being written: x stops it"
        if name == "candidates" and self.conversation.at is None:
            return "nothing has been said yet"
        if name == "system" and self.query_one(Form).changes:
            return "sampling settings are not saved: s saves them first"
        return None

    def do_value(self) -> None:
        """Choose what is given with the next answer, or with one's own next message."""
        from workbench.ui.widgets.pick import Pick

        assert self.structure is not None
        choices = [
            (role, key, value)
            for role in WHO
            for key, values in self.structure.values[role].items()
            for value in values
        ]
        now = [self._is_given(*choice) for choice in choices]
        labels = [
            f"{'*' if given else ' '} {WHO[role]} {key}: {value}"
            for (role, key, value), given in zip(choices, now, strict=True)
        ]

        def chosen(index: int | None) -> None:
            if index is not None:
                role, key, value = choices[index]
                self.give(role, key, value)

        self.app.push_screen(Pick("Given with the next", labels, chosen=now.index(True)), chosen)

    def _is_given(self, role: Role, key: str, value: str) -> bool:
        return (key, value) in self.given[role]

    def give(self, role: Role, key: str, value: str) -> None:
        """Give this with the next message of this role."""
        self.given[role] = with_value(self.given[role], key, value)
        self.draw_context()

    def candidate_values(self) -> tuple[str, list[str]]:
        """The key whose values get a candidate each, and as many of them as are answered at once."""
        assert self.structure is not None
        key, values = next(iter(self.structure.values["assistant"].items()))
        return key, values[:MOST_COLUMNS]

    def do_system(self) -> None:
        """Change the system message of this project's chats."""
        from workbench.ui.widgets.ask_text import AskText

        def entered(text: str | None) -> None:
            if text is None or text == self.workspace.project.settings.chat.system:
                return
            with self.telling():
                self.workbench.project_changed(save_settings(self.workspace.project, {"chat.system": text}))
                self.take_settings()
                self.workbench.say("system message saved to project.toml")
                self.draw()

        own = self.workspace.project.settings.prompt.system
        about = "Saved as chat.system; empty: the one of training" + (f", {own[:60]}" if own else ", none")
        self.app.push_screen(
            AskText("System message", about, self.workspace.project.settings.chat.system), entered
        )

    def take_settings(self) -> None:
        """The project's settings into the form."""
        raise NotImplementedError

    def do_context(self) -> None:
        """Switch context blocks on and off, limit the memory."""
        from workbench.ui.panes.chat.context import ContextDialog

        def closed(without: set[str] | None) -> None:
            if without is not None:
                self.without = without
                self.draw_context()

        blocks = self.target.prompt.block
        settings = self.settings_of(self.column)
        self.app.push_screen(ContextDialog(blocks, self.without, self._memory(settings.last_turns)), closed)

    def _memory(self, last_turns: int) -> str:
        answer = self.conversation.last_answer(self.column.number)
        result = answer.result if answer else {}
        limit = f"the last {last_turns} questions" if last_turns else "all questions that fit the context"
        said = f"Memory: {limit} (chat.last_turns, s changes it)"
        if dropped := result.get("dropped_turns", 0):
            tokens = result.get("dropped_tokens", 0)
            said += f"\nThe last answer was given without the first {dropped}, {tokens} tokens"
        return said
