"""What is taken out of a run answers as the run does: in this process, in plain transformers, in peft."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from conftest import write_project
from safetensors.torch import load_file
from trainings import go

from workbench.chat.targets import targets
from workbench.data.example import Message
from workbench.engine import export as export_module
from workbench.engine import proof as proof_module
from workbench.engine.chat_model import load_encoder, load_model, model_folder
from workbench.engine.export import export
from workbench.engine.generate import Session
from workbench.errors import WorkbenchError
from workbench.exporting import destination
from workbench.exporting.figures import Figures, Proof, recommended
from workbench.exporting.request import ExportRequest, choose_checkpoint
from workbench.exporting.run import run_export
from workbench.project.store import open_project
from workbench.prompts.fingerprint import fingerprints
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.folder import Run, create_run

ASKED = ["what is the capital of norway", "italy is"]
PROMPT = """[prompt]
system = "the capital"
special_tokens = {tokens}
[[prompt.block]]
title = "madrid"
text = "what is spain"
[chat]
temperature = 0.0
max_new_tokens = 16
{chat}

[[data.source]]"""

STRANGER = """
import json, sys
from pathlib import Path
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

folder, asked = Path(sys.argv[1]), json.loads(sys.argv[2])
if (folder / "adapter_config.json").is_file():
    from peft import AutoPeftModelForCausalLM
    model = AutoPeftModelForCausalLM.from_pretrained(folder)
else:
    model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
answers = []
for text in asked:
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    settings = GenerationConfig.from_pretrained(folder)
    ids = model.generate(**prompt, generation_config=settings)[0, prompt["input_ids"].shape[1] :]
    answers.append(tokenizer.decode(ids, skip_special_tokens=True))
assert not any(name.split(".")[0] == "workbench" for name in sys.modules)
print(json.dumps(answers))
"""


def train(
    folder: Path,
    base: Path,
    quantization: str = "none",
    tokens: list[str] | None = None,
    chat: str = "",
    **training: Any,
) -> Run:
    """A finished run with a system message, a block, and greedy answers."""
    given = {"max_steps": 3, "rank": 4, **training}
    write_project(folder, base, {"validation": 8}, {"quantization": quantization}, **given)
    file = folder / "project.toml"
    prompt = PROMPT.format(tokens=json.dumps(tokens or []), chat=chat)
    file.write_text(file.read_text().replace("[[data.source]]", prompt))
    project = open_project(folder)
    template = load_template("base", folder, load_tokenizer(base))
    run = create_run(project, ["test"], fingerprints(project), template.source)
    assert go(run).state == "finished"
    return run


@pytest.fixture(scope="module")
def talker(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """It has learnt to answer; with a token of its own, and a system message that only chat gives."""
    folder = tmp_path_factory.mktemp("talker") / "project"
    chat = 'system = "the capital of oslo"'
    return train(folder, tiny_base, tokens=["[odd]"], chat=chat, max_steps=40)


@pytest.fixture(autouse=True)
def fewer_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quicker."""
    monkeypatch.setattr(proof_module, "ANSWERS", 2)


@pytest.fixture
def trained(tmp_path: Path, tiny_base: Path) -> Callable[..., Run]:
    """As `train`, in a folder of the test's own."""
    return partial(train, tmp_path / "project", tiny_base)


def asked_for(run: Run, kind: str, to: Path, **more: Any) -> ExportRequest:
    project = run.folder.parents[1]
    step = choose_checkpoint(run, "newest").step
    return ExportRequest.model_validate(
        {"project": project, "run": run.folder, "step": step, "kind": kind, "to": to, **more}
    )


def taken_out(run: Run, kind: str, to: Path, **more: Any) -> tuple[Proof | None, list[str]]:
    return export(asked_for(run, kind, to, **more), lambda doing: None)


def in_chat(run: Run) -> list[str]:
    """What the chat engine answers with the newest checkpoint."""
    project = open_project(run.folder.parents[1])
    newest = choose_checkpoint(run, "newest").path
    target = next(each for each in targets(project) if each.weights == newest)
    where = model_folder(target)
    session = Session(load_model(target, where), load_encoder(target, where))
    answers = []
    for text in ASKED:
        pieces: list[str] = []
        session.answer([Message("user", text)], project.settings.chat, pieces.append, Event())
        answers.append("".join(pieces))
    return answers


