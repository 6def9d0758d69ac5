"""Carries out a list of cleaning rules on examples."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.data.cleaning.steps import rule_of
from workbench.data.example import Example, Rejected
from workbench.project.source import Cleaning

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule did to one example.

    Attributes:
        rule: its label.
        before: the example as the rule found it.
        after: as the rule left it, or why it left it out.
    """

    rule: str
    before: Example
    after: Example | Rejected


class Cleaner:
    """Cleaning rules in their order, again until nothing changes: what is clean stays as it is.

    `replace` is carried out in the first round only, since `a -> aa` has no end. After twenty rounds it is
    enough: only a text made for it, such as `&amp;amp;amp;...`, needs more. What is `given` to a message and
    the tags stay untouched. May be used from several threads at once.
    """

    def __init__(self, rules: Sequence[Cleaning]) -> None:
        """Raises WorkbenchError when a rule says nothing or its pattern is not a regular expression."""
        self._first = [rule_of(rule) for rule in rules]
        self._again = [rule for rule in self._first if not rule.once]

    def clean(self, example: Example) -> Example | Rejected:
        """The example after all rules: itself when none has anything to do. A length limit or a redirect
        stub gives a rejection with `filtered`; a message that comes out empty one without."""
        steps = self.steps(example)
        return steps[-1].after if steps else example

    def touched(self, example: Example) -> tuple[Example | Rejected, tuple[str, ...]]:
        """What `clean` gives, and the labels of the rules that changed something, each once."""
        if not self._first:
            return example, ()
        steps = self.steps(example)
        return (steps[-1].after if steps else example), tuple(dict.fromkeys(step.rule for step in steps))

    def steps(self, example: Example) -> list[Step]:
        """What each rule did, in order; rules without effect are left out."""
        steps: list[Step] = []
        rules = self._first
        for _ in range(_ROUNDS):
            before = len(steps)
            for rule in rules:
                after = rule.apply(example)
                if after is example:
                    continue
                steps.append(Step(rule.label, example, after))
                if isinstance(after, Rejected):
                    return steps
                example = after
            if len(steps) == before:
                break
            rules = self._again
        return steps
