"""Decide which of two shots is sharper at each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.applications.fusion.vote_network import network_votes
from defocus_core.blur.sigma_scale import MIN_SIGMA
from defocus_core.io.arrays import STRIP_ROWS, shrunken_size, strips
from defocus_core.io.color import to_grey
from defocus_core.maps.pipeline import estimate
from defocus_core.maps.refine.least_squares import propagate
from defocus_core.networks.classifier import Classifier

MIN_DETAIL = np.float32(1e-4)  # detail, in grey levels of 0..1, below which more or less of it tells nothing
SAME_SIGMA = np.float32(0.01)  # pixels of sigma within which two shots of the same detail are equals
MIN_VEIL_RADIUS = 15  # pixels
MIN_SHARPER, MIN_MORE_BLUR = 2.0, 1.5  # ratios of detail and of sigma from which an edge spreads from another shot
MIN_BLURRED_SIGMA = 7.0  # pixels from which neither of two shots is in focus, or a quarter of how far a veil reaches
KEEP_WEIGHT = np.float32(0.02)  # of the vote to keep what is chosen there
MIN_WEIGHT = np.float32(1e-3)  # weight of a pixel that has no vote
FLAT_FACTOR = np.float32(2.5)  # times the noise, below which detail and differences of two shots are no more than it
MEAN_SIGMA = 3.0  # pixels of the Gaussian over which flat ground is compared
BRIGHT_NOISE = np.float32(2)  # times the noise of the flattest parts: that of brighter ones
MAX_FLAT_DETAIL = np.float32(10 / 255)  # grey levels of 0..1 from which nothing is flat, however much noise there is
MISMATCHED_WEIGHT = np.float32(1e-4)  # factor of the weight of votes in flat ground of shots of different exposure
MAX_DECISION_PIXELS = 6.5e6  # of a shot whose decision is made at every pixel
MAX_MAP_PIXELS = 5e5  # of the copy that the defocus map is made of


@dataclass(frozen=True)
class FusionConfig:
    """Settings of fusion; the defaults were chosen on composites of Kodak's photographs and on rendered stacks.

    Parameters
    ----------
    detail_sigma : sigma in pixels of the Gaussian whose residue is the detail of a shot
    gather_sigma : sigma in pixels of the Gaussian that gathers detail of two shots; of more, which differ less from
        one to the next, it is twice as wide
    vote_gain : of the logarithm of the ratio of details in the vote for the shot with more
    noise_factor : detail votes as far as it exceeds this many times that of the flattest fiftieth of the shots
    veil_reach : fraction of the image's longer side, but at least 15 pixels, around a pixel within which its detail
        counts as a fraction of the largest: beside a strong edge, the veil of a defocused one hardly votes
    network_weight : weight of the votes of a network that sees detail and the defocus maps (`network_votes`), against
        1 of detail; 0 does without it
    smoothness, contrast : see `propagate`, which settles the votes
    seam_sigma : sigma in pixels of the Gaussian that blends shots where they meet; 0 copies all that has detail from
        one shot. None mixes both shots where the choice is close
    """

    detail_sigma: float = 1.5
    gather_sigma: float = 1.0
    vote_gain: float = 4.0
    noise_factor: float = 4.0
    veil_reach: float = 0.02
    network_weight: float = 2.0
    smoothness: float = 5.0
    contrast: float = 0.03
    seam_sigma: float | None = None

    def __post_init__(self) -> None:
        if self.seam_sigma is not None and not 0 <= self.seam_sigma < 100:
            raise ValueError(f"seam is 0 to 100 pixels, not {self.seam_sigma:g}")


def decision_step(shape: tuple[int, int]) -> int:
    """Return how many pixels of a shot, a side, share one pixel of the decision: 1 up to 6.5 megapixels, then 2, 4."""
    step = 1
    while shape[0] * shape[1] > MAX_DECISION_PIXELS * step**2:
        step *= 2
    return step


def focus_measures(
    image: np.ndarray, *, model: Classifier | str | None = None, config: FusionConfig = FusionConfig(), step: int = 1
) -> np.ndarray:
    """Return the focus measures of a shot: grey level, detail, sigma in pixels, (3, H / step, W / step) float32.

    Detail is measured in full size. The defocus map is made from a copy of half a megapixel at most.
    """
    height, width = image.shape[0] // step, image.shape[1] // step
    measures = np.empty((3, height, width), np.float32)
    for rows in strips(height, STRIP_ROWS // step):
        of_shot = slice(rows.start * step, rows.stop * step)
        measures[:2, rows] = _measure_strip(image, of_shot, config, step=step)
    measures[1] = cv2.GaussianBlur(measures[1], (0, 0), config.gather_sigma / step)
    measures[2] = _sigma(image, (width, height), model)
    return measures


def _measure_strip(
    image: np.ndarray, strip: slice, config: FusionConfig, *, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return grey levels and detail of some rows, shrunken by a step; the rows around them count in the detail."""
    top, bottom, reach = strip.start, strip.stop, int(np.ceil(4 * config.detail_sigma))
    above = min(reach, top)
    grey = to_grey(image[top - above : bottom + reach])
    detail = cv2.absdiff(grey, cv2.GaussianBlur(grey, (0, 0), config.detail_sigma))
    width = image.shape[1] // step * step
    grey, detail = (plane[above : above + bottom - top, :width] for plane in (grey, detail))
    if step == 1:
        return grey, detail
    size = (width // step, (bottom - top) // step)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA), cv2.resize(detail, size, interpolation=cv2.INTER_AREA)


def _sigma(image: np.ndarray, size: tuple[int, int], model: Classifier | str | None) -> np.ndarray:
    """Return the defocus map of a small copy, in pixels of the shot, at a size of width and height."""
    factor = max(1.0, float(np.sqrt(image.shape[0] * image.shape[1] / MAX_MAP_PIXELS)))
    if factor > 1:
        image = cv2.resize(image, shrunken_size(image.shape, factor), interpolation=cv2.INTER_AREA)
    sigma = estimate(image, model=model) * np.float32(factor)
    return sigma if sigma.shape[::-1] == size else cv2.resize(sigma, size, interpolation=cv2.INTER_LINEAR)


def decision_field(
    shot: np.ndarray,
    other: np.ndarray,
    *,
    config: FusionConfig = FusionConfig(),
    step: int = 1,
    same_exposure: bool = True,
) -> np.ndarray:
    """Decide where one shot is sharper than another, and how clearly.

    Detail votes for the shot that has more of it, as far as the two shots differ; detail that is hardly more than noise
    hardly votes. So does a network that sees detail and the defocus maps of both. Least squares settle the votes over
    the image, whose decision changes sides at edges of their mean rather than elsewhere.

    Parameters
    ----------
    shot, other : of `focus_measures`
    step : of `focus_measures`
    same_exposure : whether the shots of the stack have one exposure (`exposures_differ`). Otherwise a seam in flat
        ground would show, and what lies around it decides there

    Returns
    -------
    (H, W) float32 in [-1, 1], above 0 where the shot is sharper
    """
    votes, weight = _votes(shot, other, config, step)
    if not same_exposure:
        weight[flat_ground(shot, other, config)] *= MISMATCHED_WEIGHT
    return propagate(
        votes,
        weight,
        (shot[0] + other[0]) / 2,
        smoothness=config.smoothness / step**2,
        contrast=config.contrast,
        tiled=True,
    )


def _votes(shot: np.ndarray, other: np.ndarray, config: FusionConfig, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each pixel -1 to 1, for the one shot where positive, and the weight of that."""
    noise = pair_noise(shot, other, config)
    pull, weight = _measured_votes(shot, other, noise, config)
    if config.network_weight:
        learned, learned_weight = _learned_votes(shot, other, noise, config.network_weight, step)
        pull += learned_weight * learned
        weight += learned_weight
    nowhere = _out_of_focus(np.minimum(shot[2], other[2]), config.veil_reach)
    keep = nowhere * KEEP_WEIGHT
    pull = (1 - nowhere) * pull - keep
    weight = (1 - nowhere) * weight + keep + MIN_WEIGHT / 10
    return pull / weight, weight


def _measured_votes(
    shot: np.ndarray, other: np.ndarray, noise: np.float32, config: FusionConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return the votes of detail times their weights, and the weights."""
    (_, detail, sigma), (_, detail_there, sigma_there) = shot, other
    own = _unexplained(detail, detail_there, noise, sigma / (sigma_there + MIN_SIGMA), config.veil_reach)
    own_there = _unexplained(detail_there, detail, noise, sigma_there / (sigma + MIN_SIGMA), config.veil_reach)
    more = _compare((own + noise) / (own_there + noise), config.vote_gain)
    stake = _detail_fraction(np.maximum(detail, detail_there), noise, config.veil_reach) ** 2
    weight = stake * np.abs(more)
    return weight * more, weight + MIN_WEIGHT


def _learned_votes(
    shot: np.ndarray, other: np.ndarray, noise: np.float32, most: float, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the network's votes and their weight: none for equals, none in noise, which would tear flat ground."""
    (_, detail, sigma), (_, detail_there, sigma_there) = shot, other
    votes = network_votes(shot, other, noise, step=step)
    votes *= (np.abs(detail - detail_there) > MIN_DETAIL) | (np.abs(sigma - sigma_there) > SAME_SIGMA)
    weight = np.float32(most) * np.abs(votes)
    weight *= np.maximum(detail, detail_there) > noise / 2
    return votes, weight


def _out_of_focus(sigma: np.ndarray, reach: float) -> np.ndarray:
    """Return how far a blur is out of focus, 0 to 1: there, edges tell nothing, and the choice so far is kept whole."""
    limit = np.float32(max(MIN_BLURRED_SIGMA, reach / 4 * max(sigma.shape)))
    return np.clip(sigma / limit * 5 - 4, 0, 1)


def _compare(ratio: np.ndarray, gain: float) -> np.ndarray:
    """Return tanh(gain * log(ratio)), -1 to 1."""
    power = np.minimum(ratio, 100) ** np.float32(2 * gain)
    return (power - 1) / (power + 1)


def _unexplained(
    detail: np.ndarray, detail_there: np.ndarray, noise: np.float32, blur: np.ndarray, reach: float
) -> np.ndarray:
    """Return the detail of a shot that no sharper edge of the other one explains.

    An edge that the other shot has twice as sharp spreads in this one: around it, as much detail as this shot has on
    such an edge is its veil, where this shot has more blur by the defocus maps (`blur` is their ratio).
    """
    sharper_there = detail_there + noise > MIN_SHARPER * (detail + noise)
    veil = cv2.dilate(np.where(sharper_there, detail, np.float32(0)), _window(detail.shape, reach))
    return np.where(blur > MIN_MORE_BLUR, np.maximum(detail - veil, 0), detail)


def _window(shape: tuple[int, ...], reach: float) -> np.ndarray:
    radius = max(MIN_VEIL_RADIUS, round(reach * max(shape)))
    return cv2.getStructuringElement(cv2.MORPH_RECT, (2 * radius + 1,) * 2)


def _detail_fraction(detail: np.ndarray, noise: np.float32, reach: float) -> np.ndarray:
    """Return detail, over noise, as a fraction of the largest around each pixel.

    The blurred edge of a defocused thing has a gradient where the sharp shot is flat; the sharp edge beside it tells
    more.
    """
    return (detail + noise) / (cv2.dilate(detail, _window(detail.shape, reach)) + noise)


def pair_noise(shot: np.ndarray, other: np.ndarray, config: FusionConfig = FusionConfig()) -> np.float32:
    """Return the detail of two shots, by their `focus_measures`, that is hardly more than noise."""
    return np.float32(MIN_DETAIL + config.noise_factor * min(noise_level(shot[1]), noise_level(other[1])))


def find_alike(shot: np.ndarray, other: np.ndarray, *, step: int = 1) -> np.ndarray:
    """Return where two shots show the same flat ground, whose mean has less noise than either.

    Neither has more detail there than noise, nor do their means around a pixel differ by more.

    Parameters
    ----------
    shot, other : of `focus_measures`
    step : of `focus_measures`

    Returns
    -------
    (H, W) bool
    """
    (grey, detail, _), (grey_there, detail_there, _) = shot, other
    limit = FLAT_FACTOR * min(noise_level(detail), noise_level(detail_there))
    apart = np.abs(cv2.GaussianBlur(grey - grey_there, (0, 0), MEAN_SIGMA / step))
    return (detail < limit) & (detail_there < limit) & (apart < limit)


def flat_ground(shot: np.ndarray, other: np.ndarray, config: FusionConfig) -> np.ndarray:
    """Return where neither of two shots has detail that is clearly more than noise, also noise of brighter parts."""
    limit = min(BRIGHT_NOISE * pair_noise(shot, other, config), MAX_FLAT_DETAIL)
    return np.maximum(shot[1], other[1]) < limit


def noise_level(detail: np.ndarray) -> np.float32:
    """Return the detail below which a fiftieth of a shot lies: there, hardly anything but its noise.

    What has no detail at all, being clipped or a frame, has no noise either and does not count.
    """
    detail = detail[::4, ::4]
    detail = detail[detail > MIN_DETAIL / 10]
    return np.float32(np.quantile(detail, 0.02)) if detail.size else np.float32(0)
