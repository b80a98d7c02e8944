"""Choose the two constants of the in-focus probability: python tests/calibrate.py IMAGES MASKS FIRST LAST.

Masks are white where blurred, as CUHK's; what is chosen is printed, and goes into defocus_core/maps.py.
"""

import itertools
import sys

import numpy as np

from defocus_core import benchmark, images, maps, sets

folder, truth, first, last = sys.argv[1:]
errors = {}
for pair in sets.pairs(folder, truth, first=int(first), last=int(last)):
    sigma = maps.estimate(images.read(pair.image))
    sharp = ~benchmark.read_mask(pair.truth, blurred="white")
    for noticeable, slope in itertools.product(np.arange(0.7, 2.01, 0.1), (2, 3, 4, 6, 8, 12)):
        chance = maps.in_focus(sigma, noticeable=noticeable, slope=slope)
        errors.setdefault((noticeable, slope), []).append(np.abs(chance - sharp).mean())
means = {key: float(np.mean(values)) for key, values in errors.items()}
for (noticeable, slope), error in sorted(means.items(), key=lambda item: item[1])[:8]:
    print(f"noticeable {noticeable:.1f}, slope {slope}: mean absolute error {error:.4f}")
