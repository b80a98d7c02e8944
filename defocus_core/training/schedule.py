"""Length of a training in steps, and the learning rate at each of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Schedule = Literal["constant", "cosine", "onecycle"]
HISTORY_ROWS = 20  # of a training whose length is given in patch-steps
COSINE_WARM_UP = 0.05  # fraction of the steps
ONECYCLE_WARM_UP, ONECYCLE_FIRST, ONECYCLE_LAST = (
    0.25,
    1 / 25,
    1e-4,
)  # first and last rate as fractions of the peak


@dataclass(frozen=True)
class Plan:
    """Length of a training.

    Parameters
    ----------
    batch : patches a step
    steps_per_epoch : steps of one pass over the patches
    row_ends : steps done at the end of each row of the history; the last is the number of all steps
    """

    batch: int
    steps_per_epoch: int
    row_ends: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Number of steps in all."""
        return self.row_ends[-1]


def plan_steps(patches: int, *, batch: int, epochs: int | None, patch_steps: int | None) -> Plan:
    """Return the steps of a training.

    Parameters
    ----------
    patches : number to train on
    batch : patches a step, or all where there are fewer; what an epoch leaves over is left out
    epochs : passes over the patches, each a row of the history; None where `patch_steps` gives the length
    patch_steps : patches in all, each counted as often as it is seen, in 20 rows of equal length
    """
    batch = min(batch, patches)
    steps_per_epoch = patches // batch
    if epochs is not None:
        row_ends = [steps_per_epoch * (epoch + 1) for epoch in range(epochs)]
    else:
        steps = math.ceil((patch_steps or batch) / batch)
        rows = min(HISTORY_ROWS, steps)
        row_ends = [steps * (row + 1) // rows for row in range(rows)]
    return Plan(batch, steps_per_epoch, tuple(row_ends))


def learning_rate(schedule: Schedule, done: float, *, peak: float) -> float:
    """Return the learning rate once a fraction of the steps is done.

    Parameters
    ----------
    schedule : `constant`; `cosine`, after a warm-up over 5 % of the steps; or `onecycle`, half a cosine up to the
        peak over a quarter of the steps, and half a cosine down to a ten-thousandth of it
    done : fraction of the steps, 0 to 1
    peak : largest rate

    References
    ----------
    Smith & Topin, Super-convergence: very fast training of neural networks using large learning rates, 2019.
    """
    if schedule == "constant":
        return peak
    if schedule == "cosine":
        warm_up = min(1.0, (done + 1e-3) / COSINE_WARM_UP)
        return peak * warm_up * _half_cosine(1.0, 0.0, done)
    if done < ONECYCLE_WARM_UP:
        return peak * _half_cosine(ONECYCLE_FIRST, 1.0, done / ONECYCLE_WARM_UP)
    return peak * _half_cosine(1.0, ONECYCLE_LAST, (done - ONECYCLE_WARM_UP) / (1 - ONECYCLE_WARM_UP))


def _half_cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * done))
