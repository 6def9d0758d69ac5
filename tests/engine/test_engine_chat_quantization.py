"""A run that is talked to in another quantization than it was trained in: how far that is from it is told."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from trainings import go

from workbench.chat.targets import quantized, targets
from workbench.engine import other_quantization
from workbench.engine.chat_model import load_encoder, load_model, model_folder
from workbench.engine.proof import Comparison, rows_of
from workbench.engine.shelf import Shelf
from workbench.errors import fault
from workbench.project.store import open_project
from workbench.prompts.fingerprint import fingerprints
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.folder import create_run


def test_the_difference_is_measured_on_rows_of_the_run(
    make_project: Callable[..., Path], tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = open_project(make_project({"validation": 8}, {"quantization": "nf4"}, max_steps=3, rank=4))
    source = load_template("base", project.folder, load_tokenizer(tiny_base)).source
    assert go(create_run(project, ["test"], fingerprints(project), source)).state == "finished"
    base, trained = targets(project)[:2]
    assert quantized(trained, "nf4") == trained and not quantized(base, "none").trained_quantization
    other = quantized(trained, "none")
    here = Shelf()
    told = here.hold({"base": quantized(base, "none"), "run": other, "as trained": trained})
    assert told["run"].shares and not told["as trained"].shares
    assert not told["base"].remarks and not told["as trained"].remarks
    (said,) = told["run"].remarks
    assert "was trained with model.quantization = nf4 and is held with none" in said
    folder = model_folder(trained)
    rows, side = rows_of(project, other_quantization.ROWS)
    whole, small = (
        Comparison(load_encoder(each, folder), rows, load_model(each, folder), answers=0)
        for each in (other, trained)
    )
    perplexity = re.search(r"perplexity (\S+) instead of (\S+), the same", said)
    assert perplexity and perplexity.groups() == (f"{whole.perplexity:.4g}", f"{small.perplexity:.4g}")
    assert perplexity[1] != perplexity[2]
    assert f"({len(rows)} {side} rows)" in said and side == "validation"

    def no_room(*_: object) -> None:
        raise fault("needs 9 GiB")

    monkeypatch.setattr(other_quantization, "require_room", no_room)
    (said,) = Shelf().hold({"run": other})["run"].remarks
    assert said.endswith("what that changes was not measured: needs 9 GiB")
