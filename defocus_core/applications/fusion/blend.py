"""Compose the fused image from the shots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.io.arrays import strips
from defocus_core.io.pages import Page
from defocus_core.io.photograph import Photograph
from defocus_core.io.read import read_photograph

Shot = np.ndarray | str | Path | Page


def blend_seams(
    aligned: Iterable[tuple[int, Alignment, Shot]], labels: np.ndarray, *, like: np.ndarray, seam: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Take every pixel from the shot of its label, and blend over the seams the shots whose frame has it.

    Parameters
    ----------
    aligned : index, alignment and pixels or file of each shot
    labels : (H, W) of integers
    like : image of the shape and dtype of the result
    seam : sigma in pixels of the Gaussian that blends; 0 takes every pixel unchanged

    Returns
    -------
    of the shape and dtype of `like`, and where the shots taken show something, (H, W) bool; None if none has alpha
    """
    fused, total = np.zeros(like.shape, np.float32), np.zeros(labels.shape, np.float32)
    known, has_alpha = np.zeros(labels.shape, bool), False
    for index, found, shot in aligned:
        mine = labels == index
        if mine.any():
            photograph = load_photograph(shot)
            shown, weight = find_shown(photograph, found, labels.shape), mine.astype(np.float32)
            if seam:
                weight = cv2.GaussianBlur(weight, (0, 0), seam) * shown
            known |= shown & (weight > 0)
            has_alpha |= photograph.alpha is not None
            total += weight
            pixels = found.apply(photograph.filled, labels.shape)
            for rows in strips(len(labels)):
                fused[rows] += pixels[rows] * weight[rows].reshape(weight[rows].shape + (1,) * (like.ndim - 2))
    total[total == 0] = 1  # where no shot shows anything
    fused /= total.reshape(labels.shape + (1,) * (like.ndim - 2))
    rounded = np.rint(fused, out=fused) if np.issubdtype(like.dtype, np.integer) else fused
    return rounded.astype(like.dtype), known if has_alpha else None


def load_photograph(shot: Shot) -> Photograph:
    """Return a shot with its alpha channel; read it if it is a file or a page of a file. NaN pixels become black."""
    photograph = read_photograph(shot) if isinstance(shot, str | Path | Page) else Photograph(np.asarray(shot))
    pixels = photograph.pixels
    if pixels.dtype == bool:
        return replace(photograph, pixels=pixels * np.uint8(255))
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        return replace(photograph, pixels=np.nan_to_num(pixels, posinf=1, neginf=0))
    return photograph


def find_shown(photograph: Photograph, found: Alignment, shape: tuple[int, int] | None = None) -> np.ndarray:
    """Return where an aligned shot shows something: in its frame, and not where its alpha is 0; (H, W) bool."""
    own = photograph.pixels.shape[:2]
    shape = shape or own
    shown = found.inside(shape, own)
    if photograph.empty is None:
        return shown
    return shown & (Alignment(found.matrix).apply((~photograph.empty).astype(np.float32), shape) > 0.99)


def as_alpha(shown: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return a mask, (H, W) bool, as an alpha channel of a dtype."""
    return (shown * (np.iinfo(dtype).max if dtype.kind == "u" else 1)).astype(dtype)
