"""Choose the constants of the in-focus probability: python tests/calibrate.py IMAGES MASKS FIRST LAST.

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
    for least, most in itertools.product((0.5, 0.6, 0.7), (1.2, 1.5, 2.0, 3.0)):
        noticeable = maps.just_noticeable(sigma, bounds=(least, most))
        for slope in (8, 12, 16, 24, 32):
            chance = maps.in_focus(sigma, noticeable=noticeable, slope=slope)
            errors.setdefault((least, most, slope), []).append(np.abs(chance - sharp).mean())
means = {key: float(np.mean(values)) for key, values in errors.items()}
for (least, most, slope), error in sorted(means.items(), key=lambda item: item[1])[:8]:
    print(f"noticeable {least} to {most}, slope {slope}: mean absolute error {error:.4f}")
