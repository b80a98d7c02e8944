"""Whether the subject of a photograph is in focus, told by one number: this project's and others'."""

from __future__ import annotations

import functools
import importlib.util
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from skimage.measure import blur_effect
from sklearn.metrics import roc_auc_score

from defocus_core.applications.score.measure import score
from defocus_core.blur.kernels import disk_blur, gaussian_blur, motion_blur
from defocus_core.blur.rendering import random_blob
from defocus_core.evaluation.experiments.setup import Panels, Setup
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.io.color import as_float, to_dtype, to_grey

COLUMNS = 5
SUBJECT_SHARE = 0.25  # of the frame
MIN_BACKGROUND_SIGMA = 4.0  # pixels
NO_SCORE = 99.0  # of a photograph in which nothing tells of blur: it counts as the most blurred
JPEG_QUALITY, NOISE, FAINT_NOISE = 50, 8 / 255, 1 / 255
ALL = "all but enlarged"

Measure = Callable[[np.ndarray], float]  # of a (H, W, 3) uint8 photograph; higher is more blurred


@dataclass(frozen=True)
class Case:
    """A photograph whose subject has a known blur.

    Parameters
    ----------
    image : (H, W, 3) uint8
    condition : what else was done to it
    kernel : `none`, `gaussian`, `disk` or `motion`
    sigma : of the kernel, pixels, of motion along it; 0 is in focus
    """

    image: np.ndarray
    condition: str
    kernel: str
    sigma: float


def run(
    setup: Setup,
    *,
    sigmas: Sequence[float],
    min_sigma: float,
    size: int,
    limit: int,
    folders: Sequence[str] | None = None,
) -> tuple[pd.DataFrame, Panels]:
    """Blur sharp photographs in several ways and conditions, and rank them by one number each.

    Parameters
    ----------
    sigmas : of the blurs, pixels
    min_sigma : least of them that counts as out of focus
    size : side of a photograph, pixels
    limit : photographs of each folder
    folders : of sharp photographs; None takes four that scikit-image carries

    Returns
    -------
    One row a condition, kernel and method: `auc` and `auc_at_least`, the area under the ROC curve of "the subject is
    in focus" against all blurs from `min_sigma` on, and against that one; `spearman`, of the number and the true
    sigma. And panels
    """
    photographs = _photographs(size, limit, folders)
    methods = available_methods(setup)
    rows: list[dict] = []
    panels: Panels = []
    for case in cases(photographs, sigmas, seed=setup.seed):
        numbers = {name: method(case.image) for name, method in methods.items()}
        known = {"condition": case.condition, "kernel": case.kernel, "sigma": case.sigma}
        rows += [{**known, "method": name, "value": value} for name, value in numbers.items()]
        if len(panels) < 4 * COLUMNS and case.sigma in (0, max(sigmas)):
            panels.append((f"{case.condition}, {case.sigma:g}: {numbers['score']:.2f}", case.image))
    return summary(pd.DataFrame(rows), min_sigma), panels


def available_methods(setup: Setup) -> dict[str, Measure]:
    """Return the measures by name; that of cleanvision where it is installed."""
    found: dict[str, Measure] = {
        "score": lambda image: _or_none(score(image, model=setup.model).sharpest_sigma),
        "laplacian_variance": lambda image: -float(cv2.Laplacian(to_grey(image), cv2.CV_32F).var()),
        "blur_effect": lambda image: float(blur_effect(to_grey(image))),
    }
    if importlib.util.find_spec("cleanvision"):
        found["cleanvision"] = _cleanvision
    return found


def summary(each: pd.DataFrame, min_sigma: float) -> pd.DataFrame:
    """Return the scores of `run` from one row a case and method: `condition`, `kernel`, `sigma`, `method`, `value`."""
    whole = each[each.condition != "enlarged"].assign(condition=ALL)
    rows = []
    for (condition, method), group in pd.concat([whole, each]).groupby(["condition", "method"], sort=False):
        sharp = group[group.sigma == 0]
        for kernel in [name for name in group.kernel.unique() if name != "none"]:
            blurred = group[(group.kernel == kernel) & (group.sigma >= min_sigma)]
            ranked = pd.concat([sharp, group[group.kernel == kernel]])
            rows.append(
                {
                    "condition": condition,
                    "kernel": kernel,
                    "method": method,
                    "auc": _auc(sharp.value, blurred.value),
                    "auc_at_least": _auc(sharp.value, blurred.value[blurred.sigma == blurred.sigma.min()]),
                    "spearman": ranked.value.corr(ranked.sigma, method="spearman"),
                }
            )
    return pd.DataFrame(rows)


