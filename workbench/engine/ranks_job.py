"""`python -m workbench.engine.ranks_job RUN_FOLDER TORCHRUN_OPTION...`: watches over the ranks of one node.

torchrun itself, in a process that knows what its exit code does not tell. On node 0 it holds the run's lock
as long as it lives, and writes the `ended` event; a rank that a signal ended is named in it.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import workbench
from workbench.engine.train_job import cores, from_inside, prepare_environment

if TYPE_CHECKING:
    from workbench.runs.folder import Run
    from workbench.runs.ranks import Word

SHUTDOWN_SECONDS = 5
"""So long the ranks that are left get when one has failed: they have nothing to save then."""

WORDS_SECONDS = 5.0
"""So long the other nodes get to say how their ranks ended."""

POLL_SECONDS = 0.05


def watch(folder: Path, options: Sequence[str]) -> int:
    """Start the ranks of this node and wait for them; exit code 0 when they ended in order.

    Args:
        options: torchrun's; `--node-rank` among them where there are several nodes.
    """
    from workbench.engine.commands import StopNow
    from workbench.errors import WorkbenchError
    from workbench.runs.events import EventWriter
    from workbench.runs.folder import Run, read_spec
    from workbench.runs.lock import adopt
    from workbench.runs.ranks import Word, forget_words, leave_word, verdict
    from workbench.runs.status import read_status

    first = "--node-rank" not in options or options[options.index("--node-rank") + 1] == "0"
    script = str(folder.absolute())
    if first:
        adopt(Run(folder))
    run = from_inside(folder)
    events = EventWriter(run.events if first else Path(os.devnull))
    if first:
        events.keep_space()
        events.write("preparing", phase="starting", done=0, total=0)
        forget_words(run)
    started = time.monotonic()
    _Signals(run).catch()
    _prepare_ranks(options)
    word = None
    try:
        launch = read_spec(run).project.launch
        for failed in _torchrun([*options, "-m", "workbench.engine.rank_job", script]):
            leave_word(run, failed)
        if not first:
            return 0
        word = verdict(_words(run, launch.world_size, wait=launch.nodes > 1))
    except StopNow as order:
        word = Word(0, "stopped", f"{order}; a resume goes on from the last checkpoint")
    except WorkbenchError as error:
        word = Word(0, "failed", str(error))
    except Exception as error:  # of the rendezvous, most of all
        word = Word(0, "failed", f"the processes did not come together: {type(error).__name__}: {error}")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if first:
        seconds = round(time.monotonic() - started, 3)
        step = read_status(run).step
        events.write_last("ended", state=word.state, step=step, reason=word.reason, seconds=seconds)
    return 1 if word.state == "failed" else 0


def _torchrun(words: list[str]) -> "list[Word]":
    """Run torchrun to its end; the words on ranks that a signal ended.

    Raises:
        Exception: the ranks did not find each other.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    from workbench.runs.ranks import Word

    # SIGTERM and SIGINT are ours; torchrun wants to have at least one
    own = ["--max-restarts", "0", "--signals-to-handle", "SIGQUIT"]
    own += ["--shutdown-timeout", str(SHUTDOWN_SECONDS), "--monitor-interval", "0.1"]
    try:
        run(parse_args([*own, *words]))  # type: ignore[no-untyped-call]
    except ChildFailedError as error:
        killed = {rank: -failure.exitcode for rank, failure in error.failures.items() if failure.exitcode < 0}
        numbers = {rank: failure.pid for rank, failure in error.failures.items()}
        host = socket.gethostname()
        return [
            # Libraries abort when they lose the connection to another rank: that is no cause
            Word(rank, "failed", _killed(numbers[rank], host, number), number != signal.SIGABRT)
            for rank, number in killed.items()
        ]
    return []


def _killed(pid: int, host: str, number: int) -> str:
    name = signal.Signals(number).name
    hint = "; the kernel does so when the memory of the host runs out" if number == signal.SIGKILL else ""
    return f"process {pid} on {host} was ended by {name}{hint}"


def _words(run: "Run", world_size: int, *, wait: bool) -> "list[Word]":
    """What the ranks said of their ends; those of other nodes may come a moment later."""
    from workbench.runs.ranks import read_words

    deadline = time.monotonic() + (WORDS_SECONDS if wait else 0.0)
    while True:
        words = read_words(run, range(world_size))
        if len(words) == world_size or time.monotonic() >= deadline:
            return words
        time.sleep(POLL_SECONDS)


def _prepare_ranks(options: Sequence[str]) -> None:
    """Environment of the ranks: this very workbench, the way to the other nodes, and whom to die with."""
    home = str(Path(workbench.__file__).parents[1])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{home}{os.pathsep}{before}" if before else home
    os.environ["WORKBENCH_WATCHER"] = str(os.getpid())
    if "--master-addr" in options and (name := _interface(options[options.index("--master-addr") + 1])):
        # gloo takes the address of the host's name, which is a loopback one on many machines
        os.environ.setdefault("GLOO_SOCKET_IFNAME", name)


def _interface(host: str) -> str:
    """The network interface on the way to `host`; empty where there is no telling."""
    import psutil

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)  # of a datagram socket: nothing is sent
            own = probe.getsockname()[0]
    except OSError:
        return ""
    found = psutil.net_if_addrs().items()
    return next((name for name, addresses in found if own in [each.address for each in addresses]), "")


class _Signals:
    """A first signal asks the ranks for an orderly stop, as a person would; a second one ends at once."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._asked = False

    def catch(self) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        from workbench.engine.commands import StopNow
        from workbench.errors import WorkbenchError
        from workbench.runs.control import ask
        from workbench.runs.status import read_status

        reason = f"{signal.Signals(number).name} received"
        if self._asked or read_status(self._run).phase:
            raise StopNow(reason)
        self._asked = True
        try:
            ask(self._run, "stop", reason)
        except WorkbenchError:  # a full disk: no checkpoint could be written either
            raise StopNow(reason) from None


if __name__ == "__main__":
    count = max(1, cores() // max(1, int(sys.argv[sys.argv.index("--nproc-per-node") + 1])))
    os.environ.setdefault("OMP_NUM_THREADS", str(count))
    prepare_environment()
    sys.exit(watch(Path(sys.argv[1]), sys.argv[2:]))
