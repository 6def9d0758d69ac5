"""How sure a share is, given how few rows it was counted on."""

import math

NORMAL_95 = 1.959963984540054
"""Quantile 0.975 of the normal distribution: an interval of 95 per cent."""

Interval = tuple[float, float]
"""Lower and upper end."""


def wilson(successes: float, rows: int) -> Interval:
    """Wilson's score interval of a share, 95 per cent; (0, 1) without rows.

    Unlike the normal approximation it stays within 0 and 1, and has a width at 0 and at 1 too.

    Args:
        successes: how many of the rows; a half is a tie.
        rows: all of them.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    if not rows:
        return 0.0, 1.0
    z, share = NORMAL_95, successes / rows
    scale = 1 + z * z / rows
    centre = (share + z * z / (2 * rows)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    # At the edges the exact end is the edge itself; what is left of it is rounding
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == rows else min(1.0, centre + half)
    return low, high
