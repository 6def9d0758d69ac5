"""`fake_engine.py COMMAND-LINE-WORDS...`: the command line with a chat engine that answers at once.

Prompts: `wait` is answered until it is stopped, `deaf` for ever, `die` kills the engine, `refuse` is refused,
`mute` ends without a word, `unload` runs out of memory: nothing is answered before the next load.
"""

import json
import os
import signal
import sys
from typing import Any


def reply(kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **fields}) + "\n")
    sys.stdout.flush()


def done(number: int, reason: str, column: int = 0) -> None:
    figures = {"prompt_tokens": 3, "reused_tokens": 0, "first_token_seconds": 0.1, "tokens_per_second": 9.0}
    reply("done", id=number, column=column, reason=reason, ids=[1], tokens=1, **figures)


def engine() -> None:
    """Speak the protocol of workbench.chat.protocol."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reply("ready", id=0)
    loaded = False
    for line in sys.stdin:
        request = json.loads(line)
        number = request["id"]
        if request["op"] == "load":
            held = {key: {"device": "cpu", "parameters": 7, "context": None} for key in request["targets"]}
            reply("loaded", id=number, seconds=0.1, held=held)
            loaded = True
        elif request["op"] == "stop":
            done(number, "stopped")
        elif not loaded:
            reply("error", id=number, problems=[{"what": "no model is loaded", "where": "", "hint": ""}])
        else:
            messages = request["columns"][0]["messages"]
            said = messages[-1]["content"]
            if len(request["columns"]) > 1:
                for column in range(len(request["columns"])):
                    reply("piece", id=number, text=f"{column}: {said}", column=column)
                for column in reversed(range(len(request["columns"]))):
                    done(number, "stop token", column)
                continue
            if said == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if said == "refuse":
                reply("error", id=number, problems=[{"what": "too long", "where": "", "hint": ""}])
                continue
            if said == "unload":
                loaded = False
                reply("error", id=number, problems=[{"what": "out of memory", "where": "", "hint": ""}])
                continue
            if said == "mute":
                done(number, "stopped")
                continue
            reply("piece", id=number, text=f"{len(messages)}: {said}\x1b[2J,\n")
            reply("piece", id=number, text="really")
            if said == "deaf":
                signal.pause()
            if said != "wait":
                done(number, "stop token")


if sys.argv[1:] == ["engine"]:
    engine()
else:
    from workbench.chat.client import ChatEngine
    from workbench.cli import main

    ChatEngine.__init__.__defaults__ = ((sys.executable, __file__, "engine"),)
    sys.exit(main())
