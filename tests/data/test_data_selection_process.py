"""A selection made by another process is the one that this process makes."""

from pathlib import Path

import pytest

from workbench.data import selection_process
from workbench.data.dataset import Dataset, open_dataset
from workbench.data.selection import select
from workbench.data.selection_process import selected
from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project

SETTINGS = """\
format = 1
name = "x"
[[data.source]]
kind = "fields"
path = "a.jsonl"
tags = { last = "{output}" }
[[data.source]]
kind = "fields"
path = "gone.jsonl"
"""


@pytest.fixture(params=["thread", "process"])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenProject:
    if request.param == "process":
        monkeypatch.setattr(selection_process, "SMALL", -1)
    rows = [f'{{"instruction": "q{i}", "output": "{i % 7 or ""}"}}\n' for i in range(1200)]
    (tmp_path / "a.jsonl").write_text("".join(rows))
    (tmp_path / "project.toml").write_text(SETTINGS)
    return open_project(tmp_path)


def opened(project: OpenProject) -> Dataset:
    return open_dataset(project)


def test_it_is_the_same(project: OpenProject) -> None:
    shares: list[float] = []
    found = selected(project, opened(project), shares.append, lambda: False)
    assert found == select(opened(project), project.settings.data)
    assert found and found.reports[0].read == 1200 and found.reports[1].error
    assert shares == sorted(shares) and len(shares) >= 3


def test_it_is_cancelled(project: OpenProject) -> None:
    assert selected(project, opened(project), lambda share: None, lambda: True) is None


def test_a_process_that_ends_early_is_told(project: OpenProject, monkeypatch: pytest.MonkeyPatch) -> None:
    if selection_process.SMALL > 0:
        pytest.skip("there is no process")
    monkeypatch.setattr(selection_process.sys, "executable", "/bin/false")
    with pytest.raises(WorkbenchError, match="counting the rows brought no result: ended with 1"):
        selected(project, opened(project), lambda share: None, lambda: False)
