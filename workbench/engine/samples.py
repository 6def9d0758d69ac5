"""Answers of the model while it trains, to the prompts of rows that it is not trained on."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Any

from workbench.data.dataset import open_dataset
from workbench.data.example import Example
from workbench.engine.commands import Commands
from workbench.engine.generate import Session
from workbench.engine.reasons import out_of_memory
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings
from workbench.project.store import OpenProject
from workbench.prompts.encoding.answers import asked
from workbench.prompts.encoding.encode import Encoder, make_encoder
from workbench.prompts.encoding.encoded import Supervised

ROWS = 3
PLAIN_TOKENS = 16
"""So much of a text without a template is read; the model goes on from there."""


@dataclass(frozen=True, slots=True)
class _Prompt:
    row: int
    ids: list[int]
    text: str


class Samples:
    """Greedy answers to the prompts of the first rows.

    Prompts are made at once: what the files hold later is not what the run is trained on.

    Args:
        project: as the run was started with it.
        rows: the held-out examples, or those that are trained on; the first three count.
    """

    def __init__(self, project: OpenProject, rows: Sequence[Supervised]) -> None:
        self._encoder = make_encoder(project)
        chat = project.settings.chat
        self._settings = ChatSettings(temperature=0, max_new_tokens=chat.max_new_tokens, stop=chat.stop)
        self._prompts = list(_prompts(project, rows[:ROWS], self._encoder))

    def answers(self, model: Any, commands: Commands) -> Iterator[tuple[str, dict[str, Any]]]:
        """Kind and fields of an event for each row: `sample`, or a `warning` that says why there is none.

        The model is left in evaluation mode. No random number is drawn, so that a run goes on the same
        whether or not it was sampled. Ends early when a stop is asked for.
        """
        model.eval()
        if not self._prompts:
            yield "warning", {"message": f"no sample: the template writes no prompt of the first {ROWS} rows"}
        for prompt in self._prompts:
            pieces: list[str] = []
            halt = Event()

            def emit(piece: str, pieces: list[str] = pieces, halt: Event = halt) -> None:
                pieces.append(piece)
                commands.poll()
                if commands.stop:
                    halt.set()

            try:
                # A session of its own: one that ran out of memory has half a cache
                answer = Session(model, self._encoder).complete(prompt.ids, self._settings, emit, halt)
            except Exception as error:
                if not (isinstance(error, WorkbenchError) or out_of_memory(error)):
                    raise
                yield "warning", {"message": f"no sample of row {prompt.row}: {error}"}
                continue
            if commands.stop:
                return
            yield (
                "sample",
                {
                    "row": prompt.row,
                    "prompt": prompt.text,
                    "answer": "".join(pieces),
                    "tokens": len(answer.ids),
                    "stopped": answer.reason in ("stop token", "stop text"),
                },
            )


def _prompts(project: OpenProject, rows: Sequence[Supervised], encoder: Encoder) -> Iterator[_Prompt]:
    dataset = open_dataset(project)
    try:
        for row in rows:
            # A template may refuse to ask where it writes whole conversations: no reason not to train
            with suppress(WorkbenchError):
                example = dataset.example(row.origin.source, row.origin.row)
                if isinstance(example, Example):
                    yield _Prompt(row.origin.row, *_prompt(example, encoder))
    finally:
        dataset.close()


def _prompt(example: Example, encoder: Encoder) -> tuple[list[int], str]:
    """Ids and text up to the last answer."""
    if example.plain:
        ids = encoder.tokenizer.encode(example.messages[-1].content)[0][:PLAIN_TOKENS]
        bos = encoder.tokenizer.id("bos_token")
        start = [bos] if encoder.tokenizer.adds_bos and bos is not None else []
        return start + ids, encoder.tokenizer.decode(ids)
    return encoder.prompt(asked(example.messages, len(example.messages) - 1), example.blocks)
