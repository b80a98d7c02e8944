"""Multi-focus fusion: take every pixel from the shot that is sharpest there."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from defocus_core.applications.fusion.align import Alignment, find_alignment
from defocus_core.applications.fusion.blend import Shot, blend_seams, find_shown, load_photograph, select_pixels
from defocus_core.applications.fusion.decide import FusionConfig, decide_sharper, focus_measures
from defocus_core.io.color import srgb_to_linear, to_grey
from defocus_core.io.pages import Page
from defocus_core.networks.classifier import Classifier

MAX_EXPOSURE_RATIO = 6.0  # of the light of two shots of one stack
MIN_LIGHT = 0.01  # mean, of 0..1: darker stacks are not judged


@dataclass(frozen=True)
class Fusion:
    """A fused image and the shot of each pixel.

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
    strict: bool = False,
) -> Fusion:
    """Fuse shots focused at different distances.

    Compare each shot with the choice so far (`decide_sharper`): the detail around a pixel votes, and the defocus map
    with less weight. No pixel comes from outside a shot's frame, or from where its alpha is 0. If the shots are
    files, three are in memory at a time: the first, the current one and the one before it.

    Parameters
    ----------
    shots : two to 255 arrays, (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1], all alike, or
        files
    model : as for `estimate`
    config : see `FusionConfig`
    register : align every shot to the first one by an affine map first, by way of the shot before it
        (`find_alignment`); so give shots in the order of their focus
    match_exposure : match the exposure of every shot to the first one first
    strict : refuse a stack that has a bad shot; otherwise leave that shot out with a warning. A stack of two is
        always refused

    Raises
    ------
    ValueError
        If there are fewer than two shots or more than 255, their shapes or depths differ, or fewer than two are
        left: one that is far darker or brighter than the first, or cannot be registered, is left out.

    Warns
    -----
    UserWarning
        That names each shot left out.

    References
    ----------
    Galetto & Deng, arXiv 2107.14443, choose the shot by the defocus map alone.

    Examples
    --------
    >>> from skimage import data
    >>> from defocus_core import fuse
    >>> from defocus_core.blur.kernels import gaussian_blur
    >>> from defocus_core.io.color import as_float
    >>> sharp = as_float(data.astronaut()[100:200, 150:250])
    >>> near, far = sharp.copy(), sharp.copy()
    >>> near[:, 50:] = gaussian_blur(sharp, 3)[:, 50:]
    >>> far[:, :50] = gaussian_blur(sharp, 3)[:, :50]
    >>> fused = fuse([near, far])
    >>> fused.image.shape, fused.labels[50, [10, 90]].tolist()
    ((100, 100, 3), [0, 1])
    """
    if not 2 <= len(shots) <= 255:
        raise ValueError(f"fusion needs 2 to 255 shots, not {len(shots)}")
    if len(shots) > 2:
        config = replace(config, gather_sigma=2 * config.gather_sigma)
    photograph = load_photograph(shots[0])
    first = photograph.filled()
    alignments: list[Alignment | None] = [Alignment()]
    shown, has_alpha = find_shown(photograph, Alignment()), photograph.alpha is not None
    best = focus_measures(photograph.for_measuring(), model=model, config=config)
    labels: np.ndarray = np.zeros(first.shape[:2], np.uint8)
    before: tuple[np.ndarray, Alignment] | None = None
    for index, shot in enumerate(shots[1:], 1):
        photograph, name = load_photograph(shot), f"shot {index + 1}"
        pixels, has_alpha = photograph.filled(), has_alpha or photograph.alpha is not None
        _check_compatible(pixels, first, name=name)
        try:
            _check_exposure(pixels, first)
            found = find_alignment(pixels, first, register=register, match_exposure=match_exposure, before=before)
        except ValueError as error:
            if strict or len(shots) == 2:
                raise ValueError(f"{name}: {error}{_in_file(shot)}") from error
            warnings.warn(f"{name} is left out: {error}{_in_file(shot)}", stacklevel=2)
            alignments.append(None)
            continue
        alignments.append(found)
        seen = focus_measures(found.apply(photograph.for_measuring()), model=model, config=config)
        shows = find_shown(photograph, found)
        better = (decide_sharper(seen, best, config=config) | ~shown) & shows
        shown |= shows
        labels[better], best[:, better] = index, seen[:, better]
        before = pixels, found
    if len(shots) - alignments.count(None) < 2:
        raise ValueError(f"none of the other shots goes with the first one{_in_file(shots[0])}")
    aligned = [(index, found, shots[index]) for index, found in enumerate(alignments) if found]
    if config.seam_sigma:
        image = blend_seams(aligned, labels, like=first, seam=config.seam_sigma)
    else:
        image = select_pixels(aligned, labels, like=first)
    top = np.iinfo(first.dtype).max if first.dtype.kind == "u" else 1
    return Fusion(image, labels, (shown * top).astype(first.dtype) if has_alpha else None)


def _in_file(shot: Shot) -> str:
    return "" if isinstance(shot, np.ndarray) else f" ({shot})"


def _check_exposure(pixels: np.ndarray, first: np.ndarray) -> None:
    """Raise ValueError where a shot is far darker or brighter than the first one, as where a flash did not fire."""
    light, reference = (float(srgb_to_linear(to_grey(image)).mean()) for image in (pixels, first))
    ratio = light / max(reference, 1e-6)
    if not 1 / MAX_EXPOSURE_RATIO <= ratio <= MAX_EXPOSURE_RATIO and max(light, reference) > MIN_LIGHT:
        raise ValueError(
            f"it has {ratio:.2g} times the light of the first shot, more or less than {MAX_EXPOSURE_RATIO:g}"
        )


def _check_compatible(pixels: np.ndarray, first: np.ndarray, *, name: str) -> None:
    if pixels.shape[:2] != first.shape[:2]:
        raise ValueError(
            f"the shots differ in shape: {first.shape}, {name} {pixels.shape}; crop them to one frame first"
        )
    if pixels.shape[2:] != first.shape[2:]:
        raise ValueError(f"the first shot and {name} are not both grey or both in colour")
    if pixels.dtype != first.dtype:
        raise ValueError(f"the shots differ in depth: {first.dtype}, {name} {pixels.dtype}")
