"""`python -m workbench.engine.chat_server`: answers on the pipe that `workbench.chat.client` holds.

One thread reads requests, so that a stop is heard while another one loads and generates. Nothing that a line
can hold ends the process; the end of stdin does, at once, and with it all its memory goes back.
"""

import gc
import os
import queue
import signal
import sys
import threading
import time
import traceback
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

from workbench.chat.protocol import (
    Done,
    Failed,
    Generate,
    Load,
    Loaded,
    Piece,
    Ready,
    Reply,
    Stop,
    Target,
    id_of,
    read_request,
    to_line,
)
from workbench.errors import WorkbenchError, fault

if TYPE_CHECKING:
    from workbench.engine.generate import Session


class Server:
    """One model at a time.

    Args:
        requests: where lines are read from.
        replies: where lines are written to, unbuffered.
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests = requests
        self._replies = replies
        self._writing = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[Load | Generate, threading.Event]] = queue.SimpleQueue()
        self._stops: dict[int, threading.Event] = {}
        self._session: Session | None = None
        self._loaded: Target | None = None

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

    def _work(self) -> None:
        """Load and generate, one request after the other."""
        try:
            _import_libraries()
        except Exception:
            traceback.print_exc()
            os._exit(1)
        self._reply(Ready())
        while True:
            request, stop = self._queue.get()
            try:
                self._load(request) if isinstance(request, Load) else self._generate(request, stop)
            except WorkbenchError as error:
                self._fail(request.id, error)
            except Exception as error:
                traceback.print_exc()
                self._unload()
                self._fail(request.id, _explained(error))
            finally:
                self._stops.pop(request.id, None)

    def _load(self, request: Load) -> None:
        from workbench.engine.chat_model import load_encoder, load_model, model_folder
        from workbench.engine.generate import Session
        from workbench.engine.models import count_parameters

        started = time.perf_counter()
        folder = model_folder(request.target)
        encoder = load_encoder(request.target, folder)
        if self._session is not None and request.target == self._loaded:
            # The same weights; a template file may have been edited since
            model = self._session.model
        else:
            self._unload()  # two models at once may not fit
            model = load_model(request.target, folder)
        self._session, self._loaded = Session(model, encoder), request.target
        self._reply(
            Loaded(
                request.id,
                seconds=time.perf_counter() - started,
                device=str(next(model.parameters()).device),
                parameters=count_parameters(model)[1],
                context=self._session.context,
            )
        )

    def _generate(self, request: Generate, stop: threading.Event) -> None:
        if self._session is None:
            raise fault("no model is loaded")
        answer = self._session.answer(
            request.messages,
            request.settings,
            lambda text: self._reply(Piece(request.id, text)),
            stop,
        )
        figures: dict[str, Any] = asdict(answer)
        self._reply(Done(id=request.id, tokens=len(answer.ids), **figures))

    def _unload(self) -> None:
        import torch

        self._session = self._loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _reply(self, reply: Reply) -> None:
        line = to_line(reply)
        with self._writing:
            try:
                self._replies.write(line)
            except OSError:  # nobody is there to hear it
                os._exit(0)

    def _fail(self, number: int, error: WorkbenchError) -> None:
        self._reply(Failed(number, list(error.problems)))


def _import_libraries() -> None:
    """All that loading and generating need, so that a model that is ready answers without a delay."""
    import transformers

    import workbench.engine.chat_model
    import workbench.engine.generate  # noqa: F401

    transformers.utils.logging.disable_progress_bar()


def _explained(error: Exception) -> WorkbenchError:
    from workbench.engine.reasons import out_of_memory

    if out_of_memory(error):
        return fault(
            "out of memory: the model was unloaded",
            hint="a shorter conversation, model.quantization = nf4, or end what else uses the memory",
        )
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