def cases(photographs: Sequence[np.ndarray], sigmas: Sequence[float], *, seed: int) -> Iterator[Case]:
    """Yield every photograph in every condition, in focus and blurred by every kernel and sigma.

    Parameters
    ----------
    photographs : (H, W, 3) float32 RGB in [0, 1], of one size
    """
    for index, image in enumerate(photographs):
        behind = photographs[(index + 1) % len(photographs)]
        for kernel, sigma in [("none", 0.0), *itertools.product(("gaussian", "disk", "motion"), sigmas)]:
            rng = np.random.default_rng([seed, index])  # the same subject, direction and noise for every blur
            subject = random_blob(image.shape[:2], rng, share=SUBJECT_SHARE)
            blur = functools.partial(_blur, kernel=kernel, sigma=sigma, angle=float(rng.uniform(0, np.pi)))
            far = gaussian_blur(behind, max(MIN_BACKGROUND_SIGMA, 1.5 * sigma))
            for condition, made in _conditions(image, far, subject, blur, rng):
                yield Case(to_dtype(made, np.uint8), condition, kernel, sigma)


def _conditions(
    image: np.ndarray,
    background: np.ndarray,
    subject: np.ndarray,
    blur: Callable[[np.ndarray], np.ndarray],
    rng: np.random.Generator,
) -> Iterator[tuple[str, np.ndarray]]:
    blurred = blur(image)
    yield "as it is", blurred
    yield "noise", _with_noise(blurred, NOISE, rng)
    yield "JPEG", _through_jpeg(blurred)
    yield "low contrast", 0.45 + 0.15 * (blurred - 0.5)
    yield "dark", _with_noise(0.02 + 0.15 * blurred, FAINT_NOISE, rng)
    coverage = subject.astype(np.float32)[:, :, None]
    layer = blur(np.concatenate([image * coverage, coverage], 2))
    colour, coverage = layer[:, :, :3], layer[:, :, 3:]
    yield "dark backdrop", _with_noise(colour + (1 - coverage) * 0.02, FAINT_NOISE, rng)
    yield "pale backdrop", _with_noise(colour + (1 - coverage) * 0.95, FAINT_NOISE, rng)
    yield "blurred background", colour + (1 - coverage) * background
    quarter = image.shape[0] // 4
    middle = blurred[quarter:-quarter, quarter:-quarter]
    yield "enlarged", cv2.resize(middle, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def _blur(image: np.ndarray, *, kernel: str, sigma: float, angle: float) -> np.ndarray:
    if kernel == "motion":
        return motion_blur(image, sigma, angle)
    return disk_blur(image, sigma) if kernel == "disk" else gaussian_blur(image, sigma)


def _with_noise(image: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    return image + rng.normal(0, deviation, image.shape[:2]).astype(np.float32)[:, :, None]


def _through_jpeg(image: np.ndarray) -> np.ndarray:
    data = cv2.imencode(".jpg", to_dtype(image, np.uint8), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return as_float(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))


def _photographs(size: int, limit: int, folders: Sequence[str] | None) -> list[np.ndarray]:
    return [image for folder in folders or [""] for image in center_squares(size, folder, limit=limit)]


def _or_none(sigma: float) -> float:
    return NO_SCORE if np.isnan(sigma) else sigma


def _auc(sharp: pd.Series, blurred: pd.Series) -> float:
    return float(roc_auc_score([0] * len(sharp) + [1] * len(blurred), [*sharp, *blurred]))


def _cleanvision(image: np.ndarray) -> float:
    """Return the blurriness of cleanvision 0.3 with the sign turned; the photograph is not resized, as it is small."""
    from cleanvision.issue_managers.image_property import calc_blurriness  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    return -float(calc_blurriness(Image.fromarray(image).convert("L")))
