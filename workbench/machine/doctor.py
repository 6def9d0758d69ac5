"""Look at the box and say what to change: each finding names its remedy."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LEAST_FREE_BYTES = 5 * 2**30
PROBE_SECONDS = 120


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        ok: nothing has to change for the main job.
        seen: what is there.
        remedy: what to change; empty when nothing has to.
    """

    name: str
    ok: bool
    seen: str
    remedy: str = ""


def examine(folder: Path) -> Iterator[Finding]:
    """Every check in turn; the last ones start torch in another process and take some seconds.

    Args:
        folder: where runs are written; its disk is measured.
    """
    for check in (terminal, colours, locale, clipboard, session):
        yield check()
    yield disk(folder)
    yield from engine()


def terminal() -> Finding:
    """Can a screen be drawn here, and how large."""
    term = os.environ.get("TERM", "")
    size = shutil.get_terminal_size()
    seen = f"TERM={term or '(unset)'}, {size.columns}x{size.lines}"
    if term in ("", "dumb", "unknown"):
        return Finding("terminal", False, seen, "set TERM=xterm-256color (inside tmux: tmux-256color)")
    if size.columns < 60 or size.lines < 15:
        return Finding("terminal", False, seen, "make the window at least 60x15; 80x24 is comfortable")
    return Finding("terminal", True, seen)


def colours() -> Finding:
    """How many colours the screen will use."""
    if os.environ.get("NO_COLOR"):
        return Finding("colours", True, "none (NO_COLOR is set); every state also has a sign or a word")
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return Finding("colours", True, "16 million")
    if "256" in os.environ.get("TERM", ""):
        return Finding(
            "colours", True, "256 (ssh does not forward COLORTERM; export COLORTERM=truecolor for more)"
        )
    return Finding(
        "colours", True, "16; charts are plainer", "set TERM=xterm-256color where the terminal can"
    )


def locale() -> Finding:
    """UTF-8, without which Thai and Chinese come out as question marks."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    ok = "utf-8" in name.lower() or "utf8" in name.lower()
    return Finding(
        "locale", ok, name or "(unset)", "" if ok else "export LC_ALL=C.UTF-8 before tmux is started"
    )


def clipboard() -> Finding:
    """How copied text reaches your desk."""
    if not os.environ.get("TMUX"):
        return Finding("clipboard", True, "OSC 52, which the terminal must allow")
    if shutil.which("tmux") is None:
        return Finding("clipboard", False, "inside tmux, but no tmux command on PATH", "put tmux on PATH")
    return Finding(
        "clipboard",
        True,
        "tmux load-buffer -w: paste with prefix ], and at your desk where the terminal allows OSC 52",
    )


def session() -> Finding:
    """Whether the login manager ends background runs when you log out."""
    loginctl = shutil.which("loginctl")
    if loginctl is None:
        return Finding("logout", True, "no systemd-logind; runs go on after you log out")
    answer = _output([loginctl, "show-user", str(os.getuid()), "--property=Linger", "--value"])
    config = _output(
        [
            "busctl",
            "get-property",
            "org.freedesktop.login1",
            "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager",
            "KillUserProcesses",
        ]
    )
    if config.strip().endswith("true") and answer.strip() != "yes":
        return Finding(
            "logout", False, "systemd-logind ends your processes at logout", "loginctl enable-linger"
        )
    return Finding("logout", True, "runs go on after you log out")


def disk(folder: Path) -> Finding:
    """Room for checkpoints where the runs are written."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    usage = shutil.disk_usage(there)
    seen = f"{usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.0f} at {there}"
    if not os.access(there, os.W_OK):
        return Finding(
            "disk", False, f"{there} cannot be written", "choose another folder, or mend its permissions"
        )
    if usage.free < LEAST_FREE_BYTES:
        return Finding("disk", False, seen, "free some space: a full disk costs checkpoints")
    return Finding("disk", True, seen)


ENGINE_PROBE = """
import json, importlib.metadata as metadata
names = ("torch", "transformers", "trl", "peft", "datasets", "bitsandbytes")
found = {name: metadata.version(name) for name in names}
import torch
found["threads"] = torch.get_num_threads()
found["built_for"] = torch.version.cuda
found["gpus"] = [
    [p.name, p.total_memory, list(torch.cuda.get_device_capability(i)), torch.cuda.mem_get_info(i)[0]]
    for i, p in enumerate(map(torch.cuda.get_device_properties, range(torch.cuda.device_count())))
]
try:
    import bitsandbytes.functional as F
    weight = torch.randn(64, 64, device="cuda" if found["gpus"] else "cpu")
    packed, state = F.quantize_4bit(weight, quant_type="nf4")
    found["nf4_error"] = float((F.dequantize_4bit(packed, state) - weight).abs().mean())
except Exception as error:
    found["nf4_failure"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def engine(run: Callable[[list[str]], str] | None = None) -> Iterator[Finding]:
    """CUDA, the training libraries and 4-bit weights, tried in a process of their own.

    Args:
        run: runs a command line and returns what it wrote; for tests.
    """
    answer = (run or _output)([sys.executable, "-c", ENGINE_PROBE])
    lines = answer.strip().splitlines()
    if not lines:
        yield Finding(
            "engine", False, "torch could not be imported", "install again: python -m pip install -e ."
        )
        return
    found = json.loads(lines[-1])
    yield Finding(
        "engine",
        True,
        ", ".join(f"{name} {found[name]}" for name in ("torch", "transformers", "trl", "peft")),
    )
    yield _cuda(found)
    if "nf4_failure" in found:
        yield Finding(
            "bitsandbytes",
            False,
            found["nf4_failure"],
            "4-bit and 8-bit weights are not to be had: quantization = none",
        )
    else:
        where = "on the GPU" if found["gpus"] else "on the CPU (it works, for trying out; not fast)"
        yield Finding(
            "bitsandbytes",
            True,
            f"{found['bitsandbytes']}, nf4 tried {where}: mean error {found['nf4_error']:.3f}",
        )


def _cuda(found: dict[str, object]) -> Finding:
    gpus = found["gpus"]
    if isinstance(gpus, list) and gpus:
        told = [
            f"{name} {total / 2**30:.0f} GiB ({free / 2**30:.0f} free), capability {a}.{b}"
            for name, total, (a, b), free in gpus
        ]
        return Finding("CUDA", True, "; ".join(told))
    if shutil.which("nvidia-smi") and found["built_for"] is None:
        return Finding(
            "CUDA",
            False,
            "there is an NVIDIA driver, but torch was built for the CPU",
            "install a CUDA build of torch 2.13",
        )
    return Finding("CUDA", True, f"no GPU: training runs on {found['threads']} CPU threads, for small models")


def _output(command: list[str]) -> str:
    """What `command` writes on stdout; empty when it is missing, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
