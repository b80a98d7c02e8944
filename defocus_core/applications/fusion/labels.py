"""Labels: the shot that each pixel of a fused image comes from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MAX_SHOTS = 65_535


def label_dtype(count: int) -> npt.DTypeLike:
    """Return the dtype that holds the labels of so many shots: uint8, or uint16 of more than 255."""
    return np.uint8 if count <= 255 else np.uint16


def check_labels(labels: np.ndarray, *, shape: tuple[int, int], count: int) -> None:
    """Raise ValueError unless labels fit a stack.

    Parameters
    ----------
    labels : (H, W) of integers, 0 for the first shot
    shape : height and width of the shots
    count : number of shots
    """
    if labels.ndim != 2 or labels.dtype.kind not in "ui":
        raise ValueError(f"labels are whole numbers, (height, width), not {labels.dtype} of shape {labels.shape}")
    if labels.shape != shape:
        raise ValueError(f"labels of {labels.shape} do not fit shots of {shape}; they are of another stack or cropped")
    for label in (labels.min(), labels.max()):
        if not 0 <= label < count:
            raise ValueError(f"labels name shot {label + 1} of a stack of {count}")
