"""`fake_engine.py LOG`: speaks the chat protocol, knows no model, and writes down every request.

The last message says what to do: `die`, `wait` (until stopped), `refuse`, `mute`; `half` refuses all columns
but the first; `drop N` leaves N exchanges out; `many N` answers with N words. Else it is answered with
itself, and with what is given with the answer. Every answer tells of two tokens, the second an unlikely one.
"""

import json
import os
import sys
import time
from typing import Any

log = open(sys.argv[1], "a")  # noqa: SIM115
log.write(json.dumps({"op": "started", "pid": os.getpid()}) + "\n")
log.flush()

DETAILS = [
    {
        "id": 5,
        "text": "Paris",
        "probability": 0.95,
        "entropy": 0.1,
        "alternatives": [{"id": 5, "text": "Paris", "probability": 0.95}],
    },
    {
        "id": 6,
        "text": " wrong\x1b",
        "probability": 0.004,
        "entropy": 2.5,
        "alternatives": [{"id": 7, "text": " right", "probability": 0.6}],
    },
]


def reply(kind: str, **fields: object) -> None:
    """One line to the pane."""
    print(json.dumps({"kind": kind, **fields}), flush=True)  # noqa: T201


def done(id: int, reason: str, column: int = 0, **more: Any) -> None:
    """The end of an answer."""
    figures = {"prompt_tokens": 3, "reused_tokens": 0, "first_token_seconds": 0.25, "tokens_per_second": 9.0}
    reply(
        "done",
        id=id,
        reason=reason,
        ids=[1],
        tokens=7,
        details=DETAILS,
        column=column,
        **figures | more,
    )


def refuse(id: int, what: str, **more: object) -> None:
    """An error."""
    reply("error", id=id, problems=[{"what": what, "where": "", "hint": ""}], **more)


def load(request: dict[str, Any]) -> None:
    """Takes every target that is there; one whose system message is `big` only without a GPU."""
    for target in request["targets"].values():
        weights = target.get("weights")
        if weights and not os.path.isdir(weights):
            refuse(request["id"], f"this checkpoint is gone: {weights}")
            return
        if "big" in target["prompt"]["system"] and os.environ.get("CUDA_VISIBLE_DEVICES") != "":
            refuse(request["id"], "the GPU has 1.0 GiB free, 14.2 GiB are needed", no_room=True)
            return
        if "slow" in target["prompt"]["system"]:
            time.sleep(1)
    held = {key: {"device": "cpu", "parameters": 7, "context": 100} for key in request["targets"]}
    reply("loaded", id=request["id"], seconds=1.0, held=held)


def answer(id: int, number: int, column: dict[str, Any]) -> bool:
    """One column; False while it waits."""
    *_, last = column["messages"]
    given = " ".join(value for _, value in last["given"]) if last["role"] == "assistant" else ""
    said = column["messages"][-2 if last["role"] == "assistant" else -1]["content"]
    word, _, count = said.partition(" ")
    if word == "half" and number:
        refuse(id, "no answer from here", column=number)
        return True
    if word == "mute":
        done(id, "stopped", number)
        return True
    if word == "many":
        said = " ".join(f"word{i}" for i in range(int(count)))
    text = f"{said} {given}".strip()
    for start in range(0, len(text), 2000):
        reply("piece", id=id, text=text[start : start + 2000], column=number)
    if word == "die":
        sys.exit("out of memory, it said")
    if word == "wait":
        return False
    done(
        id,
        "stop token",
        number,
        **({"dropped_turns": int(count), "dropped_tokens": 40} if word == "drop" else {}),
    )
    return True


reply("ready", id=0)
waiting: tuple[int, list[int]] | None = None
for line in sys.stdin:
    log.write(line)
    log.flush()
    request = json.loads(line)
    op, id = request["op"], request["id"]
    if op == "load":
        load(request)
    elif op == "stop":
        if waiting and waiting[0] == id:
            for number in waiting[1]:
                done(id, "stopped", number)
    elif request["columns"][0]["messages"][-1]["content"] == "refuse":
        refuse(id, "the template refuses this")
    else:
        left = [number for number, column in enumerate(request["columns"]) if not answer(id, number, column)]
        waiting = (id, left) if left else None
