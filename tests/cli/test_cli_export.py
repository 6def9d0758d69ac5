"""Taking a model out on the command line: what it says, what it refuses, that nothing is sent unasked."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import export as command
from workbench.cli import main
from workbench.exporting import push as push_module
from workbench.exporting import run as run_module
from workbench.exporting.figures import Figures, Proof
from workbench.exporting.run import Exported
from workbench.project.store import open_project
from workbench.runs.checkpoints import publish
from workbench.runs.folder import Run, create_run

PROOF = Proof(
    rows=4,
    side="validation",
    tokens=100,
    arithmetic="float32",
    dtype="bf16",
    perplexity=2.5,
    measured=tuple(
        Figures(
            way=way, perplexity=2.5, kl=kl, agreement=0.99, logit_difference=0.5, same_answers=3, answers=4
        )
        for way, kl in (("original", 1e-2), ("dequantised", 1e-5))
    ),
    recommended="dequantised",
    written="dequantised",
)


@pytest.fixture
def run(folder: Path) -> Run:
    """A run with a checkpoint that holds nothing."""
    made = create_run(open_project(folder), ["test"], {}, "the template")
    staged = made.checkpoints / ".staging-step-3"
    staged.mkdir()
    publish(staged, made.checkpoints / "step-3")
    return made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Requests that would have been carried out."""
    requests: list[Any] = []

    def carry_out(request: Any, tell: Callable[[str], None], cancelled: Any = None) -> Exported:
        requests.append(request)
        tell("merging: original")
        request.to.mkdir(parents=True)
        (request.to / "weights").write_text("1")
        return Exported(request, PROOF, ("beware\x1b[2J",))

    monkeypatch.setattr(run_module, "run_export", carry_out)
    return requests


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been sent."""
    parcels: list[str] = []

    def send(parcel: Any, tell: Callable[[str], None]) -> str:
        parcels.append(str(parcel))
        return f"https://hub/{parcel.name}"

    monkeypatch.setattr(push_module, "push", send)
    return parcels


WORDS = ["export", "small", "--run", "latest", "--as", "merged", "--to", "out"]


def test_it_says_what_it_does_and_what_came_of_it(
    run: Run, asked: list[Any], sent: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(WORDS) == 0
    (request,) = asked
    assert (request.step, request.kind, request.to) == (3, "merged", tmp_path / "out")
    assert (request.dtype, request.merge, request.replace) == (None, None, False)
    said = capsys.readouterr()
    assert "merging: original" in said.err and "warning: beware" in said.err and "\x1b[2J" not in said.err
    assert "* merged into the dequantised base: perplexity 2.5000 (as trained 2.5000), KL 1.0e-05" in said.out
    assert "  merged into the original base" in said.out and f"in {tmp_path / 'out'}" in said.out
    assert sent == [] and "sent" not in said.out


def test_json(run: Run, asked: list[Any], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([*WORDS, "--json", "--dtype", "fp32", "--replace"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(tmp_path / "out") and told["pushed"] is None
    assert told["proof"]["measured"][1]["kl"] == 1e-5 and told["proof"]["recommended"] == "dequantised"
    assert asked[0].dtype == "fp32" and asked[0].replace


def test_sending_needs_a_word(
    run: Run,
    asked: list[Any],
    sent: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert main([*WORDS, "--push", "me/model"]) == 2  # nobody at the keyboard
    assert main([*WORDS, "--push", "model", "--yes"]) == 2
    assert not asked and not sent
    monkeypatch.setattr(command.sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: "no")
    assert main([*WORDS, "--push", "me/model"]) == 0
    assert not sent and "nothing was sent" in capsys.readouterr().out
    monkeypatch.setattr("builtins.input", lambda question: "me/model")
    assert main([*WORDS[:-1], "other", "--push", "me/model"]) == 0
    assert len(sent) == 1 and "sent to https://hub/me/model" in capsys.readouterr().out
    assert main([*WORDS[:-1], "third", "--push", "me/model", "--yes"]) == 0
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--run": "nobody"}, "no run 'nobody'"),
        ({"--checkpoint": "4"}, "no checkpoint '4'; there are 3; or `best`, or `newest`"),
        ({"--checkpoint": "best"}, "it has no validation"),
        ({"--dtype": "q8_0"}, "q8_0 is a type of GGUF files"),
        ({"--merge": "original"}, "this run's base model is not quantized"),
        ({"--as": "adapter", "--dtype": "fp16"}, "keeps the precision it was trained in"),
        ({"--to": "small/rows.jsonl"}, "a file is in the way"),
        ({"--to": "small", "--replace": ""}, "no export of ours"),
        ({"--to": "small/runs"}, "no export of ours"),
    ],
)
def test_what_is_refused(
    run: Run, capsys: pytest.CaptureFixture[str], changed: dict[str, str], said: str
) -> None:
    given = {"--run": "latest", "--as": "merged", "--to": "out"} | changed
    words = [word for pair in given.items() for word in pair if word]
    assert main(["export", "small", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_run_without_a_checkpoint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create_run(open_project(folder), ["test"], {}, "the template")
    assert main(WORDS) == 2
    assert "this run has no complete checkpoint" in capsys.readouterr().err


def test_a_checkpoint_of_nothing_ends_in_words(
    run: Run, workbench: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """The real process: what it finds wrong is told, and nothing is left."""
    done = workbench(*WORDS)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "no weights: there is no .safetensors file" in done.stderr
    assert not list(tmp_path.glob("*out*"))
