"""What a person found wrong with answers: added, edited and closed in a log that only grows."""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from workbench.errors import fault
from workbench.evaluation.log import append, read_log
from workbench.evaluation.records import RowRecord

Kind = Literal[
    "wrong intent", "leaked information", "wrong number", "unfinished", "repetition", "gibberish", "other"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


class IssueLine(RowRecord):
    """One line of the log; of an issue with several lines the last one counts.

    Attributes:
        id: of the issue.
        time: in seconds since 1970.
        action: what was done.
        contestant: whose answer it is about.
        kind: what is wrong.
        text: the same in the person's words.
        by: who did it.
    """

    id: str
    time: float
    action: Literal["add", "edit", "close"]
    contestant: str
    kind: Kind
    text: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it stands: `opened` and `changed` are in seconds since 1970, `by` changed it last."""

    id: str
    key: tuple[int, int]
    contestant: str
    kind: Kind
    text: str
    open: bool
    opened: float
    changed: float
    by: str


class IssueLog:
    """The issues of an evaluation.

    Attributes:
        path: the log; it need not exist.
        broken: lines at the last reading that were none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = 0

    def read(self) -> list[Issue]:
        """All issues as they stand, in the order they were added; closed ones too. Raises WorkbenchError."""
        lines, self.broken = read_log(self.path, IssueLine)
        issues: dict[str, Issue] = {}
        for line in lines:
            first = issues.get(line.id)
            issues[line.id] = Issue(
                id=line.id,
                key=line.key,
                contestant=line.contestant,
                kind=line.kind,
                text=line.text,
                open=line.action != "close",
                opened=first.opened if first else line.time,
                changed=line.time,
                by=line.by,
            )
        return list(issues.values())

    def of_answers(self) -> dict[tuple[str, tuple[int, int]], list[Issue]]:
        """Contestant and row to the issues about that answer. Raises WorkbenchError."""
        found: dict[tuple[str, tuple[int, int]], list[Issue]] = {}
        for issue in self.read():
            found.setdefault((issue.contestant, issue.key), []).append(issue)
        return found

    def add(self, contestant: str, key: tuple[int, int], kind: Kind, text: str = "", by: str = "") -> str:
        """Open an issue about the answer to the row `key`; returns its id. Raises WorkbenchError."""
        number = secrets.token_hex(4)
        self._write(number, "add", contestant, key, kind, text, by)
        return number

    def edit(self, id: str, *, kind: Kind | None = None, text: str | None = None, by: str = "") -> None:
        """Change an issue, which is open then, whatever it was. Raises WorkbenchError: there is none."""
        old = self._named(id)
        new_text = old.text if text is None else text
        self._write(id, "edit", old.contestant, old.key, kind or old.kind, new_text, by)

    def close(self, id: str, by: str = "") -> None:
        """Say that an issue is settled; `edit` opens it again. Raises WorkbenchError: there is none."""
        old = self._named(id)
        self._write(id, "close", old.contestant, old.key, old.kind, old.text, by)

    def _named(self, id: str) -> Issue:
        for issue in self.read():
            if issue.id == id:
                return issue
        raise fault(f"no issue {id!r}", self.path)

    def _write(
        self,
        id: str,
        action: Literal["add", "edit", "close"],
        contestant: str,
        key: tuple[int, int],
        kind: Kind,
        text: str,
        by: str,
    ) -> None:
        if kind not in KINDS:
            raise fault(f"no kind {kind!r} of issue", self.path, f"one of {', '.join(KINDS)}")
        line = IssueLine(
            source=key[0],
            row=key[1],
            id=id,
            time=time.time(),
            action=action,
            contestant=contestant,
            kind=kind,
            text=text.strip(),
            by=by,
        )
        append(self.path, line)
