"""`hub:` data sets from this side of the process that fetches them: cached, refused, cancelled."""

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.data.files import hub
from workbench.data.files.rows import Rows
from workbench.data.files.sources import open_source, source_files
from workbench.errors import WorkbenchError
from workbench.project.source import SourceTable

WRITES = """
import pyarrow, pyarrow.parquet, os, sys
name, split, config, target = sys.argv[1:]
assert os.listdir(".") == [], "not in an empty folder"
print("words of a library")
table = pyarrow.table({"said": [f"{name} {split} {config}"]})
pyarrow.parquet.write_table(table, target)
"""
Worker = Callable[[str], None]


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Puts a program in place of the one that fetches."""

    def put(code: str) -> None:
        (tmp_path / "stand_in.py").write_text(code)

    monkeypatch.setattr(hub, "_WORKER", "stand_in")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return put


def opened(path: str, **settings: object) -> Rows:
    return open_source(SourceTable.model_validate({"path": path, **settings}), Path("/nowhere"))


def problem(path: str) -> str:
    with pytest.raises(WorkbenchError) as caught:
        opened(path)
    return str(caught.value)


def test_a_data_set_is_fetched_once_for_each_split_and_configuration(worker: Worker, cache: Path) -> None:
    worker(WRITES)
    assert opened("hub:owner/name")[0] == {"said": "owner/name train "}
    assert opened("hub:owner/name", hub_split="test[:5]", hub_config="th")[0]["said"].endswith("test[:5] th")
    worker("raise SystemExit('fetched again')")
    rows = opened("hub:owner/name")
    assert len(rows) == 1
    assert rows.files == source_files(SourceTable(path="hub:owner/name"), Path("/nowhere"))
    assert rows.files[0].parent == cache / "workbench" / "hub"


def test_what_the_worker_says_is_what_the_person_reads(worker: Worker) -> None:
    worker(
        """print("noise"); print('{"what": "no split", "hint": "hub_split can be a"}'); raise SystemExit(1)"""
    )
    assert problem("hub:owner/name") == "hub:owner/name: no split; hub_split can be a"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise MemoryError('all gone')", "failed: MemoryError: all gone"),
        ("import os; os.kill(os.getpid(), 9)", "failed: exit code -9"),
        ("pass", "failed: exit code 0"),
        ("print('[1, 2]'); raise SystemExit(1)", "failed: [1, 2]"),
    ],
)
def test_a_worker_that_breaks_is_a_fault_without_a_traceback(
    worker: Worker, code: str, expected: str
) -> None:
    worker(code)
    assert expected in problem("hub:owner/name")


def test_only_names_of_the_hub_reach_the_worker(worker: Worker) -> None:
    worker("raise SystemExit('was started')")
    for name in ("", "/etc", "../secret", "a/b/c", "owner/..", "--help", "a\nb", "owner/na me"):
        assert "not a name of the hub" in problem(f"hub:{name}")


def test_fetching_can_be_cancelled(worker: Worker, cache: Path) -> None:
    worker("import time; time.sleep(600)")
    with pytest.raises(WorkbenchError, match="cancelled"):
        open_source(SourceTable(path="hub:owner/name"), Path("/nowhere"), cancelled=lambda: True)
    assert list((cache / "workbench" / "hub").iterdir()) == []
