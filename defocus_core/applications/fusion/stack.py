"""Multi-focus fusion: take every pixel from the shot that is sharpest there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from defocus_core.applications.fusion.align import Alignment, find_alignment
from defocus_core.applications.fusion.blend import blend_seams, find_shown, load_photograph, select_pixels
from defocus_core.applications.fusion.decide import FusionConfig, decide_sharper, focus_measures
from defocus_core.io.pages import Page
from defocus_core.networks.classifier import Classifier


@dataclass(frozen=True)
class Fusion:
    """A fused image and where it came from.

    Parameters
    ----------
    image : of the shots' shape and dtype
    labels : (H, W) uint8, index of the shot that each pixel comes from
    alpha : (H, W) of the image's dtype, 0 where no shot shows anything; None where shots have no alpha
    """

    image: np.ndarray
    labels: np.ndarray
    alpha: np.ndarray | None = None


def fuse(
    shots: Sequence[np.ndarray | str | Path | Page],
    *,
    model: Classifier | str | None = None,
    config: FusionConfig = FusionConfig(),
    register: bool = False,
    match_exposure: bool = False,
) -> Fusion:
    """Fuse shots focused at different distances.

    Every shot in turn competes with what was chosen before it (`decide_sharper`): the detail around a pixel
    votes, and with less weight the defocus map. No pixel is taken from a shot in whose frame it was not, or
    whose alpha is 0 there.
    Three shots are in memory at a time where files are given: the first, one, and the one before it.

    Parameters
    ----------
    shots : two to 255 arrays, (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1], all alike, or
        files
    model : as for `estimate`
    register : first bring every shot onto the first one by an affine map, by way of the shot before it
        (`find_alignment`), so that shots are best given in order of their focus
    match_exposure : first give every shot the exposure of the first one

    Raises
    ------
    ValueError
        If there are fewer than two shots or more than 255, their shapes or depths differ, or they cannot
        be registered.

    References
    ----------
    Galetto & Deng, arXiv 2107.14443, choose the shot by the defocus map alone.
    """
    if not 2 <= len(shots) <= 255:
        raise ValueError(f"fusion needs 2 to 255 shots, not {len(shots)}")
    if len(shots) > 2:
        config = replace(config, reach=2 * config.reach)
    photograph = load_photograph(shots[0])
    first, alignments = photograph.filled(), [Alignment()]
    shown, has_alpha = find_shown(photograph, alignments[0]), photograph.alpha is not None
    best = focus_measures(first, model=model, config=config)
    labels, before = np.zeros(first.shape[:2], np.uint8), None
    for index, shot in enumerate(shots[1:], 1):
        photograph, name = load_photograph(shot), f"shot {index + 1}"
        pixels, has_alpha = photograph.filled(), has_alpha or photograph.alpha is not None
        _check_compatible(pixels, first, name=name)
        try:
            found = find_alignment(pixels, first, register=register, match_exposure=match_exposure, before=before)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        alignments.append(found)
        seen = focus_measures(found.apply(pixels), model=model, config=config)
        shows = find_shown(photograph, found)
        better = (decide_sharper(seen, best, config=config) | ~shown) & shows
        shown |= shows
        labels[better], best[:, better] = index, seen[:, better]
        before = pixels, found
    aligned = zip(alignments, shots, strict=True)
    if config.seam:
        image = blend_seams(aligned, labels, like=first, seam=config.seam)
    else:
        image = select_pixels(aligned, labels, like=first)
    top = np.iinfo(first.dtype).max if first.dtype.kind == "u" else 1
    return Fusion(image, labels, (shown * top).astype(first.dtype) if has_alpha else None)


def _check_compatible(pixels: np.ndarray, first: np.ndarray, *, name: str) -> None:
    if pixels.shape[:2] != first.shape[:2]:
        raise ValueError(
            f"the shots differ in shape: {first.shape}, {name} {pixels.shape}; crop them to one frame first"
        )
    if pixels.shape[2:] != first.shape[2:]:
        raise ValueError(f"the first shot and {name} are not both grey or both in colour")
    if pixels.dtype != first.dtype:
        raise ValueError(f"the shots differ in depth: {first.dtype}, {name} {pixels.dtype}")
