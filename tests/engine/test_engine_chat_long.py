"""An answer of thousands of tokens: what a token costs does not grow with what stands before it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from workbench.chat.memory import Prompt
from workbench.engine.writing import Ends, Writing
from workbench.project.sampling import Sampling
from workbench.prompts.tokenizer import Tokenizer, load_tokenizer

TOKENS, PART = 5000, 500


class Counting(TorchDispatchMode):
    """Counts operations, and the numbers that they make; views make none."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.operations += 1
        if isinstance(result, torch.Tensor) and not func.is_view:
            self.numbers += result.numel()
        return result


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many ids were decoded, each time."""
    lengths: list[int] = []
    decode = Tokenizer.decode

    def counted(self: Tokenizer, ids: Any, skip_special: bool = False) -> str:
        lengths.append(len(ids))
        return decode(self, ids, skip_special)

    monkeypatch.setattr(Tokenizer, "decode", counted)
    yield lengths


@pytest.mark.parametrize("drawn", [{"temperature": 0.0}, {"temperature": 1.0, "repetition_penalty": 1.1}])
def test_the_last_tokens_cost_what_the_first_did(
    tiny_base: Path, decoded: list[int], drawn: dict[str, Any]
) -> None:
    tokenizer = load_tokenizer(tiny_base)
    settings = Sampling(max_new_tokens=TOKENS, seed=1, stop=["never said"], **drawn)
    prompt = Prompt(tokenizer.encode("what is the capital of norway")[0])
    pieces: list[str] = []
    writing = Writing(
        prompt,
        settings,
        Ends((), (), None),
        tokenizer,
        torch.device("cpu"),
        pieces.append,
        details=False,
        started=time.perf_counter(),
    )
    torch.manual_seed(0)
    scores = torch.randn(50, 1, 320).repeat(PART // 50, 1, 1)
    costs = []

    def write(tokens: int) -> bool:
        return [writing.take(row, float(row.max()), int(row.argmax())) for row in scores[:tokens]][-1]

    # The first part makes what is made once; the others are compared
    for between in (PART, TOKENS - 3 * PART):
        for _ in range(between // PART):
            assert write(PART)
        decoded.clear()
        with Counting() as counted:
            goes_on = write(PART)
        costs.append((counted.operations, counted.numbers, sum(decoded)))
    assert not goes_on and len(writing.end().ids) == TOKENS
    assert len("".join(pieces)) > TOKENS
    first, last = costs
    assert last[2] <= 1.1 * first[2], "ids that are decoded"
    assert last[0] <= 1.1 * first[0], "operations"
    # transformers' penalty looks at every token so far, and makes six numbers of each
    looked_back = 6 * PART * (TOKENS - 2 * PART) if "repetition_penalty" in drawn else 0
    assert last[1] <= 1.1 * first[1] + looked_back, "numbers that are made"
