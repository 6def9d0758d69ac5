"""The real engine in its own process: it answers, survives bad requests, stops, ends with the screen."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from workbench.chat.client import COMMAND, ChatEngine, EngineDied
from workbench.chat.protocol import Column, Done, Failed, Generate, Load, Piece, Stop, Target, to_line
from workbench.data.example import Message
from workbench.engine.chat_model import load_encoder
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings, PromptSettings
from workbench.prompts.fingerprint import base_model_fingerprint

COLD = ChatSettings(temperature=0, max_new_tokens=12)
ENDLESS = ChatSettings(temperature=0, max_new_tokens=100_000)  # the tiny model repeats itself for ever
QUESTION = [Message("user", "what is the capital of norway")]
MINE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


@pytest.fixture(scope="module")
def base(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A model that never ends by itself within a test: no limit of positions that it would reach."""
    folder = tmp_path_factory.mktemp("endless") / "base"
    shutil.copytree(tiny_base, folder)
    config = json.loads((folder / "config.json").read_text()) | {"max_position_embeddings": 10**6}
    (folder / "config.json").write_text(json.dumps(config))
    return Target("base", "base model", str(folder), folder.parent, "base")


@pytest.fixture(scope="module")
def adapter(base: Target, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A checkpoint as a run writes it, with an adapter that is far from zero."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    folder = tmp_path_factory.mktemp("run") / "step-20"
    get_peft_model(AutoModelForCausalLM.from_pretrained(base.base), config).save_pretrained(folder)
    return replace(
        base,
        kind="checkpoint",
        label="run step 20",
        template="mine.jinja",
        template_source=MINE,
        prompt=PromptSettings(system="be brief"),
        weights=folder,
        run="run",
        step=20,
        base_fingerprint=base_model_fingerprint(Path(base.base)),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[ChatEngine]:
    """One process for all tests: whatever a test does to it, the next one finds it whole."""
    engine = ChatEngine()
    yield engine
    await engine.close()


async def ask(engine: ChatEngine, messages: list[Message], settings: ChatSettings = COLD) -> tuple[str, Done]:
    text = ""
    async for reply in engine.generate([Column("a", messages, settings)]):
        if isinstance(reply, Piece):
            text += reply.text
        elif isinstance(reply, Failed):
            raise reply.error()
        else:
            return text, reply
    raise AssertionError("no Done")


async def loaded(engine: ChatEngine, target: Target) -> ChatEngine:
    await engine.start()
    await engine.load({"a": target})
    return engine


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_is_that_of_the_model(engine: ChatEngine, base: Target) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    await engine.start()
    about = (await engine.load({"a": base})).held["a"]
    assert (about.device, about.context) == ("cpu", 10**6)
    text, done = await ask(engine, QUESTION)
    tokenizer = AutoTokenizer.from_pretrained(base.base)
    model = AutoModelForCausalLM.from_pretrained(base.base)
    assert about.parameters == model.num_parameters()
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION[0].content}], add_generation_prompt=True, return_tensors="pt"
    )
    expected = model.generate(**ids, max_new_tokens=12, do_sample=False)[0, ids["input_ids"].shape[1] :]
    assert done.ids == expected.tolist()
    assert done.prompt_tokens == ids["input_ids"].shape[1]
    assert done.tokens == len(done.ids)
    assert text == tokenizer.decode(expected, skip_special_tokens=True).rstrip("\ufffd").removeprefix(" ")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_checkpoint_answers_with_its_adapter_and_its_own_template(
    engine: ChatEngine, base: Target, adapter: Target
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    await loaded(engine, base)
    _, plain = await ask(engine, QUESTION)
    await engine.load({"a": adapter})
    _, tuned = await ask(engine, QUESTION)
    assert plain.ids != tuned.ids
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base.base), adapter.weights)
    ids = torch.tensor([load_encoder(adapter, Path(adapter.base)).prompt(QUESTION)[0]])
    expected = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
    )
    assert tuned.ids == expected[0, ids.shape[1] :].tolist()
    encoder = load_encoder(adapter, Path(adapter.base))
    assert encoder.prompt(QUESTION)[1] == f"system: be brief\nuser: {QUESTION[0].content}\nassistant:"
    assert tuned.prompt_tokens == len(encoder.prompt(QUESTION)[0])


@pytest.mark.asyncio(loop_scope="module")
async def test_weights_of_a_full_training_need_no_base_model(
    engine: ChatEngine, base: Target, adapter: Target, tmp_path: Path
) -> None:
    shutil.copytree(base.base, tmp_path / "step-4")
    target = replace(adapter, base=str(tmp_path / "gone"), weights=tmp_path / "step-4")
    await loaded(engine, target)
    assert (await ask(engine, QUESTION))[1].tokens > 0


