"""`fake_engine.py LOG`: speaks the chat protocol, knows no model, and writes down every request.

The last message says what to do: `die`, `wait` (until stopped), `refuse`, `mute`; else it is
answered with itself.
"""

import json
import os
import sys
import time

log = open(sys.argv[1], "a")  # noqa: SIM115
log.write(json.dumps({"op": "started", "pid": os.getpid()}) + "\n")
log.flush()


def reply(kind: str, **fields: object) -> None:
    """One line to the pane."""
    print(json.dumps({"kind": kind, **fields}), flush=True)  # noqa: T201


def done(id: int, reason: str) -> None:
    """The end of an answer."""
    figures = {"prompt_tokens": 3, "reused_tokens": 0, "first_token_seconds": 0.25, "tokens_per_second": 9.0}
    reply("done", id=id, reason=reason, ids=[1], tokens=7, **figures)


reply("ready", id=0)
waiting = None
for line in sys.stdin:
    log.write(line)
    log.flush()
    request = json.loads(line)
    op, id = request["op"], request["id"]
    if op == "load":
        (target,) = request["targets"].values()
        weights = target.get("weights")
        if weights and not os.path.isdir(weights):
            reply(
                "error", id=id, problems=[{"what": "this checkpoint is gone", "where": weights, "hint": ""}]
            )
        else:
            if "slow" in target["prompt"]["system"]:
                time.sleep(1)
            held = {key: {"device": "cpu", "parameters": 7, "context": None} for key in request["targets"]}
            reply("loaded", id=id, seconds=1.0, held=held)
    elif op == "stop":
        if waiting == id:
            done(id, "stopped")
    else:
        said = request["columns"][0]["messages"][-1]["content"]
        if said == "refuse":
            reply("error", id=id, problems=[{"what": "the template refuses this", "where": "", "hint": ""}])
            continue
        if said == "mute":
            done(id, "stopped")
            continue
        for word in said.split(" "):
            reply("piece", id=id, text=f"{word} ")
        if said == "die":
            sys.exit("out of memory, it said")
        if said == "wait":
            waiting = id
        else:
            done(id, "stop token")
