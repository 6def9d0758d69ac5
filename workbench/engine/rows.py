"""Examples as the columns that TRL takes."""

import numpy as np
from numpy.typing import NDArray

from workbench.engine.scoring import IGNORED
from workbench.prompts.encoding.encoded import Supervised

Row = dict[str, NDArray[np.int64]]
"""`input_ids` and `labels` of one example, both of length T."""


def to_row(example: Supervised) -> Row:
    """The columns that TRL keeps and packs as they are. Nothing before the first token could predict it."""
    ids = np.frombuffer(example.ids, np.intc).astype(np.int64)
    labels = np.where(np.frombuffer(example.mask, np.uint8) == 1, ids, IGNORED)
    labels[:1] = IGNORED
    return {"input_ids": ids, "labels": labels}
