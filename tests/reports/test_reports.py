"""Reports: what they say of a run, a sweep, a project; and that nothing foreign gets out of its place."""

import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_evaluations import evaluation

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.reports import svg
from workbench.reports.document import Bars, Document, Line, Listing, Paragraph, Part, Plot, Quote, Table
from workbench.reports.html import as_html
from workbench.reports.markdown import as_markdown, escaped
from workbench.reports.project import project_report
from workbench.reports.run import run_report
from workbench.reports.sweep import sweep_report
from workbench.reports.writing import write_report
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, create_run
from workbench.runs.notes import add_note
from workbench.runs.queue.entries import Queue
from workbench.runs.sweep.choices import plan
from workbench.runs.sweep.store import enqueue_sweep, find_sweep
from workbench.ui.report_text import as_text
from workbench.ui.text import clean_lines

FOREIGN = "<script>alert(1)</script> [x](javascript:1) | **b** `c` \x1b[31m\u202e ```\n# heading\n- item"


@pytest.fixture
def project(tmp_path: Path) -> OpenProject:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "rows.jsonl").write_text('{"q": "a", "a": "b"}\n' * 8)
    (folder / "project.toml").write_text(
        'format = 1\nname = "p"\nabout = "what it is for"\n[data]\nvalidation = 2\n[[data.source]]\n'
        'kind = "fields"\npath = "rows.jsonl"\nuser = ["{q}"]\nassistant = "{a}"\n[training]\nrank = 3\n'
    )
    return open_project(folder)


def trained(project: OpenProject, steps: int = 40, **overrides: Any) -> Run:
    run = create_run(
        open_project(project.folder, None, overrides), ["workbench", "train"], {"data": "f" * 64}, ""
    )
    events = EventWriter(run.events)
    events.write("started", attempt=1, resumed_from=None, total_steps=steps, train_rows=6, validation_rows=2)
    for step in range(1, steps + 1):
        loss = math.nan if step == 5 else 2 / step + 1
        events.write("step", step=step, epoch=step / 10, loss=loss, learning_rate=1e-3, grad_norm=1.0)
        if step % 4 == 0:
            events.write("evaluated", step=step, epoch=step / 10, validation_loss=1 + 0.02 * abs(step - 12))
    events.write("sample", step=steps, row=1, prompt=FOREIGN, answer="```\nfence", tokens=3, stopped=True)
    events.write("ended", state="finished", step=steps, seconds=1.0, reason="")
    events.close()
    return run


def text_of(document: Document) -> str:
    return as_markdown(document, dict.fromkeys(range(99), "x.svg"))


def test_a_run_with_its_verdict_settings_curves_and_notes(project: OpenProject) -> None:
    run = trained(project)
    add_note(run, "rank 3 will do")
    evaluation(project.folder)
    told = text_of(run_report(run))
    assert f"# Run {run.id}" in told and "finished, step 40 of 40" in told
    assert "overfitting since step 12" in told and "\\[" in told, "a finding with its rule in brackets"
    assert "| training.rank | 3 | 16 |" in told and "training.alpha" not in told
    assert "data: sha256 ffffffffffffffff" in told and "asked for as: workbench train" in told
    assert told.count("![") == 3, "loss, learning rate and gradient norm were logged"
    assert "rank 3 will do" in told and "The rows were not looked at" in told
    assert "## Evaluations" not in told, "the one there is measures no checkpoint of this run"


def test_a_project_with_its_runs_and_evaluations(project: OpenProject) -> None:
    run = trained(project)
    evaluation(project.folder)
    told = text_of(project_report(project))
    assert "what it is for" in told and f"| {run.id} | finished | 40 | 1.0000 | 12 |" in told
    assert "### 20261130-100000-models" in told and "step 20 is best: the lowest mean" in told
    assert "| step 20 | 4.218\\* |" in told and "The rows that step 20 is worst at" in told
    assert "always happy reaches 0.750" in told and "not-stopped" in told


def test_a_project_without_anything(project: OpenProject) -> None:
    told = text_of(project_report(project))
    assert "## Runs\n\nnone yet" in told and "## Evaluations" not in told


def test_a_sweep(project: OpenProject) -> None:
    queue = Queue(project.folder)
    made = plan(project, {"training.rank": [4, 8]})
    enqueue_sweep(made.projects, made.keys)
    told = text_of(sweep_report(queue, find_sweep(queue)))
    assert "Sweep" in told and "| entry 1 | waiting | 4 | not measured |" in told
    assert "## Verdicts" not in told


