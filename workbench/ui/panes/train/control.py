"""What the train pane asks of a run that goes on; the command line asks the same way."""

from textual import work

from workbench.errors import WorkbenchError
from workbench.runs import control
from workbench.runs.folder import Run
from workbench.runs.status import State
from workbench.ui.feed import RunFeed
from workbench.ui.panes.base import Pane
from workbench.ui.text import counted

COMMANDS: dict[str, control.Name] = {
    "stop": "stop",
    "stop_now": "stop",
    "checkpoint": "checkpoint",
    "validate": "validate",
    "sample": "sample",
    "log_every": "logging",
}
"""Action to what the run is asked for."""


class ControlPane(Pane):
    """A pane with a run in it."""

    feed: RunFeed | None

    def why_not_command(self, name: str) -> str | None:
        """Why the run would not do what an action asks of it; None for other actions too."""
        if name not in COMMANDS and name != "pause":
            return None
        if self.feed is None:
            return "there is no run yet"
        command = self._pause_or_continue() if name == "pause" else COMMANDS[name]
        return control.refusal(self.feed.status, command) or None

    @property
    def _run(self) -> Run:
        assert self.feed is not None
        return self.feed.run

    def _pause_or_continue(self) -> control.Name:
        assert self.feed is not None
        return "continue" if self.feed.status.state is State.PAUSED else "pause"

    def do_stop(self) -> None:
        """Finish the step, write a checkpoint, end."""
        control.send(self._run, "stop")
        self.workbench.say("stops after this step, with a checkpoint")

    def do_stop_now(self) -> None:
        """End without a checkpoint; asks."""
        from workbench.ui.widgets.confirm import Confirm

        run = self._run

        def answered(yes: bool | None) -> None:
            if yes:
                self._end(run)

        self.app.push_screen(
            Confirm("End this run at once?", "What it learnt since its last checkpoint is lost.", loses=True),
            answered,
        )

    @work(thread=True, group="end", exit_on_error=False)
    def _end(self, run: Run) -> None:
        try:
            control.stop_now(run)
        except WorkbenchError as error:
            self.app.call_from_thread(self.workbench.tell, error)

    def do_checkpoint(self) -> None:
        """Write a checkpoint after this step."""
        control.send(self._run, "checkpoint")
        self.workbench.say("writes a checkpoint after this step")

    def do_validate(self) -> None:
        """Score the validation rows after this step."""
        control.send(self._run, "validate")
        self.workbench.say("scores the validation rows after this step")

    def do_sample(self) -> None:
        """Let it answer some prompts after this step."""
        control.send(self._run, "sample")
        self.workbench.say("answers three prompts after this step: w shows them")

    def do_pause(self) -> None:
        """Wait between two steps, or go on."""
        command = self._pause_or_continue()
        control.send(self._run, command)
        self.workbench.say("pauses after this step" if command == "pause" else "goes on")

    def do_log_every(self) -> None:
        """Ask for the distance of the curve's points."""
        from workbench.ui.widgets.number import AskNumber

        run = self._run

        def answered(steps: int | None) -> None:
            if steps is not None:
                with self.telling():
                    control.send(run, "logging", steps=steps)
                    self.workbench.say(f"a point every {counted(steps, 'step')} from here on")

        self.app.push_screen(
            AskNumber("Steps between two points of the curve", least=1, now=self._distance()), answered
        )

    def _distance(self) -> int | None:
        """Steps between the last two points of the curve; None while there are fewer."""
        assert self.feed is not None
        steps, _ = self.feed.series.curve("loss")
        return int(steps[-1] - steps[-2]) if len(steps) > 1 else None
