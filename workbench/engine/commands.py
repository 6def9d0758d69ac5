"""What others ask of a running training, through the run's control folder and through signals."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from workbench.runs.control import NAMES, Command, pending
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run

if TYPE_CHECKING:
    from workbench.engine.ranks import Ranks

WAIT_SECONDS = 0.1
"""A paused run looks for commands this often."""


class StopNow(BaseException):
    """Asked to end at once, without a checkpoint. No `Exception`: nobody on the way up may handle it."""


class Commands:
    """Requests not yet carried out.

    Attributes:
        stop: finish the step, write a checkpoint, end.
        checkpoint: write a checkpoint at the end of this step.
        validate: score the validation rows at the end of this step.
        sample: answer some prompts at the end of this step.
        paused: take no further step until it is taken back.
        logging_steps: steps between points of the curve; None as long as nobody asked for others.
        validates: there are validation rows; the trainer says so.
    """

    def __init__(self, run: Run, events: EventWriter) -> None:
        self.stop = False
        self.checkpoint = False
        self.validate = False
        self.sample = False
        self.paused = False
        self.logging_steps: int | None = None
        self.validates = True
        self._run = run
        self._events = events
        self._stepping = False
        self._signal = ""

    def join(self, ranks: "Ranks") -> None:
        """The ranks that train together are known; one that is alone needs nobody's agreement."""

    def poll(self) -> None:
        """Take over what lies in the control folder; costs one directory listing.

        Raises:
            StopNow: on `stop-now`, and when the run was removed: nobody could see what it does.
        """
        self.require_folder()
        if self._signal:
            self._events.write("command", name="stop", acknowledged=True, reason=self._signal)
            self._signal = ""
        for command in pending(self._run):
            refused = self._take(command)
            reason = refused or str(command.arguments.get("reason", ""))
            self._events.write("command", name=command.name, acknowledged=not refused, reason=reason)
            if command.name == "stop-now":
                raise StopNow("asked to stop at once")

    def require_folder(self) -> None:
        """Raise StopNow when the run was removed."""
        with suppress(OSError):
            if os.stat(self._run.folder).st_nlink == 0:
                raise StopNow("the run's folder was removed")

    def agree(self) -> None:
        """`poll`, where all that train together get to: at a step's end, between batches of a validation."""
        self.poll()

    def wait(self) -> None:
        """While paused, until there is something to do.

        Raises:
            StopNow: on `stop-now`.
        """
        while self.paused and not (self.stop or self.checkpoint or self.validate or self.sample):
            time.sleep(WAIT_SECONDS)
            self.agree()

    def _take(self, command: Command) -> str:
        """Note what is asked for; the reason why not, where it makes no sense."""
        match command.name:
            case "stop":
                self.stop = True
            case "checkpoint":
                self.checkpoint = True
            case "validate":
                if not self.validates:
                    return "this run has no validation rows"
                self.validate = True
            case "sample":
                self.sample = True
            case "pause":
                if self.paused:
                    return "this run is paused already"
                self.paused = True
            case "continue":
                if not self.paused:
                    return "this run is not paused"
                self.paused = False
            case "logging":
                steps = command.arguments.get("steps")
                if not isinstance(steps, int) or steps < 1:
                    return "logging takes a number of steps, 1 or more"
                self.logging_steps = steps
            case "stop-now":
                pass
            case _:
                return f"training knows {', '.join(NAMES)} and stop-now"
        return ""

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """While steps are taken a first signal asks for an orderly stop; before and after it ends at once."""
        self._stepping = True
        try:
            yield
        finally:
            self._stepping = False

    def catch_signals(self) -> None:
        """SIGTERM and SIGINT: stop; a second one: now."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def ignore_signals(self) -> None:
        """All is decided: the last word must not be cut off."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self.stop or not self._stepping:
            raise StopNow(f"{name} received")
        # Acknowledged by the next poll: this handler may have interrupted the writing of an event
        self.stop, self._signal = True, f"{name} received"
