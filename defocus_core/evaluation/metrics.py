"""Scores: of level classification, of defocus maps, and of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy.stats import spearmanr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from defocus_core.blur.kernels import gaussian_blur

BINS = 1024


def classification_scores(logits: np.ndarray, level: np.ndarray, sigmas: np.ndarray) -> dict:
    """Score level classification.

    Parameters
    ----------
    logits : (N, levels) float
    level : (N,) true level
    sigmas : (levels,) sigma of each level, in pixels

    Returns
    -------
    dict with `accuracy`, `within_one` (share at most one level off), `mae_sigma` (of the
    likeliest level), `mae_sigma_expected` (of the expected sigma), both in pixels,
    `precision`, `recall`, `f1` (lists, one a level) and `confusion` (true x predicted)
    """
    predicted = logits.argmax(1)
    chances = np.exp(logits - logits.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    labels = np.arange(len(sigmas))
    precision, recall, f1, _ = precision_recall_fscore_support(level, predicted, labels=labels, zero_division=0)
    return {
        "accuracy": float((predicted == level).mean()),
        "within_one": float((np.abs(predicted.astype(int) - level) <= 1).mean()),
        "mae_sigma": float(np.abs(sigmas[predicted] - sigmas[level]).mean()),
        "mae_sigma_expected": float(np.abs(chances @ sigmas - sigmas[level]).mean()),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "confusion": confusion_matrix(level, predicted, labels=labels).tolist(),
    }


def move_to_levels(logits: np.ndarray, sigmas: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return what a model of some levels says of others: each level's probability goes to the nearest of these.

    Parameters
    ----------
    logits : (N, levels) float
    sigmas : (levels,) sigma of each level of the model, pixels
    others : (other levels,) sigma of each of the other levels, pixels

    Returns
    -------
    (N, other levels) logits; the same array where the levels are the same
    """
    if np.array_equal(sigmas, others):
        return logits
    nearest = np.abs(sigmas[:, None] - others[None]).argmin(1)
    chances = np.exp(logits - logits.max(1, keepdims=True)) @ np.eye(len(others))[nearest]
    return np.log(np.maximum(chances, 1e-12))


