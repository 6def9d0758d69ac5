"""The data set of a project: every row counted, a missing file no one else's problem, many threads."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from workbench.data.dataset import Dataset, open_dataset
from workbench.data.example import Example, Rejected
from workbench.data.files.rows import RowError
from workbench.data.report import SourceReport
from workbench.data.selection import select
from workbench.errors import WorkbenchError
from workbench.project.schema import DataSettings, Project
from workbench.project.store import OpenProject

PAIR = {"kind": "fields", "user": ["{q}"], "assistant": "{a}"}


def dataset(folder: Path, *sources: dict[str, Any]) -> Dataset:
    settings = Project.model_validate({"name": "test", "data": {"source": list(sources)}})
    return open_dataset(OpenProject(folder, folder / "project.toml", "", settings, None, {}))


def report(data: Dataset, **watch: Any) -> list[SourceReport]:
    """What became of the rows."""
    return select(data, DataSettings(source=[state.source for state in data.sources]), **watch).reports


def jsonl(path: Path, rows: list[Any]) -> dict[str, Any]:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return {**PAIR, "path": path.name}


def test_every_row_is_counted_with_its_reason_and_number(tmp_path: Path) -> None:
    rows = [{"q": "1", "a": "x"}, "{", {"q": "2"}, "", {"q": "3", "a": "x"}, {"q": "4"}, {"q": "", "a": "x"}]
    data = dataset(tmp_path, jsonl(tmp_path / "x.jsonl", rows))
    [told] = report(data)
    assert (told.read, told.kept, told.error, told.complete) == (7, 2, "", True)
    assert {reason: list(rows) for reason, rows in told.rejected.items()} == {
        "broken JSON": [1],
        'no column "a"': [2, 5],
        "empty line": [3],
        "empty user message": [6],
    }
    assert [made.origin.row for made, _ in data.examined(0) if isinstance(made, Example)] == [0, 4]


def test_rows_and_examples_by_number(tmp_path: Path) -> None:
    data = dataset(tmp_path, jsonl(tmp_path / "x.jsonl", [{"q": "1", "a": "x"}, "{"]))
    assert data.row(0, 0) == {"q": "1", "a": "x"}
    assert isinstance(data.example(0, 0), Example)
    with pytest.raises(RowError, match="broken JSON"):
        data.row(0, 1)
    broken = data.example(0, 1)
    assert isinstance(broken, Rejected) and broken.reason == "broken JSON"
    with pytest.raises(WorkbenchError, match="there is no row 2; it has 2 rows"):
        data.example(0, 2)
    with pytest.raises(WorkbenchError, match="there is no source 1; the project has 1"):
        data.example(1, 0)


def test_a_source_that_cannot_be_read_leaves_the_others_usable(tmp_path: Path) -> None:
    good = jsonl(tmp_path / "good.jsonl", [{"q": "1", "a": "x"}])
    data = dataset(tmp_path, {**PAIR, "path": "absent.jsonl"}, good)
    assert [state.error is None for state in data.sources] == [False, True]
    absent, present = report(data)
    assert "no such file" in absent.error and (absent.read, present.kept) == (0, 1)
    assert isinstance(data.example(1, 0), Example)
    for ask in (lambda: data.example(0, 0), lambda: list(data.examined(0)), data.require_readable):
        with pytest.raises(WorkbenchError, match="no such file"):  # never as if it were not there
            ask()


def test_paths_are_relative_to_the_project_or_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    source = jsonl(tmp_path / "elsewhere" / "x.jsonl", [{"q": "1", "a": "x"}])
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in ("../elsewhere/x.jsonl", str(tmp_path / "elsewhere/x.jsonl"), "~/elsewhere/x.jsonl"):
        assert dataset(tmp_path / "elsewhere", {**source, "path": path}).sources[0].error is None, path
    assert dataset(tmp_path, {**source, "path": "~no_such_user/x.jsonl"}).sources[0].error is not None


def test_a_count_tells_its_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    rows = [{"q": str(i), "a": "x"} for i in range(3000)]
    data = dataset(tmp_path, jsonl(tmp_path / "x.jsonl", rows), jsonl(tmp_path / "y.jsonl", rows))
    told: list[float] = []
    report(data, progress=told.append)
    assert told == sorted(told) and told[-1] == 1.0 and len(told) > 5
    told.clear()
    first, second = report(data, progress=told.append, cancelled=lambda: bool(told) and told[-1] > 0.3)
    assert 0 < first.read < 3000 and not first.complete
    assert second.read == 0 and not second.complete


def test_a_file_cut_short_while_it_is_counted_is_counted_as_that(tmp_path: Path) -> None:
    data = dataset(tmp_path, jsonl(tmp_path / "x.jsonl", [{"q": "1", "a": "x"}] * 100))
    os.truncate(tmp_path / "x.jsonl", 100)
    [told] = report(data)
    assert told.read == told.kept + sum(map(len, told.rejected.values()))
    assert len(told.rejected["the file has become shorter since it was opened"]) > 90


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "parquet"])
def test_many_threads_at_once(tmp_path: Path, suffix: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 4000
    rows = [{"q": f"question {i}", "a": str(i)} for i in range(count)]
    path = tmp_path / f"x.{suffix}"
    match suffix:
        case "jsonl":
            jsonl(path, rows)
        case "json":
            path.write_text(json.dumps(rows))
        case "csv":
            path.write_text("q,a\n" + "".join(f"{row['q']},{row['a']}\n" for row in rows))
        case "parquet":
            pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=700)
    data = dataset(tmp_path, {**PAIR, "path": path.name})

    def right(start: int) -> bool:
        made = ((i, data.example(0, i)) for i in range(start, count, 61))
        return all(isinstance(e, Example) and e.messages[1].content == str(i) for i, e in made)

    with ThreadPoolExecutor(6) as pool:
        counted = pool.submit(report, data)
        assert all(pool.map(right, range(5)))
        assert counted.result()[0].kept == count
    data.close()


def test_a_closed_data_set_says_so_instead_of_failing(tmp_path: Path) -> None:
    data = dataset(tmp_path, jsonl(tmp_path / "x.jsonl", [{"q": "1", "a": "x"}]))
    data.close()
    with pytest.raises(WorkbenchError, match="has been closed"):
        data.example(0, 0)
    assert "has been closed" in report(data)[0].error


def test_nothing_heavy_is_imported_for_jsonl(tmp_path: Path) -> None:
    jsonl(tmp_path / "x.jsonl", [{"q": "1", "a": "x"}])
    code = (
        "import sys; from pathlib import Path; from workbench.data import dataset, split; "
        "from workbench.data.detect import propose; "
        "from workbench.data.files.rows import open_rows; assert open_rows(Path('x.jsonl'))[0]; "
        "print(sorted({'numpy', 'pyarrow', 'torch', 'datasets', 'pandas'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout.strip() == "[]"
