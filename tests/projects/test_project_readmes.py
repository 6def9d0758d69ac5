"""The pages of the projects tell the truth: their commands work, and print what the page shows."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "projects").glob("*/README.md"))
LOOKING = ("sources", "check", "clean", "preview", "few-shot", "stats", "import-config", "augment")
"""Commands that train nothing."""


def commands(page: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Each command of the page, and the lines that it shows as its output."""
    for block in re.findall(r"^```\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
        words: list[str] = []
        shown: list[str] = []
        for line in block.replace("\\\n", " ").splitlines():
            if line.removeprefix("$ ").startswith("workbench "):
                if words:
                    yield words, shown
                words, shown = shlex.split(line.removeprefix("$ "))[1:], []
            elif line.strip():
                shown.append(line)
        if words:
            yield words, shown
    for inline in re.findall(r"`(workbench [^`]+)`", page.read_text(encoding="utf-8")):
        yield shlex.split(inline)[1:], []


EVERY = [(page, words, shown) for page in PAGES for words, shown in commands(page)]
RUN = [each for each in EVERY if each[1][0] in LOOKING and len(each[1]) > 1]


def test_there_is_a_page_for_every_project_but_the_first_one() -> None:
    assert [page.parent.name for page in PAGES] == [
        "classical-chinese",
        "emotion-dialogue",
        "fika-assistant",
        "thai-wiki-qa",
        "vietnamese-customer-chat",
    ]
    assert len(RUN) > 15


@pytest.mark.parametrize(("page", "words", "shown"), EVERY, ids=lambda each: None)
def test_every_command_is_one_on_a_project_that_is_there(
    page: Path, words: list[str], shown: list[str]
) -> None:
    assert words[0] in COMMANDS or (ROOT / words[0]).is_dir(), words
    project = f"projects/{page.parent.name}"
    assert all(word.startswith(project) for word in words if word.startswith("projects/")), words


@pytest.mark.parametrize(
    ("page", "words", "shown"), RUN, ids=[f"{page.parent.name}: {words[0]}" for page, words, _ in RUN]
)
def test_a_command_prints_what_the_page_shows(
    page: Path,
    words: list[str],
    shown: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    name = page.parent.name
    ignored = shutil.ignore_patterns("runs", "chats", "queue", ".workbench")
    shutil.copytree(page.parent, tmp_path / "projects" / name, ignore=ignored)
    assert main(words) == 0
    said = capsys.readouterr()
    printed = [plain(line) for line in (said.out + "\n" + said.err).splitlines()]
    for line in shown:
        assert any(each.startswith(plain(line)) for each in printed), f"not printed: {line}"


def plain(line: str) -> str:
    """The line without the blanks that align columns."""
    return " ".join(line.split())
