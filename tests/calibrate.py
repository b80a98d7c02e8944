"""Choose the constants of the in-focus probability: python tests/calibrate.py IMAGES MASKS FIRST LAST.

Masks are white where blurred, as CUHK's. The settings of the largest F less mean absolute error are printed,
best first; what is chosen goes into defocus_core/focus.py.
"""

import itertools
import sys

from defocus_core import benchmark, focus, images, maps, metrics, sets

folder, truth, first, last = sys.argv[1:]
scores = {}
for pair in sets.pairs(folder, truth, first=int(first), last=int(last)):
    image = images.read(pair.image)
    sigma = maps.settled(image, maps.combined(maps.scales_of(image), maps.DETECTING))
    blurred = benchmark.read_mask(pair.truth, blurred="white")
    for least, most, share in itertools.product((0.4, 0.5, 0.6), (2.0, 3.0, 4.0), (0.8, 0.9, 1.0)):
        noticeable = focus.just_noticeable(sigma, bounds=(least, most), share=share)
        for slope in (12, 16, 20, 24):
            blur = 1 - focus.in_focus(sigma, noticeable=noticeable, slope=slope)
            scores.setdefault((least, most, share, slope), metrics.Detection()).add(pair.name, blur, blurred)
found = [(key, score.summary()) for key, score in scores.items()]
found.sort(key=lambda item: item[1]["mae"] - item[1]["max_f"])
for (least, most, share, slope), row in found[:12]:
    print(
        f"noticeable {least} to {most}, share {share}, slope {slope}: F {row['max_f']:.4f}, "
        f"mean absolute error {row['mae']:.4f}, one threshold {row['accuracy_one_threshold']:.4f}"
    )
