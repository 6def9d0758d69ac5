"""What a person writes about answers: a better one, what is wrong with it, and both as files."""

from typing import TYPE_CHECKING

from rich.text import Text

from workbench.evaluation import judged
from workbench.evaluation.corrections import correct, read_corrections
from workbench.evaluation.issues import KINDS, Issue, IssueLog, Kind
from workbench.ui.panes.evaluate.view import EvaluateView
from workbench.ui.text import shown

if TYPE_CHECKING:
    from workbench.evaluation.contents import RowResult

WHAT = {
    judged.PREFERENCES: "votes as preference rows: prompt, chosen, rejected",
    judged.EDITED: "edited answers as rows to train on: a in 1 Data adds the file",
}


class JudgeView(EvaluateView):
    """A view with one answer that is chosen."""

    def chosen_model(self) -> int:
        """Number of the contestant whose answer it is."""
        raise NotImplementedError

    def result(self, model: int) -> "RowResult":
        """What that contestant did with the row in view."""
        raise NotImplementedError

    def name_of(self, model: int) -> str:
        """What a contestant is called."""
        assert self.seen is not None
        return self.seen.contents.plan.contestants[model].name

    def judged(self, model: int) -> Text:
        """Issues that are open and the better answer, as far as there are any."""
        assert self.seen is not None
        text = Text()
        for issue in self._issues(model):
            if issue.open:
                text.append_text(shown(f"◆ {_issue(issue)}\n", "bold"))
        corrections, _ = read_corrections(self.seen.evaluation.corrections)
        key, name = self.result(model).row.key, self.name_of(model)
        for each in corrections:
            if each.key == key and each.contestant == name:
                text.append_text(Text.assemble(("✎ edited: ", "bold"), shown(f"{each.text}\n")))
        return text

    def _issues(self, model: int) -> list[Issue]:
        assert self.seen is not None
        log = IssueLog(self.seen.evaluation.issues)
        return log.of_answers().get((self.name_of(model), self.result(model).row.key), [])

    def do_edit(self) -> None:
        """Write the answer as it should be; the model's own stays as it is."""
        from workbench.ui.widgets.note import EditDialog

        assert self.seen is not None
        evaluation, model = self.seen.evaluation, self.chosen_model()
        result, name = self.result(model), self.name_of(model)
        corrections, _ = read_corrections(evaluation.corrections)
        before = result.answer.text if result.answer else ""
        for each in corrections:
            if each.key == result.row.key and each.contestant == name:
                before = each.text

        def written(text: str | None) -> None:
            if text is not None and text != before:
                with self.telling():
                    correct(evaluation.corrections, result.row.key, name, text)
                    self.workbench.say("kept; w writes edited answers as rows to train on")
                    self.fill()

        self.app.push_screen(EditDialog(f"The answer of {name}, as it should be", before), written)

    def do_issue(self) -> None:
        """Choose what is wrong; or close, or reword, what was noted before."""
        from workbench.ui.widgets.pick import Pick

        assert self.seen is not None
        model = self.chosen_model()
        log, noted = IssueLog(self.seen.evaluation.issues), self._issues(model)
        key, name = self.result(model).row.key, self.name_of(model)
        still_open = [issue for issue in noted if issue.open]
        items = [
            *(f"settle: {_issue(issue)}" for issue in still_open),
            *(f"reword: {_issue(issue)}" for issue in noted),
            *(f"new: {kind}" for kind in KINDS),
        ]

        def chosen(index: int | None) -> None:
            if index is None:
                return
            with self.telling():
                if index < len(still_open):
                    log.close(still_open[index].id)
                    self.fill()
                elif (index := index - len(still_open)) < len(noted):
                    self._reword(log, noted[index].id, noted[index].kind, noted[index].text)
                else:
                    kind = KINDS[index - len(noted)]
                    self._reword(log, log.add(name, key, kind), kind, "")
                    self.fill()

        self.app.push_screen(Pick(f"What is wrong with the answer of {name}", items), chosen)

    def _reword(self, log: IssueLog, id: str, kind: Kind, before: str) -> None:
        from workbench.ui.widgets.note import EditDialog

        def written(text: str | None) -> None:
            if text:
                with self.telling():
                    log.edit(id, text=text)
                    self.fill()

        self.app.push_screen(EditDialog(f"{kind}: in your words, if need be", before), written)

    def do_write(self) -> None:
        """Choose what is written, and say where it is."""
        from workbench.ui.widgets.pick import Pick

        assert self.seen is not None
        contents = self.seen.contents

        def chosen(index: int | None) -> None:
            if index is None:
                return
            with self.telling():
                path, exported = judged.export(contents, judged.KINDS[index])
                left_out = ", ".join(f"{count} × {why}" for why, count in exported.left_out.items())
                less = f"; left out: {left_out}" if left_out else ""
                count = len(exported.rows)
                self.workbench.say(f"{count} row{'' if count == 1 else 's'} written to {path}{less}")

        self.app.push_screen(Pick("Write to a file", [WHAT[kind] for kind in judged.KINDS]), chosen)


def _issue(issue: Issue) -> str:
    return f"{issue.kind}: {issue.text}" if issue.text else issue.kind
