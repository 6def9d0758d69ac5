"""`~` as people write it, and names that only look like it."""

from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.project.paths import expanded
from workbench.project.store import open_project


def test_a_home_that_is_not_known_leaves_a_plain_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/of/mine")
    assert expanded("~/data") == Path("/home/of/mine/data")
    assert expanded("~nobody-of-this-name/data") == Path("~nobody-of-this-name/data")


def test_a_project_behind_such_a_name_is_missing() -> None:
    with pytest.raises(WorkbenchError, match="no such folder"):
        open_project(Path("~nobody-of-this-name"))
