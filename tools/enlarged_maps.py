"""What enlarging a photograph does to its map: python tools/enlarged_maps.py CUHK FOLDER [FIRST LAST].

Photographs of `images` and masks of `masks` in that folder (255 = blurred), by their places in the sorted list (201 to
300 unless given), as they are, enlarged twice and three times: accuracy and AP of the map, then of the in-focus
probability accuracy by one threshold, MAE and F. With all sizes alike, and by default.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from defocus_core.evaluation.benchmark import read_mask
from defocus_core.evaluation.benchmark_sets import pair_images
from defocus_core.evaluation.metrics import Detection
from defocus_core.io.read import read_for_measuring
from defocus_core.maps.config import MapConfig
from defocus_core.maps.focus import in_focus
from defocus_core.maps.pipeline import estimate_with_certainty

FACTORS = (1, 2, 3)
VARIANTS = {"all sizes alike": MapConfig(judge_oversampling=False), "default": MapConfig()}


def out_of_focus(photograph: np.ndarray, factor: int, config: MapConfig) -> tuple[np.ndarray, ...]:
    """Return the map of an enlarged photograph and where it is out of focus, in the size of the photograph."""
    size = photograph.shape[1::-1]
    enlarged = cv2.resize(photograph, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    sigma, certainty = estimate_with_certainty(enlarged, config=config)
    blurred = 1 - in_focus(sigma, certainty=certainty)
    return tuple(cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (sigma, blurred))


if __name__ == "__main__":
    folder, first, last = Path(sys.argv[1]), *map(int, sys.argv[2:] or (201, 300))
    pairs = pair_images(folder / "images", folder / "masks", first=first, last=last)
    for factor in FACTORS:
        for name, config in VARIANTS.items():
            maps, probabilities = Detection(), Detection(top=1.0)
            for pair in pairs:
                mask = read_mask(pair.truth, blurred_value="white")
                sigma, blurred = out_of_focus(read_for_measuring(pair.image), factor, config)
                maps.add(pair.name, sigma, mask)
                probabilities.add(pair.name, blurred, mask)
            whole, decided = maps.summary(), probabilities.summary()
            row = [whole["accuracy"], whole["ap_blurred"]]
            row += [decided[key] for key in ("accuracy_one_threshold", "mae", "max_f")]
            print(f"x{factor} {name}: " + " ".join(f"{value:.4f}" for value in row), flush=True)
