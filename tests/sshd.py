"""A real sshd on loopback with keys made for the test, and a proxy that counts what goes over the wire."""

import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
WHY_NOT = "needs ssh and sshd (Debian: openssh-server)"


def missing() -> bool:
    """Whether this box has no ssh server to try with."""
    return SSHD is None or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None


class Sshd:
    """One server for one user; ends with the `with` block, sessions included."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: where keys and settings go; only the owner may look into it."""
        folder.mkdir(mode=0o700)
        self.folder, self.port = folder, free_port()
        for name in ("host", "user"):
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(folder / name)]
            subprocess.run(make, check=True, capture_output=True)
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": folder / "host",
            "AuthorizedKeysFile": folder / "user.pub",
            "PidFile": folder / "pid",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            "StrictModes": "no",  # the parents of a temporary folder may belong to others
            "AcceptEnv": "LANG LC_*",
        }
        (folder / "settings").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where its unprivileged half is locked in
        assert SSHD is not None
        self._log = (folder / "log").open("w")
        command = [SSHD, "-D", "-e", "-f", str(folder / "settings")]
        self._server = subprocess.Popen(command, stderr=self._log)
        wait_for_port(self.port, lambda: self._server.poll() is None, folder / "log")

    def client(self, *words: str, port: int | None = None, options: tuple[str, ...] = ()) -> list[str]:
        """The command line that runs `words` in a terminal of the other side."""
        own = {
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": os.devnull,
            "LogLevel": "ERROR",
            "SendEnv": "LANG LC_*",
        }
        given = [word for key, value in own.items() for word in ("-o", f"{key}={value}")]
        where = ["-p", str(port or self.port), "-i", str(self.folder / "user")]
        there = f"{getpass.getuser()}@127.0.0.1"
        return ["ssh", "-F", "none", "-t", *where, *given, *options, there, *words]

    def __enter__(self) -> "Sshd":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.terminate()
        self._server.wait(10)
        self._log.close()


class CountingProxy:
    """Carries connections to a port of this box and counts the bytes that come back from it."""

    def __init__(self, to: int) -> None:
        self.port, self.received, self._to = free_port(), 0, to
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed: over
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            for source, target, counts in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._carry, args=(source, target, counts), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        try:
            while data := source.recv(65536):
                self.received += len(data) if counts else 0
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            end.close()

    def close(self) -> None:
        """No new connections; those that are open end with their client."""
        self._listener.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for_port(port: int, alive: object, log: Path) -> None:
    """Until somebody listens there; AssertionError with the log when it ends or takes too long."""
    end = time.monotonic() + 20
    while time.monotonic() < end and callable(alive) and alive():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no sshd: {log.read_text()}")