@pytest.mark.asyncio(loop_scope="module")
async def test_half_precision_weights_are_computed_in_single_on_a_cpu(
    engine: ChatEngine, base: Target, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    shutil.copytree(base.base, tmp_path / "half")
    half = AutoModelForCausalLM.from_pretrained(base.base, dtype=torch.float16)
    half.save_pretrained(tmp_path / "half")
    await loaded(engine, replace(base, base=str(tmp_path / "half")))
    _, done = await ask(engine, QUESTION)
    encoder = load_encoder(base, Path(base.base))
    ids = torch.tensor([encoder.prompt(QUESTION)[0]])
    expected = half.float().generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
    )
    assert done.ids == expected[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("quantization", ["nf4", "int8"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_quantized_base_answers_with_an_adapter(
    engine: ChatEngine, adapter: Target, quantization: Any
) -> None:
    await loaded(engine, replace(adapter, quantization=quantization))
    assert (await ask(engine, QUESTION))[1].tokens > 0


@pytest.mark.asyncio(loop_scope="module")
async def test_stop_works_at_once(engine: ChatEngine, base: Target) -> None:
    await loaded(engine, base)
    replies = []
    async for reply in engine.generate([Column("a", QUESTION, ENDLESS)]):
        replies.append(reply)
        await engine.stop()
    assert isinstance(done := replies[-1], Done)
    assert (done.reason, done.tokens < 1000) == ("stopped", True)


@pytest.mark.asyncio(loop_scope="module")
async def test_columns_answer_at_once_and_one_that_cannot_says_so(
    engine: ChatEngine, base: Target, adapter: Target
) -> None:
    refusing = replace(adapter, template_source="{{ raise_exception('only twice') }}")
    await engine.start()
    about = await engine.load({"base": base, "run": adapter, "refusing": refusing})
    assert [held.shares for held in about.held.values()] == [True] * 3
    asked = [Column(key, QUESTION, COLD) for key in ("run", "refusing", "base")]
    seen: dict[int, list[Any]] = {0: [], 1: [], 2: []}
    async for reply in engine.generate(asked, details=True):
        assert reply.column is not None
        seen[reply.column].append(reply)
    assert [type(replies[-1]) for replies in seen.values()] == [Done, Failed, Done]
    assert "only twice" in str(seen[1][0].error()) and len(seen[1]) == 1
    for column, key in ((0, "run"), (2, "base")):
        done = seen[column][-1]
        assert [detail.id for detail in done.details] == done.ids
        alone = [reply async for reply in engine.generate([Column(key, QUESTION, COLD)])][-1]
        assert isinstance(alone, Done) and alone.ids == done.ids and not alone.details
    with pytest.raises(WorkbenchError, match="no model is loaded as 'gone'"):
        await anext(engine.generate([Column("gone", QUESTION, COLD)]))


@pytest.mark.asyncio(loop_scope="module")
async def test_stopping_ends_every_column(engine: ChatEngine, base: Target, adapter: Target) -> None:
    await engine.start()
    await engine.load({"base": base, "run": adapter})
    ends = []
    async for reply in engine.generate([Column(key, QUESTION, ENDLESS) for key in ("base", "run")]):
        if isinstance(reply, Done):
            ends.append(reply.reason)
        else:
            await engine.stop()
    assert ends == ["stopped", "stopped"]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_next_question_begins_where_the_answer_ended(engine: ChatEngine, base: Target) -> None:
    """The answer was read between the two questions."""
    await loaded(engine, base)
    said = [Message("user", "what is the capital of norway " * 8)]
    text, first = await ask(engine, said)
    following = [*said, Message("assistant", text), Message("user", "and of france")]
    for _ in range(50):
        _, done = await ask(engine, [*following[:-1], Message("user", "and of spain")])
        if done.reused_tokens > first.prompt_tokens:
            break
    assert done.reused_tokens > first.prompt_tokens


def pointer(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def wider(folder: Path) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"r": 5}))


def more_layers(folder: Path) -> None:
    """The adapter is to reach a layer that its file has nothing for."""
    from safetensors.torch import load_file, save_file

    file = folder / "adapter_model.safetensors"
    save_file({k: v for k, v in load_file(file).items() if "layers.1" not in k}, file)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (shutil.rmtree, "the checkpoint is gone"),
        (pointer, "git lfs pull"),
        (without("adapter_model.safetensors"), "adapter's weights are missing"),
        (wider, "does not fit the base model"),
        (more_layers, "lacks weights"),
        (
            lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"\0" * 40),
            "does not fit|broken",
        ),
    ],
)
async def test_a_checkpoint_that_cannot_be_loaded_says_why(
    engine: ChatEngine, adapter: Target, tmp_path: Path, harm: Callable[[Path], Any], said: str
) -> None:
    assert adapter.weights is not None
    shutil.copytree(adapter.weights, tmp_path / "step-9")
    harm(tmp_path / "step-9")
    await engine.start()
    with pytest.raises(WorkbenchError, match=said):
        await engine.load({"a": replace(adapter, weights=tmp_path / "step-9")})