@dataclass
class Detection:
    """Scores of blur maps against binary masks, image by image in bounded memory.

    Every map is scaled to [0, 1] between its own minimum and maximum; thresholds are the edges of
    `BINS` equal bins. Positive is *blurred*, but for the F measure, where it is *sharp*, as the
    field's papers have it.

    Parameters
    ----------
    top : of maps that have a unit, the value up to which one threshold for all images is looked for, on the
        maps as they are; None is for maps without a unit, where it is looked for on the scaled ones
    """

    top: float | None = None
    rows: list[dict] = field(default_factory=list)
    _sums: np.ndarray = field(default_factory=lambda: np.zeros((3, BINS)))

    def add(self, name: str, values: np.ndarray, blurred: np.ndarray) -> None:
        """Add one image.

        Parameters
        ----------
        name : of the image
        values : (H, W) float, higher is more blurred
        blurred : (H, W) bool, or numbers that are 0 where sharp
        """
        blurred = np.asarray(blurred, bool)
        if values.shape != blurred.shape:
            raise ValueError(f"{name}: a map of {values.shape} against a mask of {blurred.shape}")
        scaled = _min_max_scale(values)
        positive, negative = _histograms(scaled, blurred, 0.0, 1.0)
        compared = scaled if self.top is None else values
        one_threshold = _accuracies(*_histograms(compared, blurred, 0.0, self.top or 1.0))
        true_positive = positive[::-1].cumsum()[::-1]  # called blurred at a threshold: at or above it
        false_positive = negative[::-1].cumsum()[::-1]
        true_negative = negative.sum() - false_positive
        false_negative = positive.sum() - true_positive
        precision = true_negative / np.maximum(true_negative + false_negative, 1)
        recall = true_negative / max(negative.sum(), 1)
        self._sums += [one_threshold, precision, recall]
        self.rows.append(
            {
                "image": name,
                "accuracy": float(_accuracies(positive, negative).max()),
                "ap_blurred": _average_precision(positive, negative),
                "mae": float(np.abs(scaled - blurred).mean()),
            }
        )

    def summary(self) -> dict[str, float]:
        """Return the means over images.

        `accuracy`: at the best threshold of each image (an oracle, as published).
        `accuracy_one_threshold`: at the one threshold that is best for the whole set, and
        `threshold`, where it lies. `mae`: mean. `ap_blurred`: mean over images that have any blur.
        `max_f`: largest F with beta^2 = 0.3 of the mean precision and recall of *sharp*; without a
        sharp pixel the recall of a photograph is 0.
        """
        one_threshold, precision, recall = self._sums / len(self.rows)
        f = 1.3 * precision * recall / np.maximum(0.3 * precision + recall, 1e-12)
        return {
            "accuracy": float(np.mean([row["accuracy"] for row in self.rows])),
            "accuracy_one_threshold": float(one_threshold.max()),
            "threshold": float(one_threshold.argmax() * (self.top or 1.0) / BINS),
            "ap_blurred": float(np.nanmean([row["ap_blurred"] for row in self.rows])),
            "mae": float(np.mean([row["mae"] for row in self.rows])),
            "max_f": float(f.max()),
            "images": len(self.rows),
        }

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean precision and recall of *sharp*, each (`BINS`,), over thresholds."""
        _, precision, recall = self._sums / len(self.rows)
        return precision, recall

    def state(self) -> dict:
        """Return all of it as what JSON can hold, for `merged`."""
        return {"top": self.top, "rows": self.rows, "sums": self._sums.tolist()}

    @classmethod
    def merged(cls, states: Sequence[dict]) -> Detection:
        """Return the scores of all the images that some scores were added up from, by name of image."""
        rows = sorted((row for state in states for row in state["rows"]), key=lambda row: row["image"])
        return cls(states[0]["top"], rows, np.sum([state["sums"] for state in states], 0))


def sigma_errors(values: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Score a map against a known sigma map.

    Parameters
    ----------
    values, truth : (H, W) float, pixels of sigma; where `truth` is NaN nothing is scored

    Returns
    -------
    dict with `mae` and `rmse` in pixels, `mse` in squared pixels and `correlation` (Pearson)

    Examples
    --------
    >>> scores = sigma_errors(np.array([[1.0, 2.0]]), np.array([[1.5, 2.5]]))
    >>> scores["mae"], scores["mse"], round(scores["correlation"], 6)
    (0.5, 0.25, 1.0)
    """
    known = np.isfinite(truth)
    v, t = values[known].astype(np.float64), truth[known].astype(np.float64)
    flat = v.std() < 1e-12 or t.std() < 1e-12
    return {
        "mae": float(np.abs(v - t).mean()),
        "rmse": float(np.sqrt(((v - t) ** 2).mean())),
        "mse": float(((v - t) ** 2).mean()),
        "correlation": 0.0 if flat else float(np.corrcoef(v, t)[0, 1]),
    }