class Page(HTMLParser):
    """Tags and attributes of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.just(FOREIGN))
def test_foreign_text_stays_text(foreign: str) -> None:
    blocks = [
        Paragraph(foreign),
        Listing([foreign]),
        Table([foreign], [[foreign]], words=1, says=[foreign]),
        Quote(foreign, foreign),
        Plot(foreign, [Line(foreign, [1, 2], [3, 4])]),
        Bars(foreign, [(foreign, 1.0)]),
    ]
    document = Document("name", foreign, foreign, [Part(foreign, blocks)]).cleaned(clean_lines)
    page = Page(as_html(document))
    wanted = (
        "html head meta title style body h1 h2 p ul li strong pre br svg rect path text figure figcaption"
    )
    wanted += " table thead tbody tr th td"
    assert set(page.tags) <= set(wanted.split())
    assert not any(name.startswith("on") or name in ("src", "href") for name, _ in page.attributes)
    assert clean_lines(foreign).split() == [] or clean_lines(foreign).split()[0] in page.text
    markdown = as_markdown(document, {0: "a.svg", 1: "b.svg"})
    for text in (markdown, as_html(document)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    outside = re.sub(r"(?ms)^(`{3,})$.*?^\1$", "", markdown)
    assert not re.search(r"(?<!\\)<script", outside) and not re.search(r"(?<!\\)\]\(javascript", outside)


def test_what_looks_like_markdown_is_shown_as_it_is() -> None:
    assert escaped("5.4471") == "5.4471" and escaped("-0.5") == "-0.5"
    assert escaped("- item") == "\\- item" and escaped("1. item") == "1\\. item"
    assert escaped("a | b\n# c") == "a \\| b \\# c"


def test_a_quote_cannot_leave_its_fence() -> None:
    document = Document("n", "t", "m", [Part("p", [Quote("q", "```\n````\nx")])])
    assert "`````\n```\n````\nx\n`````" in as_markdown(document, {})


def numbers(picture: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?\d+\.\d+", picture)]


def test_curves_are_drawn_with_gaps_and_within_the_frame() -> None:
    y = [1.0, math.nan, 3.0, math.inf, 2.0, 2.5]
    picture = svg.plot(Plot("t", [Line("loss", range(6), y)]))
    root = ElementTree.fromstring(picture)
    path = next(each.get("d") for each in root.iter() if (each.get("class") or "").startswith("line"))
    assert path is not None and path.count("M") == 3 and path.count("L") == 1 and path.count("h2") == 2
    places = [tuple(map(float, each.split())) for each in re.findall(r"[ML]([\d.]+ [\d.]+)", path)]
    assert places[0] == (svg.LEFT, svg.HEIGHT - svg.BOTTOM), "the first and lowest point"
    assert places[1][1] == svg.TOP, "the highest one"
    assert all(svg.LEFT <= x <= svg.WIDTH - svg.RIGHT and y >= svg.TOP for x, y in places)


@pytest.mark.parametrize(
    "y", [[], [math.nan] * 3, [2.0, 2.0, 2.0], [1e300, -1e300, 0.0], [5e-324, 0.0, 1e-310]]
)
def test_odd_curves_are_drawn(y: list[float]) -> None:
    picture = svg.plot(Plot("t", [Line("x", range(len(y)), y)]))
    ElementTree.fromstring(picture)
    assert ("no finite point" in picture) == (not np.isfinite(y).any())
    assert "nan" not in picture and "inf" not in picture.replace("no finite", "")


def test_a_million_points_keep_their_peaks() -> None:
    y = np.zeros(1_000_000)
    y[123_456] = 7.0
    picture = svg.plot(Plot("t", [Line("x", np.arange(1_000_000), y)]))
    assert len(picture) < 40_000 and f" {svg.TOP:.1f}" in picture


def test_bars_say_what_is_no_number() -> None:
    picture = svg.bars(Bars("t", [("a", 2.0), ("b", math.nan), ("c", 1.0)]))
    widths = [float(each) for each in re.findall(r'width="([\d.]+)" height="18"', picture)]
    assert widths[0] == 2 * widths[2] > 0 and widths[1] == 0 and ">nan<" in picture


def test_files_are_written_whole_and_replaced_only_when_asked(tmp_path: Path) -> None:
    document = Document(
        "r", "t", "m", [Part("p", [Plot("c", [Line("x", [1, 2], [1, 2])]), Bars("b", [("a", 1)])])]
    )
    files = write_report(document, tmp_path / "a/b", clean=clean_lines)
    assert [file.name for file in files] == ["r.md", "r.html", "r-1.svg", "r-2.svg"]
    assert "![c](r-1.svg)" in files[0].read_text() and "<svg" in files[1].read_text()
    spaced = write_report(replace(document, name="tea (1)"), tmp_path, clean=clean_lines)
    assert "![c](tea%20%281%29-1.svg)" in spaced[0].read_text() and spaced[2].name == "tea (1)-1.svg"
    ElementTree.fromstring(files[2].read_text())
    with pytest.raises(WorkbenchError, match="is there already"):
        write_report(document, tmp_path / "a/b", clean=clean_lines)
    write_report(document, tmp_path / "a/b", clean=clean_lines, replace=True)
    (tmp_path / "file").touch()
    with pytest.raises(WorkbenchError, match="cannot be made"):
        write_report(document, tmp_path / "file/x", clean=clean_lines)


def test_the_screen_shows_the_same(project: OpenProject) -> None:
    from rich.console import Console

    run = trained(project)
    console = Console(width=100, record=True, file=StringIO())
    console.print(as_text(run_report(run)))
    shown = console.export_text()
    assert "overfitting since step 12" in shown and "training.rank" in shown and "lowest 1.05" in shown
    assert "\x1b" not in shown and "\u202e" not in shown
