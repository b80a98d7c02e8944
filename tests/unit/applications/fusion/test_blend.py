import cv2
import numpy as np

from defocus_core.applications.fusion.decide import FusionConfig
from defocus_core.applications.fusion.stack import fuse
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import to_dtype


def test_seams_blend_and_leave_the_rest_alone(image):
    left, right = image.copy(), image.copy()
    soft = gaussian_blur(image, 4)
    left[:, 75:], right[:, :75] = soft[:, 75:], soft[:, :75]
    left, right = (to_dtype(shot, np.uint16) for shot in (left, right))
    hard = fuse([left, right])
    blended = fuse([left, right], config=FusionConfig(seam_sigma=1.5))
    assert blended.image.dtype == np.uint16
    changed = (blended.image != hard.image).any(2)
    assert changed.any()
    edges = cv2.morphologyEx(hard.labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    distance = cv2.distanceTransform((edges == 0).astype(np.uint8), cv2.DIST_L2, 5)
    assert distance[changed].max() < 12


def test_a_seam_blends_in_nothing_that_a_shot_did_not_see(scene):
    first, second = gaussian_blur(scene, 3)[:, :-24], scene[:, 24:]  # its frame begins at column 24
    shots = [to_dtype(shot, np.uint8) for shot in (first, second)]
    fusion = fuse(shots, register=True, config=FusionConfig(seam_sigma=8))
    assert (fusion.labels[:, 40:] == 1).mean() > 0.9
    np.testing.assert_array_equal(fusion.image[:, :20], shots[0][:, :20])
