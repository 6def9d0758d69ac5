"""Starting a process that outlives the screen: its own session, files for its output, the lock handed on.

What is started elsewhere, or in several processes, differs in its argument list and its environment only.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from workbench.errors import fault
from workbench.project.gpus import count_gpus
from workbench.project.launch import LaunchSettings
from workbench.runs import lock
from workbench.runs.folder import Run, read_spec

TRAINER = "workbench.engine.train_job"
WATCHER = "workbench.engine.ranks_job"
ASK_SECONDS = 5.0
LINGER = Path("/var/lib/systemd/linger")


def trainer_argv(run: Run) -> list[str]:
    """The command that trains `run` in this Python: one process, or torchrun and those it starts."""
    launch = read_spec(run).project.launch
    if launch.world_size == 1:
        return [sys.executable, "-m", TRAINER, str(run.folder)]
    return ranks_argv(run, launch)


def ranks_argv(run: Run, launch: LaunchSettings, node_rank: int = 0) -> list[str]:
    """The command that trains with several processes on this node.

    Nodes meet by torchrun's static rendezvous: c10d's would give rank 0, which writes, to any of them.
    """
    command = [sys.executable, "-m", WATCHER, str(run.folder)]
    if launch.nodes == 1:
        command.append("--standalone")
    else:
        host, _, port = launch.rendezvous.rpartition(":")
        command += ["--nnodes", str(launch.nodes), "--node-rank", str(node_rank)]
        command += ["--master-addr", host.strip("[]"), "--master-port", port]
    return [*command, "--nproc-per-node", str(launch.processes)]


def trainer_environment(environment: Mapping[str, str], processes: int = 1) -> dict[str, str]:
    """`environment`, with what the libraries of a started process need set before they load.

    Args:
        processes: of the run, on this machine.
    """
    changed = {
        **environment,
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": environment.get("TOKENIZERS_PARALLELISM", "false"),
        # Threads that spin while they wait slow down busy neighbours
        "OMP_WAIT_POLICY": environment.get("OMP_WAIT_POLICY", "PASSIVE"),
    }
    if processes == 1 and count_gpus() > 1:
        # transformers would spread every micro-batch over all GPUs it sees, and change the effective batch
        changed.setdefault("CUDA_VISIBLE_DEVICES", "0")
    return changed


class Spawnable(lock.Lockable, Protocol):
    """What a process can be started for: its lock is handed on, its output kept."""

    @property
    def console(self) -> Path: ...


def spawn(run: Spawnable, argv: list[str], held: int, processes: int = 1) -> int:
    """Start `argv` in the background; returns its process number.

    Args:
        run: its console gets all output.
        argv: the command.
        held: descriptor of the run's lock, which the new process takes over. The caller's own copy is closed.
        processes: that it will start to train, each with a GPU of its own.

    Raises:
        WorkbenchError: the command cannot be started.
    """
    environment = trainer_environment(os.environ, processes) | {lock.FD_VARIABLE: str(held)}
    try:
        pid = _in_background(run, argv, environment, (held,))
        lock.write_holder(held, pid)
    finally:
        os.close(held)
    return pid


def join(run: Run, node_rank: int) -> int:
    """Start the processes of another node of `run` in the background; returns the number of their watcher.

    They end with the run, whose lock and events are node 0's.

    Raises:
        WorkbenchError: the run has no such node, is not going on, or nothing can be started.
    """
    launch = read_spec(run).project.launch
    if not 1 <= node_rank < launch.nodes:
        others = f"1 to {launch.nodes - 1} can join" if launch.nodes > 1 else "it trains on one node alone"
        raise fault(f"no node {node_rank} of this run", run.id, others)
    if not launch.rendezvous:
        raise fault("Slurm starts the nodes of this run", run.id)
    if not lock.is_held(run):
        raise fault("this run is not going on", run.id, "node 0 comes first, with workbench train")
    argv = ranks_argv(run, launch, node_rank)
    return _in_background(run, argv, trainer_environment(os.environ, launch.processes))


def _in_background(
    run: Spawnable, argv: list[str], environment: Mapping[str, str], handed_on: tuple[int, ...] = ()
) -> int:
    """Start `argv` in a session of its own, its output in the console of `run`; returns its process number.

    Raises WorkbenchError: it cannot be started.
    """
    try:
        with run.console.open("ab") as console:
            process = subprocess.Popen(
                [*scope_argv(), *argv],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                pass_fds=handed_on,
            )
    except OSError as error:
        raise fault(f"cannot be started: {error.strerror or error}", argv[0]) from error
    # A child that ended is a zombie until somebody asks for it
    threading.Thread(target=process.wait, name=f"reap {run.id}", daemon=True).start()
    return process.pid


def scope_argv() -> list[str]:
    """What goes before a command so that it survives the user's logout; empty where nothing is needed.

    systemd-logind with KillUserProcesses=yes kills what a user leaves running in a session; a scope of the
    user's own systemd is out of its reach. `systemd-run --scope` becomes the command: same process, same
    files.
    """
    if not logout_kills() or not shutil.which("systemd-run"):
        return []
    return ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--"]


def logout_kills() -> bool:
    """Whether systemd-logind is set to kill the processes of a user who logs out."""
    command = shutil.which("busctl")
    if command is None:
        return False
    manager = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"]
    question = [command, "get-property", *manager, "KillUserProcesses"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.split() == ["b", "true"]


def lingers() -> bool:
    """Whether the user's own systemd stays when the user logs out, and the scopes with it."""
    return (LINGER / os.environ.get("USER", "")).is_file()
