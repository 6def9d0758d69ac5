"""What an example is once it is tokenised: the one form that preview, training, evaluation and chat share."""

from array import array
from dataclasses import dataclass

from workbench.data.example import Origin


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids with their mask.

    Attributes:
        text: the rendered conversation, as the chat template wrote it.
        ids: token ids, length T.
        mask: length T; 1 where the token is trained (predicted and scored), 0 where it is only read.
        spans: length T; the half-open character range of each token in `text`.
        stop_trained: every trained answer ends in a trained end-of-turn mark, so that the model learns to
        stop.
        truncated: tokens that a limit of `data` cut off, those of the prompt's end included.
        prompt_cut: of those, the ones at the end of the prompt, where it asks for the answer.
        warnings: what a careful reader would point out about this example.
    """

    text: str
    ids: list[int]
    mask: list[int]
    spans: list[tuple[int, int]]
    stop_trained: bool
    truncated: int = 0
    prompt_cut: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Supervised:
    """What training needs of an `Encoded`: 5 bytes a token in place of some 150, for a corpus in memory.

    Attributes:
        origin: the row it came from.
        ids: token ids, length T, as C ints.
        mask: length T; 1 where the token is trained.
        stop_trained: as of `Encoded`.
        truncated: as of `Encoded`.
        prompt_cut: as of `Encoded`.
        warnings: as of `Encoded`.
    """

    origin: Origin
    ids: "array[int]"
    mask: bytes
    stop_trained: bool = True
    truncated: int = 0
    prompt_cut: int = 0
    warnings: tuple[str, ...] = ()