@pytest.mark.asyncio(loop_scope="module")
async def test_another_base_model_than_the_runs_is_refused(engine: ChatEngine, adapter: Target) -> None:
    await engine.start()
    with pytest.raises(WorkbenchError, match="not the one that run run was trained on"):
        await engine.load({"a": replace(adapter, base_fingerprint="0" * 64)})


@pytest.mark.asyncio(loop_scope="module")
async def test_a_base_model_that_is_not_there_says_so(engine: ChatEngine, base: Target) -> None:
    await engine.start()
    with pytest.raises(WorkbenchError, match="no such folder"):
        await engine.load({"a": replace(base, base="./nothing/here/at/all")})
    with pytest.raises(WorkbenchError, match="no model is loaded"):
        await ask(engine, QUESTION)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_template_that_refuses_leaves_the_model_loaded(engine: ChatEngine, base: Target) -> None:
    await loaded(engine, replace(base, template_source="{{ raise_exception('only twice') }}"))
    with pytest.raises(WorkbenchError, match="only twice"):
        await ask(engine, QUESTION)
    await engine.load({"a": base})
    assert (await ask(engine, QUESTION))[1].tokens == 12


@pytest.mark.asyncio(loop_scope="module")
async def test_a_killed_engine_is_started_again(engine: ChatEngine, base: Target) -> None:
    await loaded(engine, base)
    answer = engine.generate([Column("a", QUESTION, ENDLESS)])
    assert isinstance(await anext(answer), Piece)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineDied, match="SIGKILL"):
        async for _ in answer:
            pass
    await loaded(engine, base)
    assert (await ask(engine, QUESTION))[1].tokens == 12


@pytest.mark.asyncio(loop_scope="module")
async def test_bad_lines_are_answered_and_the_end_of_stdin_ends_an_answer(base: Target) -> None:
    """Straight to the process, as the pipe has it. ctrl+c in the terminal reaches it too: nothing happens."""
    bad = [
        b"hello\n",
        b"\n",
        b"[]\n",
        b'{"op": "dance", "id": 5}\n',
        b'{"op": "generate", "id": 6, "columns": "hi"}\n',
        b'{"op": "generate", "id": 7, "columns": []}\n',
        b"\xff\xfe" + b"[" * 5000 + b"\n",
        to_line(Stop(99)),
        to_line(Generate(8, [Column("a", QUESTION, COLD)])),
    ]
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.writelines(
            [*bad, to_line(Load(9, {"a": base})), to_line(Generate(10, [Column("a", QUESTION, ENDLESS)]))]
        )
        errors = {}
        while (reply := json.loads(await process.stdout.readline()))["kind"] != "piece":
            if reply["kind"] == "error":
                errors.setdefault(reply["id"], []).append(reply["problems"][0]["what"])
        assert set(errors) == {0, 5, 6, 7, 8}
        assert len(errors[0]) == 3
        assert "dance" in errors[5][0]
        assert errors[8] == ["no model is loaded"]
        process.send_signal(signal.SIGINT)
        assert json.loads(await process.stdout.readline())["kind"] == "piece"
        process.stdin.close()
        while await process.stdout.read(65536):
            pass
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()


def test_what_a_library_prints_does_not_reach_the_replies() -> None:
    program = (
        "import os, sys; from workbench.engine.chat_server import _take_pipes; _, out = _take_pipes();"
        "print('from python'); os.write(1, b'from C'); os.system('echo from a child'); out.write(b'reply')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, stdin=subprocess.DEVNULL, check=True
    )
    assert done.stdout == b"reply"
    assert b"from C" in done.stderr and b"from a child" in done.stderr


def test_a_checkpoint_is_asked_with_the_tokenizer_it_was_trained_with(
    base: Target, adapter: Target, tmp_path: Path
) -> None:
    tokenizer = json.loads((Path(base.base) / "tokenizer.json").read_text())
    tokenizer["model"]["merges"] = []
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    own = load_encoder(replace(adapter, weights=tmp_path), Path(base.base))
    bases = load_encoder(adapter, Path(base.base))
    assert len(own.prompt(QUESTION)[0]) > len(bases.prompt(QUESTION)[0])
