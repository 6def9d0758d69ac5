"""Which examples are held out for validation: drawn by content or group, so it survives new rows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.data.digest import Keys


def held_out(draws: "Keys", validation: float, others: bool = False) -> "NDArray[np.bool_]":
    """Mark what is held out: a share of the examples (`validation` below 1) or a count of them (from 1).

    With a share, an example is held out when its draw falls into that share of the range: no other example
    changes that, and the count is near the share, not exact. With a count, the lowest draws are taken.
    Examples of equal draw, which are equal or of one group, stay together; that comes before the exact count.
    At least one example is held out when `validation` is above 0 and at least two draws differ; all of them
    only when there are others that are trained on.

    Args:
        draws: one for each example, as `digest.drawn` makes them.
        validation: share or count.
        others: there are examples of the same sources that cannot be held out, such as those that rows were
            made from.
    """
    import numpy as np

    held = np.zeros(len(draws), bool)
    keys, sizes = np.unique(draws, return_counts=True)
    if validation <= 0 or len(keys) < (1 if others else 2):
        return held
    if validation < 1:
        held = draws < np.uint64(int(validation * 2**64))
    else:
        room, chosen = int(validation), []
        for key, size in zip(keys, sizes, strict=True):
            if size <= room:
                chosen.append(key)
                room -= size
            if not room:
                break
        held = np.isin(draws, np.array(chosen, np.uint64))
    if not held.any():
        held = draws == (keys[0] if validation < 1 else keys[sizes.argmin()])
    if held.all() and not others:
        held = draws != keys[-1]
    return held
