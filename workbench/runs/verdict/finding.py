"""What a rule found, and all findings of a run in order of their weight."""

from dataclasses import dataclass

SHORT = 150
"""Characters: two lines of 80 columns, less what stands before and behind."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the curves show.

    Attributes:
        name: of the rule, such as `overfitting`.
        what: the verdict with its figures, one line.
        rule: how it was decided, in a few words.
        step: where it begins, or where it was seen; None where it belongs to no step.
        epoch: the same in epochs; None where the run does not tell its epochs.
    """

    name: str
    what: str
    rule: str
    step: int | None = None
    epoch: float | None = None

    def __str__(self) -> str:
        return f"{self.what} [{self.rule}]" if self.rule else self.what


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings, the weightiest first; there is always one.

    Attributes:
        so_far: the run goes on, and the verdict may change.
    """

    findings: tuple[Finding, ...]
    so_far: bool = False

    @property
    def headline(self) -> Finding:
        """The one that matters most."""
        return self.findings[0]

    @property
    def line(self) -> str:
        """The headline as a line."""
        return f"so far: {self.headline}" if self.so_far else str(self.headline)

    @property
    def short(self) -> str:
        """The headline without its rule, and without its last clauses where it is long."""
        what = self.headline.what
        while len(what) > SHORT and "; " in what:
            what = what.rpartition("; ")[0]
        more = f" (+{len(self.findings) - 1})" if len(self.findings) > 1 else ""
        return f"{'so far: ' if self.so_far else ''}{what}{more}"
