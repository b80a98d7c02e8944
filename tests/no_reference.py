"""python tests/no_reference.py FOLDER [COUNT]: sharpening scored without a truth, by PIQE (less is better).

PIQE (Venkatanath et al., NCC 2015) needs no weights. Its package asks for another build of OpenCV than
ours, so it is no requirement: pip install --no-deps pypiqe==1.2
"""

import sys

import cv2
import numpy as np
import pandas as pd
from pypiqe import piqe

from defocus_core import enhance, enhance_baselines, images, maps


def score(picture):
    return piqe(cv2.cvtColor(images.as_depth(picture, np.uint8), cv2.COLOR_RGB2BGR))[0]


def main(folder, count=50):
    rows = []
    for path in images.listing(folder)[: int(count)]:
        image = images.read(path)
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image
        results = {"input": images.as_float(image), "adaptive": enhance.enhance(image, maps.estimate(image))}
        results |= {name: method(image) for name, method in enhance_baselines.METHODS.items()}
        rows.append({name: score(result) for name, result in results.items()})
    table = pd.DataFrame(rows)
    print(table.mean().round(2).to_string())
    better = table.lt(table["input"], axis=0).sum()
    print("better than the input in", better.to_dict(), "of", len(table))


if __name__ == "__main__":
    main(*sys.argv[1:])
