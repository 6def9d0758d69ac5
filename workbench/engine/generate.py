"""Answers of models, token by token, with the work on the prompt kept from turn to turn.

The prompt is computed in blocks of `BLOCK` tokens from its start, and what is left at its end in blocks of
`FINE`. Only whole blocks are kept, and small ones only until they would be part of a large one. How a prompt
is cut then depends on its length alone, and an answer is the same to the bit whether the blocks before it
were kept or computed anew. Keeping generated tokens would break that promise, most of all in bf16: instead an
answer is read once more while the person reads it (`read_ahead`).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

import torch
from transformers import DynamicCache, PreTrainedModel

from workbench.chat.memory import Prompt, fit
from workbench.data.example import Message
from workbench.engine.batch import Start, Voice, batches, forward, keep
from workbench.engine.models import context_length
from workbench.engine.writing import Answer, Ends, Writing
from workbench.errors import WorkbenchError, fault
from workbench.project.sampling import Sampling
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.tokenizer import Tokenizer

__all__ = ["Answer", "Asked", "Session", "answer_together"]

BLOCK = 256
"""Tokens of the prompt computed at once: enough to keep a GPU busy, few enough to stop in between."""
FINE = 32
"""The same at the end of the prompt: so few are computed again with the next turn."""

TURN_ENDS = {
    *("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|eom_id|>", "<|eot|>"),
    *("<end_of_turn>", "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>"),
    *("<|im_start|>", "<|start_header_id|>", "<start_of_turn>"),
}
"""Special tokens after which nothing of an answer follows, whatever the configuration says: ends of a turn or
a text, and beginnings of the next turn. Sources: the tokenizer_config.json of Qwen 2.5 and 3, Llama 3 and 4,
Gemma 3, OpenChat, Command R. gpt-oss's <|end|> is none: its answer follows on its thoughts."""


class Session:
    """One target: its model, its template, and the cache of its last prompt.

    Args:
        model: in evaluation mode, with an adapter or without; or how one of several adapters speaks with it.
        encoder: turns a conversation into its prompt.
    """

    def __init__(self, model: PreTrainedModel | Voice, encoder: Encoder) -> None:
        self.voice = model if isinstance(model, Voice) else Voice(model)
        self.model = self.voice.model
        self.context = context_length(self.model)
        self.device = next(self.model.parameters()).device
        self._vocabulary = self.model.get_input_embeddings().weight.shape[0]
        self._cache = self._new_cache()
        self._cached: list[int] = []
        self._large = 0
        self.use(encoder)

    def use(self, encoder: Encoder) -> None:
        """Write prompts with this one from now on; what is kept of the last prompt holds all the same."""
        self.encoder = encoder
        self.ends = Ends(stop_ids(self.model, encoder), encoder.stop_texts, self.context)

    def answer(
        self,
        messages: Sequence[Message],
        settings: ChatSettings,
        emit: Callable[[str], None],
        stop: Event,
    ) -> Answer:
        """Answer a conversation.

        Args:
            messages: as `chat.memory.fit` takes them.
            settings: how tokens are drawn, and when to end.
            emit: called with every piece of text, in order, from this thread.
            stop: ends the answer at the next token, or at the next block of the prompt.

        Raises WorkbenchError: the template refuses the conversation, its last question does not fit the
        context, or the scores are not numbers.
        """
        return self._alone(self.prompt(messages, settings), settings, emit, stop)

    def complete(
        self, prompt: list[int], settings: Sampling, emit: Callable[[str], None], stop: Event
    ) -> Answer:
        """Go on from the tokens of a prompt; as `answer` in all else."""
        return self._alone(Prompt(prompt), settings, emit, stop)

    @torch.no_grad()
    def read_ahead(
        self, messages: Sequence[Message], answer: str, settings: ChatSettings, stop: Event
    ) -> None:
        """Compute what the next question's prompt will begin with: the conversation, the answer to it.

        Raises WorkbenchError: the template writes no such prompt, or it does not fit.
        """
        asked = next(message for message in reversed(messages) if message.role == "user")
        said = messages[-1] if messages[-1].role == "assistant" else Message("assistant", "")
        before = [message for message in messages if message is not said]
        following = [*before, replace(said, content=answer), replace(asked, content="?")]
        prompt = self.prompt(following, settings).ids
        self.require_room(prompt)
        self._read(prompt, stop)

    def forget(self) -> None:
        """Let go of what is kept of the last prompt."""
        self._cache, self._cached = self._new_cache(), []

    def prompt(self, messages: Sequence[Message], settings: ChatSettings) -> Prompt:
        """What the model reads of a conversation, as `chat.memory.fit` has it."""
        return fit(self.encoder, messages, settings, self.context)

    def require_room(self, prompt: list[int]) -> None:
        """Raises WorkbenchError: an empty prompt, more than fits, or tokens that the model does not know."""
        if not prompt:
            raise fault("the template makes an empty prompt of this conversation")
        if self.context is not None and len(prompt) >= self.context:
            raise fault(f"the prompt has {len(prompt)} tokens, the model has room for {self.context}")
        if (highest := max(prompt)) >= self._vocabulary:
            raise fault(
                f"the tokenizer makes token {highest}, the model knows {self._vocabulary}",
                self.encoder.tokenizer.folder,
                "tokenizer and weights are not of the same model",
            )

    def start(
        self, number: int, writing: Writing, prompt: list[int], stop: Event, shared: bool
    ) -> Start | None:
        """Read a prompt; None when stopped.

        Args:
            number: of the answer among those that were asked for together.
            writing: the answer.
            prompt: as `require_room` lets it pass.
            stop: heard before each block.
            shared: the session answers another one at the same time.
        """
        writing.reused, scores = self._read(prompt, stop)
        if scores is None:
            return None
        cache, kept = self._cache, keep(self._cache)
        if shared and kept is None:
            self.forget()
        return Start(number, writing, self.voice, scores, cache, kept)

    def _read(self, prompt: list[int], stop: Event) -> tuple[int, torch.Tensor | None]:
        """Compute what is not kept of a prompt: its kept tokens, the scores after it or None when stopped."""
        reused = at = self._keep(prompt)
        large = self._large = (len(prompt) - 1) // BLOCK * BLOCK
        ids = torch.tensor([prompt], device=self.device)
        scores = None
        while at < len(prompt):
            if stop.is_set():
                return reused, None
            end = min(at + (BLOCK if at < large else FINE), len(prompt))
            scores = forward([self.voice], ids[:, at:end], self._cache)
            self._cached += prompt[at:end]
            at = end
        return reused, scores

    def _alone(self, prompt: Prompt, settings: Sampling, emit: Callable[[str], None], stop: Event) -> Answer:
        ((_, answer),) = answer_together([Asked(self, prompt, settings, emit)], stop)
        if isinstance(answer, WorkbenchError):
            raise answer
        return answer

    def _keep(self, prompt: list[int]) -> int:
        """Cut the cache back to the blocks that it shares with `prompt`; returns their tokens."""
        same = next(
            (i for i, (old, new) in enumerate(zip(self._cached, prompt, strict=False)) if old != new),
            min(len(self._cached), len(prompt)),
        )
        # One token at least is computed: its scores are needed
        same, large = min(same, len(prompt) - 1), (len(prompt) - 1) // BLOCK * BLOCK
        if large == self._large <= same:
            kept = large + (same - large) // FINE * FINE
        else:
            kept = min(same, large, self._large) // BLOCK * BLOCK
        surplus = self._cache.get_seq_length() - kept
        try:
            if surplus and kept:
                self._cache.crop(-surplus)
        except RuntimeError:  # a sliding window forgets what lies before it: there is no way back
            kept = 0
        if not kept:
            self._cache = self._new_cache()
        self._cached = prompt[:kept]
        return kept

    def _new_cache(self) -> DynamicCache:
        return DynamicCache(config=self.model.config)