def elsewhere(folder: Path) -> list[str]:
    """What somebody who never heard of this program gets."""
    words = [sys.executable, "-c", STRANGER, str(folder), json.dumps(ASKED)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    answers: list[str] = json.loads(done.stdout.splitlines()[-1])
    return answers


def ways(proof: Proof | None) -> dict[str, Figures]:
    assert proof is not None
    return {each.way: each for each in proof.measured}


@pytest.mark.parametrize("kind", ["adapter", "merged"])
def test_plain_transformers_and_peft_answer_as_the_chat_does(talker: Run, tmp_path: Path, kind: str) -> None:
    """The project's block, chat.system and an added token are all in the export."""
    proof, remarks = taken_out(
        talker, kind, tmp_path / "out", **({"dtype": "fp32"} if kind == "merged" else {})
    )
    expected = in_chat(talker)
    assert "capital" in "".join(expected) and elsewhere(tmp_path / "out") == expected
    assert not any("other tokens" in remark for remark in remarks)
    if kind == "merged":
        assert ways(proof)["original"].agreement == 1 and ways(proof)["original"].kl < 1e-9
        assert ways(proof)["original"].same_answers == ways(proof)["original"].answers == 2


@pytest.mark.parametrize("quantization", ["nf4", "int8"])
def test_a_quantized_run_is_merged_into_what_it_trained_on(
    trained: Callable[..., Run], tmp_path: Path, quantization: str
) -> None:
    run = trained(quantization)
    proof, _ = taken_out(run, "merged", tmp_path / "out", dtype="fp32")
    assert proof is not None and proof.recommended == proof.written == "dequantised"
    nearer = 5 if quantization == "nf4" else 1  # int8 also quantizes what goes into a layer
    assert ways(proof)["dequantised"].kl < ways(proof)["original"].kl / nearer
    kept = Proof.model_validate_json((tmp_path / "out" / "merge.json").read_bytes())
    assert kept == proof and kept.rows == 8
    card = (tmp_path / "out" / "README.md").read_text()
    assert "dequantised base (recommended)" in card and f"{proof.perplexity:.4f}" in card
    if quantization == "int8":
        return
    taken_out(run, "merged", tmp_path / "other", dtype="fp32", merge="original")
    ours, theirs = (load_file(tmp_path / name / "model.safetensors") for name in ("out", "other"))
    assert ours.keys() == theirs.keys()
    assert not all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert "quantization_config" not in json.loads((tmp_path / "out" / "config.json").read_text())


def test_a_run_that_trained_all_weights(trained: Callable[..., Run], tmp_path: Path) -> None:
    run = trained(method="full", tokens=["[odd]"])
    with pytest.raises(WorkbenchError, match="there is no adapter: this run trained all weights"):
        taken_out(run, "adapter", tmp_path / "out")
    proof, _ = taken_out(run, "merged", tmp_path / "out", dtype="fp32")
    assert ways(proof)["whole"].kl < 1e-9
    rows = len(load_file(tmp_path / "out" / "model.safetensors")["model.embed_tokens.weight"])
    assert rows == load_tokenizer(tmp_path / "out").size


def test_a_head_that_was_trained_apart_stays_apart(trained: Callable[..., Run], tmp_path: Path) -> None:
    """The base model's embeddings and head are one; what is written is what was trained."""
    run = trained(modules_to_save=["lm_head"], learning_rate=5e-2)
    proof, _ = taken_out(run, "merged", tmp_path / "out", dtype="fp32")
    assert ways(proof)["original"].kl < 1e-9


def test_rounding_shows_in_the_figures(talker: Run, tmp_path: Path) -> None:
    proof, _ = taken_out(talker, "merged", tmp_path / "out")
    assert proof is not None and proof.dtype == "bf16"
    assert load_file(tmp_path / "out" / "model.safetensors")["model.norm.weight"].dtype == torch.bfloat16
    assert 1e-9 < ways(proof)["original"].kl < 1e-3 and ways(proof)["original"].logit_difference > 0


@pytest.mark.parametrize("dtype", ["fp32", "q8_0"])
def test_a_gguf_file(talker: Run, tmp_path: Path, dtype: str) -> None:
    gguf = pytest.importorskip("gguf")
    proof, remarks = taken_out(talker, "gguf", tmp_path / "out", dtype=dtype)
    (file,) = (tmp_path / "out").glob("*.gguf")
    assert ways(proof)["gguf"].kl < (1e-9 if dtype == "fp32" else 1e-2)
    assert proof is not None and proof.written == "gguf" and proof.recommended == "original"
    reader = gguf.GGUFReader(file)
    assert reader.fields["tokenizer.ggml.pre"].contents() == "gpt-2"
    assert reader.fields["tokenizer.ggml.tokens"].contents()[-1] == "[odd]"
    assert "{% generation" not in reader.fields["tokenizer.chat_template"].contents()
    assert f"FROM ./{file.name}\n" in (tmp_path / "out" / "Modelfile").read_text()
    assert any("unproven" in remark for remark in remarks)
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        "Modelfile",
        "README.md",
        "export.json",
        "merge.json",
        file.name,
    ]


