"""Look at the box and say what to change: each finding names its remedy."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.machine.sensors import GpuSensors
from workbench.runs.spawn import lingers, logout_kills

LEAST_FREE_BYTES = 5 * 2**30
PROBE_SECONDS = 120
FIRST_TMUX = (3, 2)
"""Earlier ones have no `load-buffer -w`."""

Run = Callable[[list[str]], str]
"""Runs a command line and returns what it wrote on stdout; empty when it is missing, fails or hangs."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        ok: nothing has to change for the main job.
        seen: what is there.
        remedy: what to change, or what could be better; may be empty when `ok`.
    """

    name: str
    ok: bool
    seen: str
    remedy: str = ""


def output(command: list[str]) -> str:
    """What `command` writes on stdout; empty when it is missing, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def examine(folder: Path) -> Iterator[Finding]:
    """Every check in turn; the last ones start torch in another process and take some seconds.

    Args:
        folder: where runs are written; its disk is measured.
    """
    for check in (terminal, colours, locale, clipboard, session):
        yield check()
    yield disk(folder)
    yield sensors()
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
        remedy = "for more, export COLORTERM=truecolor: ssh does not forward it"
        return Finding("colours", True, "256", remedy)
    remedy = "set TERM=xterm-256color where the terminal can"
    return Finding("colours", True, "16; charts are plainer", remedy)


def locale() -> Finding:
    """UTF-8, without which Thai and Chinese come out as question marks."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if "utf8" in name.lower().replace("-", ""):
        return Finding("locale", True, name)
    return Finding("locale", False, name or "(unset)", "export LC_ALL=C.UTF-8 before tmux is started")


def clipboard(run: Run = output) -> Finding:
    """How copied text reaches your desk."""
    if not os.environ.get("TMUX"):
        return Finding("clipboard", True, "OSC 52, which the terminal must allow")
    answer = run(["tmux", "display-message", "-p", "#{version} #{client_termfeatures}"]).split()
    if not answer:
        return Finding("clipboard", False, "inside tmux, and no tmux command answers", "put tmux on PATH")
    version, features = answer[0], answer[1] if len(answer) > 1 else ""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers and numbers < FIRST_TMUX:
        remedy = "install tmux 3.2 or later; until then copies go to a file"
        return Finding("clipboard", False, f"tmux {version} cannot hand copies on", remedy)
    if features and "clipboard" not in features.split(","):
        remedy = "add to ~/.tmux.conf: set -as terminal-features ',*:clipboard'"
        return Finding("clipboard", False, f"tmux {version} takes your terminal for one without it", remedy)
    seen = f"tmux {version}, load-buffer -w: paste with prefix ], and at your desk by OSC 52"
    return Finding("clipboard", True, seen)


def session() -> Finding:
    """Whether the login manager ends background runs when you log out."""
    if shutil.which("loginctl") is None:
        return Finding("logout", True, "no systemd-logind; runs go on after you log out")
    if logout_kills() and not lingers():
        seen = "systemd-logind ends your processes at logout"
        return Finding("logout", False, seen, "loginctl enable-linger")
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


def sensors(gpus: GpuSensors | None = None) -> Finding:
    """What the train pane will show of the GPUs while a run goes on."""
    gpus = gpus or GpuSensors()
    told = [f"{reading.name}: {reading}" for reading in gpus.read()]
    return Finding("sensors", True, "; ".join(told) or f"{gpus.missing}; CPU and RAM are shown instead")


ENGINE_PROBE = """
from workbench.engine.train_job import prepare_environment
prepare_environment()
import importlib.metadata as metadata, json
found = {}
for name in ("torch", "transformers", "trl", "peft", "datasets", "bitsandbytes"):
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        found[name] = None
try:
    import torch
    found["threads"] = torch.get_num_threads()
    found["built_for"] = torch.version.cuda
    found["gpus"] = [
        [p.name, p.total_memory, list(torch.cuda.get_device_capability(i)), torch.cuda.mem_get_info(i)[0]]
        for i, p in enumerate(map(torch.cuda.get_device_properties, range(torch.cuda.device_count())))
    ]
except Exception as error:
    found["torch_failure"] = f"{type(error).__name__}: {error}"
try:
    import bitsandbytes.functional as F
    weight = torch.randn(64, 64, device="cuda" if found["gpus"] else "cpu")
    packed, state = F.quantize_4bit(weight, quant_type="nf4")
    found["nf4_error"] = float((F.dequantize_4bit(packed, state) - weight).abs().mean())
except Exception as error:
    found["nf4_failure"] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(found))
"""
INSTALL = "install again: python -m pip install -e ."


def engine(run: Run = output) -> Iterator[Finding]:
    """CUDA, the training libraries and 4-bit weights, tried in a process of their own."""
    lines = run([sys.executable, "-c", ENGINE_PROBE]).strip().splitlines()
    if not lines:
        yield Finding("engine", False, "the training libraries crash or hang", INSTALL)
        return
    found = json.loads(lines[-1])
    libraries = ("torch", "transformers", "trl", "peft", "datasets")
    missing = [name for name in libraries if found[name] is None]
    versions = ", ".join(f"{name} {found[name]}" for name in libraries if found[name])
    if missing:
        yield Finding("engine", False, f"missing: {', '.join(missing)}", INSTALL)
        return
    if "torch_failure" in found:
        yield Finding("engine", False, f"{versions}; {found['torch_failure']}", INSTALL)
        return
    yield Finding("engine", True, versions)
    yield _cuda(found)
    if "nf4_failure" in found:
        remedy = 'without it, 4-bit and 8-bit weights are not to be had: quantization = "none"'
        yield Finding("bitsandbytes", False, found["nf4_failure"], remedy)
    else:
        where = "on the GPU" if found["gpus"] else "on the CPU (for trying out; not fast)"
        seen = f"{found['bitsandbytes']}, nf4 tried {where}: mean error {found['nf4_error']:.3f}"
        yield Finding("bitsandbytes", True, seen)


def _cuda(found: dict[str, Any]) -> Finding:
    if found["gpus"]:
        told = [
            f"{name} {total / 2**30:.0f} GiB ({free / 2**30:.0f} free), capability {major}.{minor}"
            for name, total, (major, minor), free in found["gpus"]
        ]
        return Finding("CUDA", True, "; ".join(told))
    if shutil.which("nvidia-smi") is None:
        seen = f"no GPU: training runs on {found['threads']} CPU threads, for small models"
        return Finding("CUDA", True, seen)
    if found["built_for"] is None:
        seen = "there is an NVIDIA driver, but torch was built for the CPU"
        return Finding("CUDA", False, seen, "install a CUDA build of the same torch: see pytorch.org")
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        seen = f"CUDA_VISIBLE_DEVICES={os.environ['CUDA_VISIBLE_DEVICES']} shows no GPU"
        return Finding("CUDA", False, seen, "unset it, or name a GPU that nvidia-smi lists")
    seen = f"torch is built for CUDA {found['built_for']} and finds no GPU"
    return Finding("CUDA", False, seen, "nvidia-smi shows the driver's CUDA version: it must not be older")
