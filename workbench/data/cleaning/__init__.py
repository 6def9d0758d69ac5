"""`clean`: rules that change what messages say, or leave rows out. What they touch is counted in `survey`."""

from workbench.data.cleaning.cleaner import Cleaner, Step
from workbench.data.cleaning.labels import label

__all__ = ["Cleaner", "Step", "label"]
