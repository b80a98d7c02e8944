"""Defocus magnification: blur the background further, as published or as a wider aperture would."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.blur.kernels import effective_sigma
from defocus_core.blur.levels import sigma_to_paper_label
from defocus_core.blur.rendering import MIN_VISIBLE_SIGMA, Scene, render_defocus
from defocus_core.io.arrays import check_map_fits, fill_nearest
from defocus_core.io.color import as_opaque_float, linear_to_srgb, srgb_to_linear
from defocus_core.maps.focus import NOTICEABLE_BOUNDS, in_focus
from defocus_core.maps.refine.guided import self_guided_filter

CENTRE_LABEL = 10  # label at which equation 13 has its least weight
DEFAULT_APERTURE_RATIO = 3.0
SHARPEST_FRACTION = 0.1  # share of a photograph that counts as in focus
RIM_RADIUS = 6  # pixels around it whose colour is not that of the background
LAYER_COUNT = 24
SUBJECT_MARGIN = 2  # pixels around what is in focus that are kept too: a map's edge may lie inside the subject
MAX_SIGMA = 100.0  # pixels, more than maps tell; in larger photographs, their longer side


@dataclass(frozen=True)
class MagnifyConfig:
    """Constants of equations 12 and 13, defaults as published.

    The published 1, 7 and 10 are labels (`sigma_to_paper_label`), maps are in pixels.

    Parameters
    ----------
    in_focus, out_of_focus : sigma in pixels at which the weight is 0.999 and 0.001
    sharpen : gain of the unsharp mask on what is in focus
    radius, eps, iterations : of the self-guided filter that blurs; eps in squared grey levels of 0..1
        (published: 128 in 0..255)
    """

    in_focus: float = effective_sigma(1, "paper")
    out_of_focus: float = effective_sigma(7, "paper")
    sharpen: float = 0.25
    radius: int = 33
    eps: float = 128 / 255**2
    iterations: int = 5

    def __post_init__(self) -> None:
        most = effective_sigma(CENTRE_LABEL, "paper")
        if not 0 <= self.in_focus < self.out_of_focus < most:
            raise ValueError(
                f"0 <= in_focus < out_of_focus < {most:.3g} pixels, not {self.in_focus:g} and {self.out_of_focus:.3g}; "
                "change one or the other"
            )


def in_focus_weight(sigma: np.ndarray, config: MagnifyConfig = MagnifyConfig()) -> np.ndarray:
    """Return how much of each pixel stays: W = 1 - exp(-(|M - c| / s)^g) (equation 13).

    s and g are solved from W(in_focus) = 0.999 and W(out_of_focus) = 0.001. Beyond c, label 10, where
    the published formula would rise again, W stays 0.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels

    Returns
    -------
    (H, W) float32 in [0, 1]
    """
    near, far = CENTRE_LABEL - sigma_to_paper_label(np.array([config.in_focus, config.out_of_focus]))
    log_near, log_far = np.log(-np.log(1 - 0.999)), np.log(-np.log(1 - 0.001))
    power = (log_near - log_far) / (np.log(near) - np.log(far))
    scale = near / np.exp(log_near / power)
    distance = np.maximum(CENTRE_LABEL - sigma_to_paper_label(sigma), 0) / scale
    return (1 - np.exp(-(distance**power))).astype(np.float32)


def magnify_published(image: np.ndarray, sigma: np.ndarray, config: MagnifyConfig = MagnifyConfig()) -> np.ndarray:
    """Blur the out-of-focus part further and sharpen the rest (equation 12).

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    sigma : (H, W) float32 defocus map, pixels

    Returns
    -------
    float32 in [0, 1], of the image's shape

    Raises
    ------
    ValueError
        If the map does not fit the image, or the image has alpha.
    """
    image = as_opaque_float(image)
    check_map_fits(sigma, image)
    keep = in_focus_weight(sigma, config)
    sharp = image + config.sharpen * (image - cv2.GaussianBlur(image, (0, 0), 1.0).reshape(image.shape))
    blurred = _blur_background(image, 1 - keep, config)
    keep = keep.reshape(*sigma.shape, *(1,) * (image.ndim - 2))
    return np.clip(keep * sharp + (1 - keep) * blurred, 0, 1)


def magnify(
    image: np.ndarray,
    sigma: np.ndarray,
    *,
    aperture_ratio: float = DEFAULT_APERTURE_RATIO,
    sharp_sigma: float | None = None,
    aperture: str = "disk",
) -> np.ndarray:
    """Blur a photograph as a wider aperture would, and keep what is in focus.

    Cut the photograph into 24 layers of blur, thinner where blur is less. Blur each layer, in linear light, by the
    difference between its blur and that of the wider aperture (variances add), and lay it over the layers of more
    blur, which continue behind it, so that the subject does not bleed into the background. Everything blurred counts
    as behind the focal plane, since blur does not tell before from behind.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    sigma : (H, W) float32 defocus map, pixels
    aperture_ratio : ratio of the apertures, 1 to 20: from f/8 to f/2 it is 4
    sharp_sigma : sigma in pixels of what is in focus; it stays as it is. None takes the sigma of the sharpest tenth,
        2 at most (a photograph that is nowhere in focus is blurred all over), and also keeps the pixels that are likely
        in focus (`in_focus`) and two pixels around them: a ratio multiplies the errors of the map, which show most in a
        subject and its outline
    aperture : `disk` or `gaussian`

    Returns
    -------
    float32 in [0, 1], of the image's shape

    Raises
    ------
    ValueError
        If the map does not fit the image, the image has alpha, or a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from defocus_core import magnify
    >>> stripes = np.tile(np.array([0, 1], np.float32), (8, 8))
    >>> sigma = np.full((8, 16), 2, np.float32)
    >>> sigma[:, :4] = 0.3  # the subject
    >>> magnified = magnify(stripes, sigma, aperture_ratio=3)
    >>> np.allclose(magnified[:, :4], stripes[:, :4], atol=1e-5), bool(magnified[:, 8:].std() < 0.1)
    (True, True)
    """
    check_aperture_ratio(aperture_ratio, sharp_sigma)
    sigma = np.asarray(sigma, np.float32)
    check_map_fits(sigma, image)
    if (largest := float(sigma.max())) > max(*sigma.shape, MAX_SIGMA):
        raise ValueError(f"a sigma of {largest:g} pixels is more than the photograph has; give a map in pixels of it")
    kept = min(np.quantile(sigma, SHARPEST_FRACTION), NOTICEABLE_BOUNDS[1]) if sharp_sigma is None else sharp_sigma
    defocus = np.sqrt(np.maximum(sigma**2 - np.float32(kept) ** 2, 0))
    light = srgb_to_linear(as_opaque_float(image)).reshape(*sigma.shape, -1)
    missing = float(np.sqrt(aperture_ratio**2 - 1))
    if sharp_sigma is None:
        chance = in_focus(sigma)
        defocus *= 1 - cv2.dilate(chance, _disk(SUBJECT_MARGIN))
        light = _remove_rim(light, chance > 0.5, added=defocus * missing)
    wider, _ = render_defocus(
        Scene(light, -defocus),
        focus=0,
        sigma_per_disparity=missing,
        layers=-_layer_bounds(defocus, missing),
        aperture=aperture,
    )
    return linear_to_srgb(wider).reshape(image.shape)


def _layer_bounds(defocus: np.ndarray, missing: float) -> np.ndarray:
    """Return the defocus from which on each layer is nearer, falling to what is too little to be blurred.

    The layers are thinner where defocus is less: an eye tells blurs apart by their ratio.
    """
    unseen = MIN_VISIBLE_SIGMA / max(missing, MIN_VISIBLE_SIGMA)
    first, last = np.sqrt([max(float(defocus.max()), unseen), unseen])
    return np.linspace(first, last, LAYER_COUNT) ** 2


def _remove_rim(light: np.ndarray, subject: np.ndarray, *, added: np.ndarray) -> np.ndarray:
    """Give what lies around a subject the colour of what lies farther, where blur is added that would show.

    The light of the subject has spread over it, and would spread on.
    """
    near, rim = (cv2.dilate(subject.astype(np.uint8), _disk(radius)) > 0 for radius in (SUBJECT_MARGIN, RIM_RADIUS))
    if rim.all():
        return light
    spread = rim & ~near & (added > RIM_RADIUS / 2)
    return np.where(spread[:, :, None], fill_nearest(light, ~rim), light)


def _disk(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)


def check_aperture_ratio(aperture_ratio: float, sharp_sigma: float | None) -> None:
    """Raise ValueError unless `magnify` takes these numbers."""
    if not 1 <= aperture_ratio <= 20:
        raise ValueError(f"the aperture is made 1 to 20 times as wide, not {aperture_ratio:g} times")
    if sharp_sigma is not None and not 0 <= sharp_sigma <= 10:
        raise ValueError(f"in_focus is 0 to 10 pixels, not {sharp_sigma:g}")


def _blur_background(image: np.ndarray, background: np.ndarray, config: MagnifyConfig) -> np.ndarray:
    """Blur the background alone, so that the subject does not bleed into it."""
    side = 2 * config.radius + 1
    background = np.maximum(background, np.float32(1e-3))
    channels = cv2.split(image) if image.ndim == 3 else [image]
    around = cv2.GaussianBlur(background, (side, side), 0)
    filled = []
    for channel in channels:
        spread = cv2.GaussianBlur(channel * background, (side, side), 0) / around
        base = background * channel + (1 - background) * spread
        for _ in range(config.iterations):
            base = self_guided_filter(base, radius=config.radius, eps=config.eps)
        filled.append(base)
    return np.dstack(filled).reshape(image.shape)
