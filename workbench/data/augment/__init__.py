"""Rows made from rows, once and for good: written to a file that a person reads, edits and takes in as a
source of its own. The pipeline from a row to an example stays as it is, and every made row says what it is
made from.
"""

from workbench.data.augment.making import Augmented, MadeRow, augment

__all__ = ["Augmented", "MadeRow", "augment"]
