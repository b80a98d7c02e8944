"""Choose the constants of the in-focus probability: python tools/calibrate.py IMAGES MASKS FIRST LAST.

Masks are white where blurred, as CUHK's. The settings of the largest F less mean absolute error are printed,
best first; what is chosen goes into defocus_core/maps/focus.py.
"""

import itertools
import sys

import numpy as np

from defocus_core.evaluation import benchmark, metrics
from defocus_core.evaluation.benchmark_sets import pair_images
from defocus_core.io.read import read_for_measuring
from defocus_core.maps.focus import in_focus
from defocus_core.maps.pipeline import estimate

folder, truth, first, last = sys.argv[1:]
scores = {}
for pair in pair_images(folder, truth, first=int(first), last=int(last)):
    sigma = estimate(read_for_measuring(pair.image))
    blurred = benchmark.read_mask(pair.truth, blurred_value="white")
    for key in itertools.product((0.4, 0.5, 0.6), (1.5, 2.0, 3.0), (16, 24, 32), (1.0, 1.25, 1.5, np.inf)):
        least, most, slope, core = key
        chance = in_focus(sigma, bounds=(least, most), slope=slope, core=core)
        scores.setdefault(key, metrics.Detection(top=1.0)).add(pair.name, 1 - chance, blurred)
found = [(key, score.summary()) for key, score in scores.items()]
for (least, most, slope, core), row in sorted(found, key=lambda item: item[1]["mae"] - item[1]["max_f"])[:12]:
    print(
        f"noticeable {least} to {most}, slope {slope}, core {core}: F {row['max_f']:.4f}, "
        f"mean absolute error {row['mae']:.4f}, one threshold {row['accuracy_one_threshold']:.4f}"
    )
