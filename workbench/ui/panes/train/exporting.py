"""How the train pane takes a model out: asked once, done by a process of its own, told in a line."""

from typing import TYPE_CHECKING

from textual import work
from textual.worker import Worker, get_current_worker

from workbench.errors import WorkbenchError
from workbench.runs.folder import Run
from workbench.ui.feed import RunFeed
from workbench.ui.panes.base import Pane

if TYPE_CHECKING:
    from workbench.exporting.request import ExportRequest
    from workbench.exporting.run import Exported


class ExportPane(Pane):
    """A pane with a run in it."""

    feed: RunFeed | None
    doing = ""
    """What an export is at; empty while there is none."""
    _exports: "Worker[None] | None" = None

    def _draw(self, answer: bool = False) -> None:
        raise NotImplementedError

    def why_not_export(self, name: str) -> str | None:
        """Why nothing can be taken out; None for other actions too."""
        if name == "export" and self.feed is None:
            return "there is no run yet"
        return None

    def would_lose(self) -> str | None:
        """An export under way."""
        return "the export that is going on" if self.doing else super().would_lose()

    def do_export(self) -> None:
        """Ask what, and where to; while one goes on, whether it shall end."""
        assert self.feed is not None
        if self.doing:
            self._ask_to_end()
        else:
            self._offer(self.feed.run)

    def _ask_to_end(self) -> None:
        from workbench.ui.widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes and self._exports:
                self._exports.cancel()

        self.app.push_screen(
            Confirm("End the export that is going on?", "Nothing is left of it.", loses=True), answered
        )

    @work(thread=True, group="offer", exclusive=True, exit_on_error=False)
    def _offer(self, run: Run) -> None:
        """A look at every checkpoint: never in the event loop."""
        from workbench.errors import fault
        from workbench.exporting.request import KINDS
        from workbench.runs.checkpoints import list_checkpoints
        from workbench.runs.folder import read_spec
        from workbench.ui.widgets.export_dialog import ExportDialog

        spec, checkpoints = read_spec(run), list_checkpoints(run)[::-1]
        if not checkpoints:
            raise fault("this run has no complete checkpoint: there is nothing to take out yet", run.id)
        kinds = [kind for kind in KINDS if kind != "adapter" or spec.project.training.method == "lora"]
        folder = spec.project_folder

        def ask() -> None:
            self.app.push_screen(ExportDialog(folder, run, checkpoints, kinds), answered)

        def answered(request: "ExportRequest | None") -> None:
            if request:
                self._at("starting")
                self._exports = self._export(request)

        self.app.call_from_thread(ask)

    @work(thread=True, group="export", exclusive=True, exit_on_error=False)
    def _export(self, request: "ExportRequest") -> None:
        from workbench.exporting.run import run_export

        worker = get_current_worker()

        def tell(doing: str) -> None:
            if not worker.is_cancelled:
                self.app.call_from_thread(self._at, doing)

        try:
            done = run_export(request, tell, lambda: worker.is_cancelled)
        except WorkbenchError as error:
            if worker.is_cancelled:
                self.app.call_from_thread(self.workbench.say, "the export was ended: nothing is left of it")
            else:
                self.app.call_from_thread(self.workbench.tell, error)
        else:
            self.app.call_from_thread(self._exported, done)
        finally:
            self.doing = ""
            if self.is_attached:
                self.app.call_from_thread(self._draw)

    def _at(self, doing: str) -> None:
        self.doing = doing
        self._draw()

    def _exported(self, done: "Exported") -> None:
        proof = done.proof
        lines = [f"exported to {done.request.to}"]
        if proof:
            lines += [proof.sentence(way) for way in dict.fromkeys((proof.recommended, proof.written))]
        self.workbench.say("\n".join([*lines, *(f"! {remark}" for remark in done.remarks)]))
