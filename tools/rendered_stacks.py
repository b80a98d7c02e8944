"""How wrong fused pictures look on rendered stacks: python tools/rendered_stacks.py [FOLDER OF PHOTOGRAPHS] [SEED].

24 stacks of 320x320 pixels: six kinds of layered scenes by four cameras, from 5 shots without noise to 9 with JPEG.
Visibly wrong pixels in percent, of all stacks and of each kind of scene, and PSNR to the truth.
"""

import sys

from defocus_core.applications.fusion.stack import fuse
from defocus_core.evaluation import fusion_baselines
from defocus_core.evaluation.experiments.rendered_stacks import CAMERAS, score_methods
from defocus_core.evaluation.known_scenes import center_squares

if __name__ == "__main__":
    methods = {"fused": lambda shots: fuse(shots).image, **fusion_baselines.METHODS}
    scores, _ = score_methods(methods, center_squares(320, *sys.argv[1:2]), CAMERAS, seed=int([*sys.argv, 0, 0][2]))
    wrong = scores.pivot_table(index="method", columns="scenes", values="wrong", sort=False)
    psnr = scores[scores.scenes == "all"].set_index("method")[["psnr", "ssim"]]
    print(wrong.join(psnr).sort_values("all").round(2).to_markdown())
