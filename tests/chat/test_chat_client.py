"""The client against engines that answer, babble, hang and die, all of them small scripts."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from workbench.chat.client import ChatEngine, EngineDied
from workbench.chat.protocol import Column, Done, Failed, NoRoom, Piece, Target
from workbench.data.example import Message
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings

FAKE = r"""
import json, sys
def reply(kind, **fields): print(json.dumps({"kind": kind, **fields}), flush=True)
def done(id, reason): reply("done", id=id, reason=reason, ids=[1], tokens=1, prompt_tokens=3, reused_tokens=0,
                            first_token_seconds=0.1, tokens_per_second=9.0)
print("a library says hello", flush=True)
reply("ready", id=0)
waiting = None
for line in sys.stdin:
    request = json.loads(line)
    op, id = request["op"], request["id"]
    if op == "load":
        if "gone" in [target["label"] for target in request["targets"].values()]:
            reply("error", id=id, problems=[{"what": "it is gone", "where": "step-3", "hint": ""}])
        else:
            held = {key: dict(device="cpu", parameters=7, context=None) for key in request["targets"]}
            reply("loaded", id=id, seconds=1.0, held=held)
    elif op == "stop":
        if waiting == id: done(id, "stopped")
    else:
        said = request["columns"][0]["messages"][-1]["content"]
        if said == "die":
            sys.exit("the last words")
        if len(request["columns"]) > 1:
            reply("error", id=id, column=0, problems=[{"what": "no room", "where": "", "hint": ""}])
            reply("piece", id=id, column=1, text="one")
            reply("done", id=id, reason="length", ids=[1], tokens=1, prompt_tokens=3, reused_tokens=0,
                  first_token_seconds=0.1, tokens_per_second=9.0, column=1)
            continue
        if said == "full":
            reply("error", id=id, no_room=True, problems=[{"what": "no room", "where": "", "hint": ""}])
            continue
        if said == "endless":
            reply("done", id=id, reason="length", ids=[*range(100_000)], tokens=100_000, prompt_tokens=3,
                  reused_tokens=0, first_token_seconds=0.1, tokens_per_second=9.0)
            continue
        reply("piece", id=id, text=said + "!")
        if said == "long":
            reply("piece", id=id, text="x" * 300_000)
        if said == "wait":
            waiting = id
        else:
            done(id, "length")
