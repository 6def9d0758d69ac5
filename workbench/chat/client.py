"""The chat engine as seen from the screen and the command line: a child process and its pipe.

The engine is in our session and ends when its stdin closes: it never outlives us, whatever ends us. When it
dies itself, whoever waits for it gets `EngineDied` with the reason, and it can be started again.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence

from workbench.chat.protocol import (
    NOBODY,
    Column,
    Done,
    Failed,
    Generate,
    Load,
    Loaded,
    Piece,
    Reply,
    Request,
    Stop,
    Target,
    read_reply,
    to_line,
)
from workbench.errors import WorkbenchError, fault

COMMAND = (sys.executable, "-m", "workbench.engine.chat_server")
LONGEST_LINE = 64 * 1024 * 1024  # asyncio's 64 KiB is less than the token ids of a long answer
KEPT_STDERR_LINES = 50
PATIENCE_SECONDS = 2.0


class EngineDied(WorkbenchError):
    """The engine's process ended while it was needed; `start` begins a new one."""


class ChatEngine:
    """One chat engine. All methods belong to one event loop.

    Args:
        command: what is started; it speaks the protocol on stdin and stdout.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Queue[Reply | EngineDied]] = {}
        self._answering: set[int] = set()
        self._last_id = 0
        self._stderr: deque[str] = deque(maxlen=KEPT_STDERR_LINES)

    @property
    def running(self) -> bool:
        """The process is there, though it may be busy starting."""
        return self._reader is not None and not self._reader.done()

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def stderr(self) -> list[str]:
        """The last lines that the engine and its libraries wrote beside the replies."""
        return list(self._stderr)

    async def start(self, *, cpu: bool = False) -> None:
        """Start the process and wait until its libraries are imported; nothing happens when it runs.

        Args:
            cpu: leave the GPU alone, for one that has no room: models are held and computed by the host.

        Raises EngineDied: it ended before that; WorkbenchError: it cannot be started at all.
        """
        if self.running:
            return
        self._stderr.clear()
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                limit=LONGEST_LINE,
                env=os.environ | {"CUDA_VISIBLE_DEVICES": ""} if cpu else None,
            )
        except OSError as error:
            raise fault(f"the chat engine cannot be started: {error.strerror}", self._command[0]) from None
        ready = self._waiting[NOBODY] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read(self._process))
        try:
            await _next(ready)
        finally:
            self._waiting.pop(NOBODY, None)

    async def load(self, targets: Mapping[str, Target]) -> Loaded:
        """Hold these targets in memory, each under a short key of the caller's choice, and no others.

        What is held already is not loaded again; adapters share their base model.

        Raises WorkbenchError: what is wrong with a target, those before it stay; NoRoom: memory is lacking;
        EngineDied.
        """
        number = self._new_id()
        replies = self._send(Load(number, dict(targets)))
        try:
            while not isinstance(reply := await _next(replies), Loaded):
                pass
            return reply
        finally:
            self._waiting.pop(number, None)

    async def generate(
        self, columns: Sequence[Column], *, details: bool = False
    ) -> AsyncIterator[Piece | Done | Failed]:
        """The answers to one or more conversations, as they are written; each reply names its column.

        A column ends with `Done`, or with `Failed`, which says why it has no answer while the others go on.
        Leaving the loop early (`aclose`, a cancelled task) stops the answers.

        Raises WorkbenchError: why there is no answer at all; EngineDied.
        """
        number = self._new_id()
        replies = self._send(Generate(number, list(columns), details))
        self._answering.add(number)
        open_columns = set(range(len(columns)))
        try:
            while open_columns:
                try:
                    reply = await _next(replies)
                except WorkbenchError:
                    open_columns.clear()
                    raise
                if isinstance(reply, Done | Failed):
                    open_columns.discard(reply.column or 0)
                if isinstance(reply, Piece | Done | Failed):
                    yield reply
        finally:
            if open_columns:
                self._write(Stop(number))
            self._answering.discard(number)
            self._waiting.pop(number, None)

    async def stop(self) -> None:
        """End the answers that are being written: their `Done` comes with the reason ``stopped``."""
        for number in self._answering:
            self._write(Stop(number))

    async def close(self) -> None:
        """End the process, politely at first; its memory is free when this returns."""
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        for end in (None, process.terminate, process.kill):
            if end is not None and process.returncode is None:
                end()
            done, _ = await asyncio.wait({reader}, timeout=PATIENCE_SECONDS)
            if done:
                return

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _send(self, request: Request) -> asyncio.Queue[Reply | EngineDied]:
        if not self.running:
            raise self._death()
        line = to_line(request)
        replies: asyncio.Queue[Reply | EngineDied] = asyncio.Queue()
        self._waiting[request.id] = replies
        self._write_line(line)
        return replies

    def _write(self, request: Request) -> None:
        if self.running:
            self._write_line(to_line(request))

    def _write_line(self, line: bytes) -> None:
        """A pipe to a process that just died takes the line and drops it; its reader then tells everyone."""
        assert self._process is not None and self._process.stdin is not None
        if not self._process.stdin.is_closing():
            self._process.stdin.write(line)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hand replies to those who wait for them, until the process ends; then tell those who still wait."""
        assert process.stdout is not None and process.stderr is not None
        stderr = asyncio.create_task(self._keep_stderr(process.stderr))
        try:
            async for line in process.stdout:
                try:
                    reply = read_reply(line)
                except WorkbenchError:
                    self._stderr.append(line.decode("utf-8", "replace").rstrip())
                    continue
                if (replies := self._waiting.get(reply.id)) is not None:
                    replies.put_nowait(reply)
        except ValueError:  # a line over the limit: nothing that follows can be trusted
            process.kill()
        await process.wait()
        # A grandchild may hold the pipe open for longer than the engine lives
        await asyncio.wait({stderr}, timeout=PATIENCE_SECONDS)
        stderr.cancel()
        for replies in self._waiting.values():
            replies.put_nowait(self._death())

    async def _keep_stderr(self, stream: asyncio.StreamReader) -> None:
        """Libraries draw progress bars with carriage returns and may write long lines without an end."""
        rest = ""
        while data := await stream.read(65536):
            *lines, rest = (rest + data.decode("utf-8", "replace")).replace("\r", "\n").split("\n")
            self._stderr.extend(line for line in lines if line.strip())
            rest = rest[-65536:]
        if rest.strip():
            self._stderr.append(rest)

    def _death(self) -> EngineDied:
        code = self._process.returncode if self._process is not None else None
        if code is None:
            reason = "the chat engine does not run"
        elif code == -signal.SIGKILL:
            reason = "the chat engine was killed (SIGKILL): by hand, or because memory ran out"
        elif code < 0:
            reason = f"the chat engine was ended by {signal.Signals(-code).name}"
        else:
            reason = f"the chat engine ended with exit status {code}"
        last = f"; it said last: {self._stderr[-1].strip()}" if self._stderr else ""
        return EngineDied(*fault(reason + last, hint="the next message starts it again").problems)


async def _next(replies: "asyncio.Queue[Reply | EngineDied]") -> Reply:
    """The next reply. Raises what it says went wrong with the whole request."""
    reply = await replies.get()
    if isinstance(reply, EngineDied):
        raise reply
    if isinstance(reply, Failed) and reply.column is None:
        raise reply.error()
    return reply
