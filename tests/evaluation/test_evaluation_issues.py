"""A log of issues grows only, and reads as what stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.evaluation.issues import KINDS, IssueLog


def test_issues_are_added_edited_and_closed(tmp_path: Path) -> None:
    log = IssueLog(tmp_path / "issues.jsonl")
    assert log.read() == []
    first = log.add("tuned", (0, 3), "wrong number", "says 30, not 20", "Ada")
    second = log.add("base", (0, 3), "other", "太短")
    log.edit(first, text="says 30", by="Bob")
    log.edit(second, kind="unfinished")
    log.close(second)
    one, two = log.read()
    assert (one.id, one.contestant, one.key, one.kind) == (first, "tuned", (0, 3), "wrong number")
    assert (one.text, one.open, one.by) == ("says 30", True, "Bob") and one.opened <= one.changed
    assert (two.kind, two.text, two.open) == ("unfinished", "太短", False)
    assert log.of_answers() == {("tuned", (0, 3)): [one], ("base", (0, 3)): [two]}
    log.edit(second)
    assert log.read()[1].open
    assert len(log.path.read_text().splitlines()) == 6, "nothing is taken out of the log"


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    log = IssueLog(tmp_path / "issues.jsonl")
    for change in (lambda: log.edit("none"), lambda: log.close("none")):
        with pytest.raises(WorkbenchError, match="no issue 'none'"):
            change()
    with pytest.raises(WorkbenchError, match="no kind 'ugly'"):
        log.add("tuned", (0, 1), "ugly")  # type: ignore[arg-type]
    assert not log.path.exists()


def test_what_is_no_line_is_counted(tmp_path: Path) -> None:
    log = IssueLog(tmp_path / "issues.jsonl")
    log.add("tuned", (0, 1), "other")
    with log.path.open("a") as file:
        file.write('{"v":1}\nnonsense\n\n{"half')
    assert len(log.read()) == 1 and log.broken == 2
    log.add("tuned", (0, 2), "other")
    assert [issue.key for issue in log.read()] == [(0, 1), (0, 2)]


@given(kind=st.sampled_from(KINDS), text=st.text(max_size=50))
def test_every_text_can_be_said(tmp_path_factory: pytest.TempPathFactory, kind: str, text: str) -> None:
    log = IssueLog(tmp_path_factory.mktemp("log") / "issues.jsonl")
    log.add("x", (0, 0), kind, text)  # type: ignore[arg-type]
    (issue,) = log.read()
    assert issue.text == text.strip().encode("utf-8", "replace").decode()
