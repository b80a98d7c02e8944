"""Compose the fused image from the shots."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.io.pages import Page
from defocus_core.io.read import read

Shot = np.ndarray | str | Path | Page


def select_pixels(
    aligned: Iterable[tuple[int, Alignment, Shot]], labels: np.ndarray, *, like: np.ndarray
) -> np.ndarray:
    """Take every pixel from the shot of its label."""
    fused = like.copy()
    for index, found, shot in aligned:
        mine = labels == index
        if mine.any():
            fused[mine] = found.apply(load_shot(shot))[mine]
    return fused


def blend_seams(
    aligned: Iterable[tuple[int, Alignment, Shot]], labels: np.ndarray, *, like: np.ndarray, seam: float
) -> np.ndarray:
    """Take every pixel from the shot of its label, and blend over the seams the shots whose frame has it."""
    fused, total = np.zeros(like.shape, np.float32), np.zeros(labels.shape, np.float32)
    for index, found, shot in aligned:
        mine = labels == index
        if mine.any():
            weight = cv2.GaussianBlur(mine.astype(np.float32), (0, 0), seam) * found.inside(labels.shape)
            total += weight
            fused += found.apply(load_shot(shot)) * weight.reshape(labels.shape + (1,) * (like.ndim - 2))
    fused /= total.reshape(labels.shape + (1,) * (like.ndim - 2))
    return (np.rint(fused) if np.issubdtype(like.dtype, np.integer) else fused).astype(like.dtype)


def load_shot(shot: Shot) -> np.ndarray:
    """Return the pixels of a shot; read it if it is a file or a page of a file."""
    return read(shot) if isinstance(shot, str | Path | Page) else np.asarray(shot)
