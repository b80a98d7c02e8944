"""What fusion is compared with: the defocus map alone, the mean, filters, other programs."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from defocus_core.evaluation.external_programs import installed_programs
from defocus_core.io.color import as_float, to_grey
from defocus_core.maps.pipeline import estimate
from defocus_core.maps.refine.guided import GuidedFilter
from defocus_core.networks.classifier import Classifier


def defocus_map(shots: Sequence[np.ndarray], *, model: Classifier | str | None = None) -> np.ndarray:
    """Take every pixel from the shot whose refined defocus map is lowest there.

    Parameters
    ----------
    shots : two or more of (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    model : as for `estimate`

    Returns
    -------
    float32 in [0, 1], of the shots' shape

    References
    ----------
    Galetto & Deng, arXiv 2107.14443, whose maps decide by themselves.
    """
    lowest = np.argmin([estimate(shot, model=model) for shot in shots], 0)
    pictures = np.stack([as_float(shot) for shot in shots])
    return np.take_along_axis(pictures, lowest.reshape(1, *lowest.shape, *(1,) * (pictures.ndim - 3)), 0)[0]


def mean(shots: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of the shots, (H, W) or (H, W, 3) float32 in [0, 1]."""
    return np.mean([as_float(shot) for shot in shots], 0)


def laplacian_pyramid(shots: Sequence[np.ndarray], *, levels: int = 5) -> np.ndarray:
    """Fuse by the largest coefficient of Laplacian pyramids.

    Parameters
    ----------
    shots : two or more of (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    levels : of detail, fewer where the image is small; what remains below is averaged

    Returns
    -------
    float32 in [0, 1], of the shots' shape

    References
    ----------
    Burt & Adelson, IEEE Transactions on Communications 1983; Burt & Kolczynski, ICCV 1993.
    """
    shots = [as_float(shot) for shot in shots]
    levels = max(1, min(levels, int(np.log2(min(shots[0].shape[:2]))) - 2))
    pyramids = [_pyramid(shot, levels) for shot in shots]
    fused = [_largest_coefficients(layer) for layer in zip(*(p[:-1] for p in pyramids), strict=True)]
    image = np.mean([p[-1] for p in pyramids], 0)
    for detail in reversed(fused):
        image = cv2.pyrUp(image, dstsize=detail.shape[1::-1]) + detail
    return np.clip(image, 0, 1)


def guided_filter(shots: Sequence[np.ndarray]) -> np.ndarray:
    """Fuse a base and a detail layer by weights that a guided filter ties to the edges (GFF).

    Parameters
    ----------
    shots : two or more of (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]

    Returns
    -------
    float32 in [0, 1], of the shots' shape

    References
    ----------
    Li, Kang & Hu, IEEE TIP 2013, with its constants: base layer by a 31x31 box; saliency by a Laplacian and
    a Gaussian of sigma 5; guided filters of radius 45, eps 0.3 (base) and radius 7, eps 1e-6 (detail).
    """
    shots = [as_float(shot) for shot in shots]
    greys = [to_grey(shot) for shot in shots]
    edges = (np.abs(cv2.Laplacian(grey, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)) for grey in greys)
    winner = np.argmax([cv2.GaussianBlur(edge, (11, 11), 5) for edge in edges], 0)
    bases = [cv2.blur(shot, (31, 31), borderType=cv2.BORDER_REFLECT) for shot in shots]
    details = [shot - base for shot, base in zip(shots, bases, strict=True)]
    image = np.zeros_like(shots[0])
    for layers, radius, eps in ((bases, 45, 0.3), (details, 7, 1e-6)):
        filtered = [
            GuidedFilter(grey, radius=radius, eps=eps)((winner == index).astype(np.float32))
            for index, grey in enumerate(greys)
        ]
        weights = np.maximum(filtered, 0)
        weights /= np.maximum(weights.sum(0), 1e-12)
        for layer, weight in zip(layers, weights, strict=True):
            image += layer * (weight if layer.ndim == 2 else weight[:, :, None])
    return np.clip(image, 0, 1)


Method = Callable[[Sequence[np.ndarray]], np.ndarray]
METHODS: dict[str, Method] = {"mean": mean, "laplacian_pyramid": laplacian_pyramid, "guided_filter": guided_filter}


def fusion_methods(templates: dict[str, str], *, model: Classifier | str | None = None) -> dict[str, Method]:
    """Return all of the above and other programs, by name; a warning names those that are not installed.

    Parameters
    ----------
    model : of `defocus_map`
    templates : name -> command line, see `ExternalProgram`
    """
    found = installed_programs(templates)
    for name in templates.keys() - found:
        logging.getLogger(__name__).warning("%s is not installed and left out", name)
    return {"defocus_map": functools.partial(defocus_map, model=model)} | METHODS | found


def _pyramid(image: np.ndarray, levels: int) -> list[np.ndarray]:
    """Return a Laplacian pyramid: levels of detail, finest first, then what remains."""
    layers = []
    for _ in range(levels):
        smaller = cv2.pyrDown(image)
        layers.append(image - cv2.pyrUp(smaller, dstsize=image.shape[1::-1]))
        image = smaller
    return [*layers, image]


def _largest_coefficients(layers: Sequence[np.ndarray]) -> np.ndarray:
    stacked = np.stack(layers)
    winner = np.abs(stacked).argmax(0)
    return np.take_along_axis(stacked, winner[None], 0)[0]