def test_an_architecture_without_gguf_names_the_command(
    talker: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.exporting import gguf_support

    monkeypatch.setattr(gguf_support, "_reason", lambda base: "the architecture gpt2 is not known here")
    with pytest.raises(WorkbenchError, match=r"python convert_hf_to_gguf.py .*out-merged.*--outtype f16"):
        taken_out(talker, "gguf", tmp_path / "out", dtype="fp16")


@pytest.fixture
def changed_base(tiny_base: Path) -> Iterator[None]:
    file = tiny_base / "config.json"
    before = file.read_bytes()
    file.write_bytes(before.replace(b'"vocab_size"', b'"seen_in_a_test": 1, "vocab_size"'))
    yield
    file.write_bytes(before)


@pytest.mark.parametrize("kind", ["adapter", "merged"])
def test_a_base_model_that_has_changed_is_refused(
    talker: Run, tmp_path: Path, kind: str, changed_base: None
) -> None:
    with pytest.raises(WorkbenchError, match="not the one that run"):
        taken_out(talker, kind, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_rows_that_are_gone_leave_it_unmeasured(talker: Run, tmp_path: Path) -> None:
    rows = talker.folder.parents[1] / "train.jsonl"
    rows.rename(rows.with_name("away"))
    try:
        proof, remarks = taken_out(talker, "merged", tmp_path / "out")
    finally:
        rows.with_name("away").rename(rows)
    assert proof is None and "nothing was measured" in remarks[0]
    assert "Not measured" in (tmp_path / "out" / "README.md").read_text()
    assert not (tmp_path / "out" / "merge.json").exists()


def test_a_full_disk_leaves_nothing(talker: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_module, "card", full)
    with pytest.raises(WorkbenchError, match="disk is full|No space left"):
        taken_out(talker, "adapter", tmp_path / "out")
    monkeypatch.setattr(destination.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    with pytest.raises(WorkbenchError, match="the disk has 0.00 GB left"):
        taken_out(talker, "merged", tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_a_killed_process_leaves_nothing_and_the_earlier_export_stays(talker: Run, tmp_path: Path) -> None:
    said: list[str] = []
    taken_out(talker, "adapter", tmp_path / "out")
    before = sorted(each.name for each in (tmp_path / "out").iterdir())
    request = asked_for(talker, "merged", tmp_path / "out", replace=True)
    with pytest.raises(WorkbenchError, match="cancelled"):
        run_export(request, said.append, lambda: any("merging" in each for each in said))
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == before
    assert not list(tmp_path.glob(".out*"))
    done = run_export(request, said.append)
    assert done.proof is not None and (tmp_path / "out" / "model.safetensors").is_file()
    assert not (tmp_path / "out" / "adapter_config.json").exists() and not list(tmp_path.glob(".out*"))


def test_a_damaged_checkpoint_is_named(talker: Run, tmp_path: Path) -> None:
    request = asked_for(talker, "adapter", tmp_path / "out")
    weights = talker.checkpoints / "step-40" / "adapter_model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        with pytest.raises(WorkbenchError, match="its content has changed since it was written"):
            run_export(request, lambda doing: None)
    finally:
        weights.write_bytes(content)


def test_what_is_no_number_is_never_recommended() -> None:
    figures = {"perplexity": 1.0, "agreement": 1.0, "logit_difference": 0.0, "same_answers": 0, "answers": 0}
    broken = Figures(way="original", kl=float("nan"), **figures)
    assert recommended([broken, Figures(way="dequantised", kl=3.0, **figures)]) == "dequantised"
    kept = Figures.model_validate_json(broken.model_dump_json())
    assert kept.kl != kept.kl
