"""What a run has behind it, kept in every checkpoint so that a resumed run counts on from there."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "progress.json"


@dataclass(slots=True)
class Progress:
    """Sums over all attempts of a run, up to the checkpoint that holds them.

    Attributes:
        tokens: tokens read in training, padding left out.
        supervised_tokens: tokens trained.
        examples: examples trained, counted once per pass.
        seconds: time spent on training steps; validations and checkpoints left out.
        best_loss: lowest validation loss, in nats per trained token.
        best_step: the step it was seen at.
        validations_since_best: validations after it, of those that were due, without a new lowest loss.
        parts: every micro-batch is run in so many parts; more than 1 after the memory ran out.
    """

    tokens: int = 0
    supervised_tokens: int = 0
    examples: int = 0
    seconds: float = 0.0
    best_loss: float | None = None
    best_step: int | None = None
    validations_since_best: int = 0
    parts: int = 1

    def save(self, checkpoint: Path) -> None:
        """Write into a checkpoint that is being filled."""
        (checkpoint / FILE).write_text(json.dumps({"v": 1, **asdict(self)}), encoding="utf-8")

    @classmethod
    def load(cls, checkpoint: Path) -> "Progress":
        """Read from a complete checkpoint."""
        fields = json.loads((checkpoint / FILE).read_text(encoding="utf-8"))
        del fields["v"]
        return cls(**fields)
