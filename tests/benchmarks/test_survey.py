"""`workbench check` over many rows, against `datasets` doing two of its many checks over the same file."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 200_000
FLOOR = 20.0  # MB/s a core
MOST_MB = 600
pytestmark = pytest.mark.benchmark

PROJECT = """\
format = 1
name = "many"
[data]
validation = 0.01
[[data.source]]
kind = "fields"
path = "rows.jsonl"
user = ["{instruction}"]
"""
WORDS = {
    "en": "the tea house opens at eight and closes when the last guest has gone home nobody hurries here",
    "vi": "xin chào quý khách đến với quán trà của chúng tôi hôm nay trời đẹp và nước sôi rất nhẹ nhàng",
    "zh": "天 地 玄 黃 宇 宙 洪 荒 日 月 盈 昃 辰 宿 列 張 寒 來 暑 往 秋 收 冬 藏 閏 餘 成 歲 律 呂 調 陽",
}

OURS = """
from pathlib import Path
from workbench.project.store import open_project
from workbench.prompts.survey.survey import survey
found = survey(open_project(Path({folder!r})))
assert found.facts.used == {rows} and not found.statistics.exact
"""
THEIRS = """
import datasets
datasets.disable_progress_bars()
rows = datasets.load_dataset("json", data_files={file!r}, split="train", cache_dir={cache!r})
seen, again = set(), 0
def look(row):
    global again
    text = row["instruction"] + row["output"]
    again += hash(text) in seen
    seen.add(hash(text))
    return {{"characters": len(text)}}
rows = rows.map(look)
assert len(rows) == {rows}
"""
MEASURE = """
import resource
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 240 MB of rows of 1.2 KB in three languages, as a million-row file of 1.2 GB has them."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "project.toml").write_text(PROJECT)
    draw = random.Random(1)
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        for i in range(ROWS):
            language = "en" if i % 10 < 7 else "vi" if i % 10 < 9 else "zh"
            joined = "" if language == "zh" else " "
            body = joined.join(draw.choices(WORDS[language].split(), k=360 if language == "zh" else 210))
            row = {"instruction": f"Describe number {i} in a few words.", "output": body}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return folder


def measured(code: str) -> tuple[float, float]:
    """Seconds of processor time and the highest resident memory in MB of a Python that runs `code`."""
    done = subprocess.run([sys.executable, "-c", code + MEASURE], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split()[-2:])
    return seconds, megabytes


def test_a_survey_of_many_rows(many: Path) -> None:
    file = many / "rows.jsonl"
    size = file.stat().st_size / 1e6
    seconds, memory = measured(OURS.format(folder=str(many), rows=ROWS))
    their_seconds, their_memory = measured(
        THEIRS.format(file=str(file), cache=str(many / "cache"), rows=ROWS)
    )
    ours = f"{size / seconds:.1f} MB/s a core, {memory:,.0f} MB resident"
    theirs = f"{size / their_seconds:.1f} MB/s a core, {their_memory:,.0f} MB resident"
    sys.stdout.write(f"\n{size:,.0f} MB: survey {ours}; datasets (lengths and duplicates alone) {theirs}\n")
    assert size / seconds >= FLOOR and memory < MOST_MB
