"""`python -m workbench.engine.chat_server`: answers on the pipe that `workbench.chat.client` holds.

One thread reads requests, so that a stop is heard while another one loads and generates. Nothing that a line
can hold ends the process; the end of stdin does, at once, and with it all its memory goes back.
"""

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, BinaryIO

from workbench.chat.protocol import (
    Column,
    Done,
    Failed,
    Generate,
    Load,
    Loaded,
    NoRoom,
    Piece,
    Ready,
    Reply,
    Stop,
    id_of,
    read_request,
    to_line,
)
from workbench.errors import Problem, WorkbenchError, fault

if TYPE_CHECKING:
    from workbench.engine.generate import Session
    from workbench.engine.shelf import Shelf


class Server:
    """Models that are held, and answers of them.

    Args:
        requests: where lines are read from.
        replies: where lines are written to, unbuffered.
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests = requests
        self._replies = replies
        self._writing = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[Load | Generate, threading.Event]] = queue.SimpleQueue()
        self._asked = threading.Event()
        """Somebody waits: nothing is read ahead."""
        self._stops: dict[int, threading.Event] = {}
        self._shelf: Shelf

    def serve(self) -> None:
        """Answer until stdin ends."""
        threading.Thread(target=self._work, daemon=True, name="model").start()
        for line in self._requests:
            if not line.strip():
                continue
            try:
                request = read_request(line)
            except WorkbenchError as error:
                self._fail(id_of(line), error)
                continue
            if isinstance(request, Stop):
                if (stop := self._stops.get(request.id)) is not None:
                    stop.set()
                continue
            self._stops[request.id] = threading.Event()
            self._queue.put((request, self._stops[request.id]))
            self._asked.set()

    def _work(self) -> None:
        """Load and generate, one request after the other."""
        try:
            self._shelf = _open_shelf()
        except Exception:
            traceback.print_exc()
            os._exit(1)
        self._reply(Ready())
        from torch import inference_mode

        while True:
            request, stop = self._queue.get()
            self._asked.clear()
            try:
                if isinstance(request, Load):
                    self._load(request)
                else:
                    with inference_mode():
                        self._generate(request, stop)
            except WorkbenchError as error:
                self._fail(request.id, error)
            except Exception as error:
                traceback.print_exc()
                self._shelf.clear()
                self._fail(request.id, _explained(error))
            finally:
                self._stops.pop(request.id, None)

    def _load(self, request: Load) -> None:
        started = time.perf_counter()
        held = self._shelf.hold(request.targets)
        self._reply(Loaded(request.id, seconds=time.perf_counter() - started, held=held))

    def _generate(self, request: Generate, stop: threading.Event) -> None:
        from workbench.engine.generate import Asked, answer_together

        sessions = [self._shelf.session(column.target) for column in request.columns]
        numbers, asked = [], []
        said: list[list[str]] = [[] for _ in sessions]
        for number, (column, session) in enumerate(zip(request.columns, sessions, strict=True)):
            try:
                prompt = session.prompt(column.messages, column.settings)
            except WorkbenchError as error:
                self._reply(Failed(request.id, list(error.problems), number))
                continue
            numbers.append(number)
            emit = self._emitter(request.id, number, said[number])
            asked.append(Asked(session, prompt, column.settings, emit))
        for row, answer in answer_together(asked, stop, details=request.details):
            if isinstance(answer, WorkbenchError):
                self._reply(Failed(request.id, list(answer.problems), numbers[row]))
            else:
                figures = {name.name: getattr(answer, name.name) for name in fields(answer)}
                self._reply(Done(request.id, column=numbers[row], tokens=len(answer.ids), **figures))

        for column, session, pieces in zip(request.columns, sessions, said, strict=True):
            text = "".join(pieces)
            if text.strip() and self._queue.empty():
                self._read_ahead(session, column, text)

    def _emitter(self, number: int, column: int, said: list[str]) -> Callable[[str], None]:
        def emit(text: str) -> None:
            said.append(text)
            self._reply(Piece(number, text, column))

        return emit

    def _read_ahead(self, session: "Session", column: Column, text: str) -> None:
        """The next question's first token comes sooner; what goes wrong here is for that question to say."""
        try:
            session.read_ahead(column.messages, text, column.settings, self._asked)
        except WorkbenchError:
            pass
        except Exception:
            traceback.print_exc()
            session.forget()

    def _reply(self, reply: Reply) -> None:
        line = to_line(reply)
        with self._writing:
            try:
                self._replies.write(line)
            except OSError:  # nobody is there to hear it
                os._exit(0)

    def _fail(self, number: int, error: WorkbenchError) -> None:
        self._reply(Failed(number, list(error.problems), no_room=isinstance(error, NoRoom)))


def _open_shelf() -> "Shelf":
    """With it comes all that loading and generating need: a model that is ready answers without a delay."""
    import transformers

    from workbench.engine.shelf import Shelf

    transformers.utils.logging.disable_progress_bar()
    return Shelf()


def _explained(error: Exception) -> WorkbenchError:
    from workbench.engine.reasons import out_of_memory

    if out_of_memory(error):
        what = "out of memory: the models were unloaded"
        hint = "fewer columns, a shorter conversation, or model.quantization = nf4"
        if type(error).__name__ == "OutOfMemoryError":  # the GPU's
            return NoRoom(Problem(what, hint=f"{hint}; or talk to it on the CPU"))
        return fault(what, hint=f"{hint}; or end what else uses the memory")
    return fault(f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}")


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for the protocol: what a library prints goes to stderr, and it reads nothing."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, replies


def main() -> None:
    """Serve on stdin and stdout."""
    # ctrl+c reaches the whole group: what it means is for the screen to say
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = Server(*_take_pipes())
    from workbench.engine.train_job import prepare_environment

    prepare_environment(offline=False)  # a base model that is not here yet may be fetched
    server.serve()
    os._exit(0)  # at once: a thread deep in torch would hold up a polite end


if __name__ == "__main__":
    main()
