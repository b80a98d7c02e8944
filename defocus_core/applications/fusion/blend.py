"""Compose the fused image from the shots."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.io.pages import Page
from defocus_core.io.photograph import Photograph
from defocus_core.io.read import read_photograph

Shot = np.ndarray | str | Path | Page


def select_pixels(
    aligned: Iterable[tuple[int, Alignment, Shot]], labels: np.ndarray, *, like: np.ndarray
) -> np.ndarray:
    """Take every pixel from the shot of its label."""
    fused = like.copy()
    for index, found, shot in aligned:
        mine = labels == index
        if mine.any():
            fused[mine] = found.apply(load_photograph(shot).filled())[mine]
    return fused


def blend_seams(
    aligned: Iterable[tuple[int, Alignment, Shot]], labels: np.ndarray, *, like: np.ndarray, seam: float
) -> np.ndarray:
    """Take every pixel from the shot of its label, and blend over the seams the shots whose frame has it."""
    fused, total = np.zeros(like.shape, np.float32), np.zeros(labels.shape, np.float32)
    for index, found, shot in aligned:
        mine = labels == index
        if mine.any():
            photograph = load_photograph(shot)
            weight = cv2.GaussianBlur(mine.astype(np.float32), (0, 0), seam) * find_shown(photograph, found)
            total += weight
            fused += found.apply(photograph.filled()) * weight.reshape(labels.shape + (1,) * (like.ndim - 2))
    total[total == 0] = 1  # where no shot shows anything
    fused /= total.reshape(labels.shape + (1,) * (like.ndim - 2))
    return (np.rint(fused) if np.issubdtype(like.dtype, np.integer) else fused).astype(like.dtype)


def load_photograph(shot: Shot) -> Photograph:
    """Return a shot with its alpha channel; read it if it is a file or a page of a file."""
    return read_photograph(shot) if isinstance(shot, str | Path | Page) else Photograph(np.asarray(shot))


def find_shown(photograph: Photograph, found: Alignment) -> np.ndarray:
    """Return where an aligned shot shows something: in its frame, and not where its alpha is 0; (H, W) bool."""
    shown = found.inside(photograph.pixels.shape[:2])
    if photograph.empty is None:
        return shown
    return shown & (Alignment(found.matrix).apply((~photograph.empty).astype(np.float32)) > 0.99)