"""
TARGET = Target("base", "the base", "embedded", Path("/p"), "base")
COLD = ChatSettings(temperature=0)


@pytest.fixture
def command(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "fake.py").write_text(FAKE)
    return sys.executable, str(tmp_path / "fake.py")


def asking(text: str) -> Column:
    return Column("a", [Message("user", text)], COLD)


async def ask(engine: ChatEngine, text: str) -> tuple[str, Done]:
    pieces = ""
    async for reply in engine.generate([asking(text)]):
        if isinstance(reply, Piece):
            pieces += reply.text
        elif isinstance(reply, Failed):
            raise reply.error()
        else:
            return pieces, reply
    raise AssertionError("no Done")


async def test_answers_arrive_in_order(command: tuple[str, ...]) -> None:
    engine = ChatEngine(command)
    assert not engine.running and engine.pid is None
    await engine.start()
    assert engine.running
    assert (await engine.load({"a": TARGET})).held["a"].parameters == 7
    text, done = await ask(engine, "สวัสดี")
    assert (text, done.reason, done.prompt_tokens) == ("สวัสดี!", "length", 3)
    assert len((await ask(engine, "long"))[0]) > 300_000
    assert len((await ask(engine, "endless"))[1].ids) == 100_000
    assert "a library says hello" in engine.stderr
    await engine.close()
    assert not engine.running


async def test_a_fault_of_the_request_leaves_the_engine_running(command: tuple[str, ...]) -> None:
    engine = ChatEngine(command)
    await engine.start()
    with pytest.raises(WorkbenchError, match="step-3: it is gone"):
        await engine.load({"a": Target("checkpoint", "gone", "embedded", Path("/p"), "base")})
    with pytest.raises(WorkbenchError, match="surrogate"):
        await ask(engine, "\udc80")
    assert (await ask(engine, "hi"))[0] == "hi!"
    await engine.close()


async def test_a_column_that_fails_leaves_the_others_going(command: tuple[str, ...]) -> None:
    engine = ChatEngine(command)
    await engine.start()
    replies = [reply async for reply in engine.generate([asking("a"), asking("b")])]
    assert [(type(reply), reply.column) for reply in replies] == [(Failed, 0), (Piece, 1), (Done, 1)]
    with pytest.raises(NoRoom, match="no room"):
        await ask(engine, "full")
    await engine.close()


async def test_the_gpu_is_left_alone_when_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import json, os; told = os.environ.get('CUDA_VISIBLE_DEVICES'); print(told);"
        'print(json.dumps({"kind": "ready", "id": 0}), flush=True); input()'
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    for cpu, told in ((False, ["3"]), (True, [""])):
        engine = ChatEngine((sys.executable, "-c", program))
        await engine.start(cpu=cpu)
        assert engine.stderr == told
        await engine.close()


async def test_stop_ends_the_answer_that_is_written(command: tuple[str, ...]) -> None:
    engine = ChatEngine(command)
    await engine.start()
    seen = []
    async for reply in engine.generate([asking("wait")]):
        seen.append(reply)
        if isinstance(reply, Piece):
            await engine.stop()
    assert isinstance(seen[-1], Done) and seen[-1].reason == "stopped"
    await engine.stop()  # nothing to stop: nothing happens
    await engine.close()


async def test_leaving_the_loop_stops_the_answer(command: tuple[str, ...], tmp_path: Path) -> None:
    """A cancelled worker of the screen leaves no engine writing for nobody; its late replies go nowhere."""
    engine = ChatEngine(command)
    await engine.start()
    answer = engine.generate([asking("wait")])
    assert isinstance(await anext(answer), Piece)
    await answer.aclose()  # type: ignore[attr-defined]
    assert (await ask(engine, "next"))[0] == "next!"
    await engine.close()


async def test_a_killed_engine_says_so_and_starts_again(command: tuple[str, ...]) -> None:
    engine = ChatEngine(command)
    await engine.start()
    answer = engine.generate([asking("wait")])
    assert isinstance(await anext(answer), Piece)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineDied, match="SIGKILL"):
        await anext(answer)
    assert not engine.running
    with pytest.raises(EngineDied):
        await ask(engine, "anyone?")
    await engine.start()
    assert (await ask(engine, "hi"))[0] == "hi!"
    await engine.close()


async def test_the_last_words_are_passed_on(command: tuple[str, ...]) -> None:
    engine = ChatEngine(command)
    await engine.start()
    with pytest.raises(EngineDied, match="exit status 1.*the last words"):
        await ask(engine, "die")


@pytest.mark.parametrize(
    ("program", "said"),
    [("import nothing_of_that_name", "nothing_of_that_name"), ("", "exit status 0")],
)
async def test_an_engine_that_does_not_come_up(program: str, said: str) -> None:
    with pytest.raises(EngineDied, match=said):
        await ChatEngine((sys.executable, "-c", program)).start()


async def test_a_command_that_does_not_exist() -> None:
    with pytest.raises(WorkbenchError, match="cannot be started"):
        await ChatEngine(("/nowhere/python",)).start()


async def test_closing_ends_an_engine_that_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.chat.client.PATIENCE_SECONDS", 0.1)
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        'print(\'{"kind": "ready", "id": 0}\', flush=True); time.sleep(600)'
    )
    engine = ChatEngine((sys.executable, "-c", program))
    await engine.start()
    pid = engine.pid
    assert pid is not None
    await asyncio.wait_for(engine.close(), 30)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
