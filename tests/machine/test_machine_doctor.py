"""What the doctor says of boxes that we are not on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.machine import doctor
from workbench.machine.doctor import Finding

VERSIONS = dict.fromkeys(("torch", "transformers", "trl", "peft", "datasets", "bitsandbytes"), "1.0")
CPU = VERSIONS | {"threads": 4, "built_for": None, "gpus": [], "nf4_error": 0.07}
GPU = CPU | {"built_for": "13.0", "gpus": [["H200", 150 * 2**30, [9, 0], 100 * 2**30]]}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the terminal that the tests run in."""
    for name in (
        "TERM",
        "NO_COLOR",
        "COLORTERM",
        "LC_ALL",
        "LC_CTYPE",
        "LANG",
        "TMUX",
        "CUDA_VISIBLE_DEVICES",
    ):
        monkeypatch.delenv(name, raising=False)


def installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Only these commands are on PATH."""
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name in names else None)


def says(answer: str) -> Callable[[list[str]], str]:
    return lambda command: answer


def engine(answer: dict[str, Any]) -> dict[str, Finding]:
    """Its findings by name, after a probe that wrote other things first."""
    text = "a library says hello\n" + json.dumps(answer)
    return {finding.name: finding for finding in doctor.engine(says(text))}


@pytest.mark.parametrize(
    ("term", "columns", "lines", "ok"),
    [
        ("xterm-256color", 80, 24, True),
        ("tmux-256color", 60, 15, True),
        ("xterm-256color", 59, 24, False),
        ("xterm-256color", 80, 14, False),
        ("dumb", 80, 24, False),
        ("", 80, 24, False),
    ],
)
def test_terminal(monkeypatch: pytest.MonkeyPatch, term: str, columns: int, lines: int, ok: bool) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    finding = doctor.terminal()
    assert finding.ok is ok and bool(finding.remedy) is not ok
    assert f"{columns}x{lines}" in finding.seen


@pytest.mark.parametrize(
    ("environment", "seen", "remedy"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "16 million", ""),
        ({"TERM": "xterm-256color"}, "256", "COLORTERM"),
        ({"TERM": "xterm"}, "16;", "xterm-256color"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "NO_COLOR", ""),
    ],
)
def test_colours(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], seen: str, remedy: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    finding = doctor.colours()
    assert finding.ok and seen in finding.seen
    assert remedy in finding.remedy and bool(remedy) == bool(finding.remedy)


@pytest.mark.parametrize(
    ("name", "value", "ok"),
    [
        ("LC_ALL", "C.UTF-8", True),
        ("LANG", "th_TH.utf8", True),
        ("LC_CTYPE", "zh_TW.UTF-8", True),
        ("LANG", "C", False),
        ("LANG", "", False),
    ],
)
def test_locale(monkeypatch: pytest.MonkeyPatch, name: str, value: str, ok: bool) -> None:
    monkeypatch.setenv(name, value)
    assert doctor.locale().ok is ok


def test_locale_that_is_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("LC_ALL", "C")
    assert not doctor.locale().ok


def test_clipboard_outside_tmux() -> None:
    assert doctor.clipboard(lambda command: pytest.fail("tmux is not asked")).ok


@pytest.mark.parametrize(
    ("answer", "ok", "told"),
    [
        ("3.3a bpaste,clipboard,focus", True, "load-buffer -w"),
        ("3.5 ", True, "load-buffer -w"),  # no terminal is attached now
        ("next-3.6 clipboard", True, "load-buffer -w"),
        ("3.3a bpaste,focus", False, "terminal-features"),
        ("3.1c ", False, "3.2 or later"),
        ("2.9 ", False, "3.2 or later"),
        ("", False, "PATH"),
    ],
)
def test_clipboard_in_tmux(monkeypatch: pytest.MonkeyPatch, answer: str, ok: bool, told: str) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    finding = doctor.clipboard(says(answer))
    assert finding.ok is ok
    assert told in finding.seen + finding.remedy and bool(finding.remedy) is not ok


@pytest.mark.parametrize(
    ("kills", "lingers", "ok"),
    [(True, False, False), (True, True, True), (False, False, True)],
)
def test_logout(monkeypatch: pytest.MonkeyPatch, kills: bool, lingers: bool, ok: bool) -> None:
    installed(monkeypatch, "loginctl", "busctl")
    monkeypatch.setattr(doctor, "logout_kills", lambda: kills)
    monkeypatch.setattr(doctor, "lingers", lambda: lingers)
    assert doctor.session().ok is ok


def test_logout_without_a_login_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    assert doctor.session().ok


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = tmp_path / "not" / "yet"
    usage = type("Usage", (), {"free": 100 * 2**30, "total": 200 * 2**30})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert doctor.disk(absent).ok and str(tmp_path) in doctor.disk(absent).seen
    usage.free = 2**30
    assert not doctor.disk(absent).ok
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert "cannot be written" in doctor.disk(absent).seen


def test_cpu_box(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    found = engine(CPU)
    assert all(finding.ok and not finding.remedy for finding in found.values())
    assert list(found) == ["engine", "CUDA", "bitsandbytes"]
    assert "4 CPU threads" in found["CUDA"].seen and "on the CPU" in found["bitsandbytes"].seen


def test_gpu_box(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "nvidia-smi")
    found = engine(GPU)
    assert found["CUDA"].ok and "H200 150 GiB (100 free), capability 9.0" in found["CUDA"].seen
    assert "on the GPU" in found["bitsandbytes"].seen


@pytest.mark.parametrize(
    ("built_for", "visible", "told"),
    [(None, None, "CUDA build"), ("13.0", None, "nvidia-smi"), ("13.0", "7", "unset it")],
)
def test_gpu_that_torch_does_not_use(
    monkeypatch: pytest.MonkeyPatch, built_for: str | None, visible: str | None, told: str
) -> None:
    installed(monkeypatch, "nvidia-smi")
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    finding = engine(CPU | {"built_for": built_for})["CUDA"]
    assert not finding.ok and told in finding.remedy


def test_faulty_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    quantized = engine(CPU | {"nf4_failure": "ImportError: libcudart"})["bitsandbytes"]
    assert not quantized.ok and "libcudart" in quantized.seen
    assert "missing: trl" in engine(CPU | {"trl": None})["engine"].seen
    broken = engine(VERSIONS | {"torch_failure": "OSError: libtorch"})
    assert list(broken) == ["engine"] and "libtorch" in broken["engine"].seen
    (silent,) = doctor.engine(says(""))
    assert not silent.ok


def test_commands_that_fail_give_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.output(["/nowhere/at-all"]) == ""
    assert doctor.output(["sh", "-c", "echo half; exit 3"]) == ""
    assert doctor.output(["echo", "whole"]) == "whole\n"
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.05)
    assert doctor.output(["sleep", "30"]) == ""


def test_probe_of_this_box() -> None:
    """The one test that starts torch: the libraries that the tests need are there."""
    findings = list(doctor.engine())
    assert findings[0].name == "engine" and findings[0].ok, findings[0]
    assert {finding.name for finding in findings} == {"engine", "CUDA", "bitsandbytes"}
