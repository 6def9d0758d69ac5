"""Nothing that is not a number reaches the optimizer."""

import math

from torch import Tensor

from workbench.errors import Problem, WorkbenchError


class Diverged(WorkbenchError):
    """Loss or gradients of a step are no longer numbers; the weights are still those of the step before."""


def require_finite(loss: Tensor, norm: Tensor | float, step: int, *, scaled: bool) -> None:
    """Let step `step` move the weights, or refuse; one wait for the device.

    Args:
        loss: of the step, over all ranks.
        norm: of its gradients.
        scaled: with fp16 the loss scaler skips a step whose gradients overflow, which is how it finds its
            scale.

    Raises:
        Diverged: names what is no number.
    """
    if math.isfinite(float(loss if scaled else loss + norm)):
        return
    what = "the gradient norm" if math.isfinite(float(loss)) else "the loss"
    raise Diverged(
        Problem(
            f"{what} of step {step} is not a finite number; stopped before the weights moved, "
            f"they are those of step {step - 1}",
            hint="try a lower learning_rate, a longer warm-up or a higher precision, "
            "and look at the rows for texts that no answer should hold",
        )
    )
