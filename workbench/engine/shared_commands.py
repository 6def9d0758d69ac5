"""Commands of a training with several ranks: rank 0 takes them up, all carry them out at the same step."""

import signal
from typing import TYPE_CHECKING

from workbench.engine.commands import Commands
from workbench.runs.control import pending_names

if TYPE_CHECKING:
    from workbench.engine.ranks import Ranks


class SharedCommands(Commands):
    """As `Commands`; what is asked for has effect from the next `agree` on, which every rank calls."""

    _ranks: "Ranks"

    def join(self, ranks: "Ranks") -> None:
        """From here on they agree."""
        self._ranks = ranks

    def poll(self) -> None:
        """Between two agreements only an order to end at once is heard, by rank 0.

        Raises:
            StopNow: the others lose their connection then, and are ended.
        """
        if self._ranks.writes:
            self.require_folder()
            if "stop-now" in pending_names(self._run):
                super().poll()

    def agree(self) -> None:
        """Take over what lies in the control folder; afterwards all ranks want the same."""
        if self._ranks.writes:
            super().poll()
        flags = [self.stop, self.checkpoint, self.validate, self.sample, self.paused]
        numbers = self._ranks.numbers_from_first([*map(int, flags), self.logging_steps or 0])
        self.stop, self.checkpoint, self.validate, self.sample, self.paused = map(bool, numbers[:5])
        self.logging_steps = numbers[5] or None

    def catch_signals(self) -> None:
        """Signals are for the process that watches over the ranks: it asks through the control folder.

        A batch system sends them to every process, and ranks that heed them one by one would not stop at the
        same step.
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
