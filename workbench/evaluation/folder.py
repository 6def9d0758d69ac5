"""Evaluation folders, `projects/<name>/evaluations/<id>/`: all that was measured, in plain files."""

from dataclasses import dataclass
from pathlib import Path

EVALUATIONS = "evaluations"


@dataclass(frozen=True)
class Evaluation:
    """The places of one evaluation; nothing is read until it is asked for."""

    folder: Path

    @property
    def id(self) -> str:
        """Its name: when it was begun."""
        return self.folder.name

    @property
    def plan(self) -> Path:
        """What is compared; its presence makes the folder an evaluation."""
        return self.folder / "plan.json"

    @property
    def rows(self) -> Path:
        """The rows as they were, one JSON object a line: `records.ScoredRow`."""
        return self.folder / "rows.jsonl"

    @property
    def events(self) -> Path:
        """Progress, warnings, the end."""
        return self.folder / "events.jsonl"

    @property
    def console(self) -> Path:
        """All output of the process."""
        return self.folder / "console.log"

    @property
    def lock(self) -> Path:
        """Locked by the living process."""
        return self.folder / "lock"

    @property
    def control(self) -> Path:
        """Commands that are not taken up yet."""
        return self.folder / "control"

    @property
    def votes(self) -> Path:
        """Which of two answers a person liked better."""
        return self.folder / "votes.jsonl"

    @property
    def issues(self) -> Path:
        """What a person found wrong with answers."""
        return self.folder / "issues.jsonl"

    @property
    def corrections(self) -> Path:
        """Answers that a person wrote better."""
        return self.folder / "corrections.jsonl"

    def contestant(self, number: int) -> "Measured":
        """What was measured of the plan's contestant `number`, from 0."""
        return Measured(self.folder / "contestants" / str(number))


@dataclass(frozen=True)
class Measured:
    """The files of one contestant; one that is not there yet has no lines."""

    folder: Path

    @property
    def scores(self) -> Path:
        """Perplexity, row by row: `records.Score`."""
        return self.folder / "scores.jsonl"

    @property
    def answers(self) -> Path:
        """What it wrote, row by row: `records.Answer`."""
        return self.folder / "answers.jsonl"

    @property
    def labels(self) -> Path:
        """What the classifier says of answers and references: `records.Label`."""
        return self.folder / "labels.jsonl"

    @property
    def shots(self) -> Path:
        """Which examples stood before its prompts: `records.Draw`."""
        return self.folder / "shots.jsonl"