def distance_errors(values: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Score distances against true ones.

    Parameters
    ----------
    values, truth : (H, W) float, m; infinite values are allowed

    Returns
    -------
    dict with `mae_dioptres` (of the inverse distance, 1/m, in which blur is linear), `median_error`
    (relative to the true distance) and `within_quarter` (share of pixels whose distance is less than
    1.25 times too large or too small, Eigen et al., NeurIPS 2014)
    """
    ours, true = 1 / values.astype(np.float64), 1 / truth.astype(np.float64)
    ratio = np.ones_like(true)  # of two infinite distances
    with np.errstate(divide="ignore"):
        np.divide(true, ours, out=ratio, where=ours != true)
        larger = np.maximum(ratio, 1 / ratio)
    return {
        "mae_dioptres": float(np.abs(ours - true).mean()),
        "median_error": float(np.median(np.abs(ratio - 1))),
        "within_quarter": float((larger < 1.25).mean()),
    }


def rank_correlation(values: np.ndarray, others: np.ndarray) -> float:
    """Return Spearman's correlation of two maps of one shape; 0 where one of them is constant."""
    if np.ptp(values) == 0 or np.ptp(others) == 0:
        return 0.0
    return float(spearmanr(values.ravel(), others.ravel()).statistic)


def matched_sigma(
    image: np.ndarray, sharp: np.ndarray, sigmas: np.ndarray, *, window: float = 8.0, texture: float = 0.02
) -> np.ndarray:
    """Measure the blur of an image of which the sharp original is known.

    Parameters
    ----------
    image, sharp : (H, W) float32 in [0, 1]
    sigmas : (N,) candidates in pixels: the Gaussian blurs of `sharp` to compare with
    window : sigma in pixels of the Gaussian over which they are compared
    texture : standard deviation in the window below which nothing can be told

    Returns
    -------
    (H, W) float32, the closest candidate around each pixel; NaN where there is no texture
    """

    def around(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (0, 0), window)

    errors = [around((gaussian_blur(sharp, float(sigma)) - image) ** 2) for sigma in sigmas]
    closest = np.asarray(sigmas, np.float32)[np.argmin(errors, 0)]
    variance = around(sharp * sharp) - around(sharp) ** 2
    return np.where(variance > texture**2, closest, np.float32(np.nan))


def overshoot(image: np.ndarray, truth: np.ndarray, *, window: int = 7, edges: float = 0.05) -> float:
    """Return how far an image leaves the range that the truth has around an edge: halos.

    Parameters
    ----------
    image, truth : (H, W) float32 in [0, 1]
    window : side in pixels of the window whose least and largest true value bound the range
    edges : share of pixels, those of the steepest true gradient, over which the mean is taken

    Returns
    -------
    mean excess, as a share of the full scale
    """
    around = np.ones((window, window), np.uint8)
    excess = np.maximum(image - cv2.dilate(truth, around), cv2.erode(truth, around) - image)
    slope = np.hypot(cv2.Sobel(truth, cv2.CV_32F, 1, 0), cv2.Sobel(truth, cv2.CV_32F, 0, 1))
    return float(np.maximum(excess, 0)[slope >= np.quantile(slope, 1 - edges)].mean())


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in dB of images in [0, 1]; equal images give 99.

    Examples
    --------
    >>> round(psnr(np.full((4, 4), 0.6), np.full((4, 4), 0.5)), 6)
    20.0
    """
    if np.array_equal(image, truth):
        return 99.0
    return float(peak_signal_noise_ratio(truth, image, data_range=1))


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Return structural similarity (Wang et al. 2004: 11x11 Gaussian of sigma 1.5) of images in [0, 1]."""
    return float(structural_similarity(truth, image, **_ssim_options(image)))


def ssim_map(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the similarity of `ssim` around each pixel, of the shape of the images."""
    return structural_similarity(truth, image, full=True, **_ssim_options(image))[1]


def by_part(image: np.ndarray, truth: np.ndarray, parts: dict[str, np.ndarray]) -> dict[str, float]:
    """Score parts of an image by themselves.

    Parameters
    ----------
    image, truth : (H, W) or (H, W, 3) float32 in [0, 1]
    parts : name -> (H, W) bool

    Returns
    -------
    dict with `psnr_NAME` and `ssim_NAME` of each part, NaN for a part without a pixel
    """
    similarity = ssim_map(image, truth)
    scores = {}
    for name, inside in parts.items():
        some = inside.any()
        scores[f"psnr_{name}"] = psnr(image[inside], truth[inside]) if some else float("nan")
        scores[f"ssim_{name}"] = float(similarity[inside].mean()) if some else float("nan")
    return scores


def _ssim_options(image: np.ndarray) -> dict:
    return {
        "data_range": 1,
        "channel_axis": 2 if image.ndim == 3 else None,
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
    }


def _min_max_scale(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-12:
        return np.zeros(values.shape, np.float32)
    return (values - low) / (high - low)


def _histograms(values: np.ndarray, blurred: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    index = np.clip((values - low) * (BINS / (high - low)), 0, BINS - 1).astype(np.int32)
    return np.bincount(index[blurred], minlength=BINS), np.bincount(index[~blurred], minlength=BINS)


def _accuracies(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Return the accuracy at every threshold: blurred is what lies at or above it."""
    right = positive[::-1].cumsum()[::-1] + negative.sum() - negative[::-1].cumsum()[::-1]
    return right / (positive.sum() + negative.sum())


def _average_precision(positive: np.ndarray, negative: np.ndarray) -> float:
    if not positive.sum():
        return float("nan")
    hits, misses = positive[::-1].cumsum(), negative[::-1].cumsum()
    precision = hits / np.maximum(hits + misses, 1)
    return float((precision * positive[::-1]).sum() / positive.sum())