@dataclass(frozen=True, slots=True)
class Asked:
    """One of the answers that are asked for together.

    Attributes:
        session: who answers; the same one may answer several.
        prompt: what it reads.
        settings: how tokens are drawn, and when to end.
        emit: called with every piece of text, in order, from the thread that takes the answers.
    """

    session: Session
    prompt: Prompt
    settings: Sampling
    emit: Callable[[str], None]


# No inference mode: a training may go on with what a forward pass leaves behind in the model
@torch.no_grad()
def answer_together(
    asked: Sequence[Asked], stop: Event, *, details: bool = False
) -> Iterator[tuple[int, Answer | WorkbenchError]]:
    """Answers to several prompts, written at once: in one batch where they share a model, else in turn.

    Args:
        asked: whom, what, how.
        stop: ends all answers at the next token, or at the next block of a prompt.
        details: keep what the models thought at each token.

    Returns:
        The number of each answer with the answer, or with why there is none, in the order in which they end.
    """
    started = time.perf_counter()
    uses = Counter(id(each.session) for each in asked)
    starts = []
    for number, each in enumerate(asked):
        session = each.session
        try:
            session.require_room(each.prompt.ids)
        except WorkbenchError as error:
            yield number, error
            continue
        writing = Writing(
            each.prompt,
            each.settings,
            session.ends,
            session.encoder.tokenizer,
            session.device,
            each.emit,
            details=details,
            started=started,
        )
        start = session.start(number, writing, each.prompt.ids, stop, uses[id(session)] > 1)
        if start is None:
            yield number, writing.end()
        else:
            starts.append(start)
    going = batches(starts)
    while going and not stop.is_set():
        for batch in going:
            for number, ended in batch.step():
                yield number, ended.end() if isinstance(ended, Writing) else ended
        going = [batch for batch in going if batch.open]
    for batch in going:
        for number, writing in batch.open:
            yield number, writing.end()


def stop_ids(model: PreTrainedModel, encoder: Encoder) -> frozenset[int]:
    """Tokens that end an answer: the template's, the generation config's, and what ends a turn in this
    vocabulary."""
    eos = model.generation_config.eos_token_id
    listed = [] if eos is None else eos if isinstance(eos, list) else [eos]
    return frozenset((*encoder.stop_ids, *listed, *_turn_ends(encoder.tokenizer)))


def _turn_ends(tokenizer: Tokenizer) -> list[int]:
    return [index for index in tokenizer.special_ids if tokenizer.token(index) in TURN_ENDS]
