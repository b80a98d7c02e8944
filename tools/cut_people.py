"""Cut people out of photographs: python tools/cut_people.py OUT FOLDER OF PHOTOGRAPHS...

Writes OUT/FOLDER/NAME.png, white where people are, for every photograph that OpenCV reads: silhouettes for
`layered_scenes.silhouettes`.
MediaPipe's selfie segmentation (Apache 2.0) finds them. It wants its own OpenCV and so an environment of its own:
python -m venv people && people/bin/pip install mediapipe==0.10.14
"""

import sys
from pathlib import Path

import cv2
import mediapipe
import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")
MAX_SIDE = 1024  # pixels; the network itself sees 256

if __name__ == "__main__":
    out, *folders = map(Path, sys.argv[1:])
    segment = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0).process
    for path in sorted(path for folder in folders for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
        read = cv2.imread(str(path))
        if read is None:
            print(f"{path}: OpenCV cannot read it; it gets no silhouette", file=sys.stderr)
            continue
        image = cv2.cvtColor(read, cv2.COLOR_BGR2RGB)
        factor = min(1, MAX_SIDE / max(image.shape))
        chance = segment(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)).segmentation_mask
        chance = cv2.resize(chance, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        silhouette = out / path.parent.name / f"{path.stem}.png"
        silhouette.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(silhouette), np.where(chance > 0.5, 255, 0).astype(np.uint8))
