import cv2
import numpy as np
import torch

from defocus_core.maps import tiles
from defocus_core.maps.config import MapConfig
from defocus_core.maps.pipeline import estimate
from defocus_core.maps.tiles import predict_tiled
from defocus_core.networks import precision
from defocus_core.networks.classifier import build_classifier


def test_tiles_of_a_dense_network_leave_no_seam(monkeypatch):
    model = build_classifier("scenenet", torch.linspace(0.4, 12, 20)).eval()
    grey = np.random.default_rng(0).random((600, 584), dtype=np.float32)
    whole = predict_tiled(grey, model)
    monkeypatch.setattr(tiles, "TILE_SIDE", 160)
    for mine, other in zip(predict_tiled(grey, model), whole, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4)


def test_tiles_leave_no_seam_in_a_refined_map(monkeypatch):
    image = np.random.default_rng(1).random((400, 270, 3), dtype=np.float32)
    image = cv2.GaussianBlur(image, (0, 0), 2)
    whole = estimate(image)
    monkeypatch.setattr(tiles, "TILE_SIDE", 208)
    np.testing.assert_allclose(estimate(image), whole, atol=1e-4)


def test_bfloat16_differs_by_some_thousandths_and_can_be_left_out(monkeypatch):
    image = cv2.GaussianBlur(np.random.default_rng(2).random((160, 200), dtype=np.float32), (0, 0), 1)
    maps = {}
    for multiplied in (False, True):
        monkeypatch.setattr(precision, "_multiplies_bfloat16", lambda multiplied=multiplied: multiplied)
        maps[multiplied] = estimate(image)
        maps[f"{multiplied}, not wanted"] = estimate(image, config=MapConfig(bfloat16=False))
    assert 0 < np.abs(np.log(maps[True] / maps[False])).mean() < 0.01
    np.testing.assert_array_equal(maps["True, not wanted"], maps[False])
    np.testing.assert_array_equal(maps["False, not wanted"], maps[False])


def test_a_mirrored_view_is_predicted_as_its_copy_is():
    model = build_classifier("scenenet", torch.linspace(0.4, 12, 20)).eval()
    grey = np.random.default_rng(0).random((64, 72), np.float32)[:, ::-1]
    grey.flags.writeable = False
    for mine, other in zip(predict_tiled(grey, model), predict_tiled(grey.copy(), model), strict=True):
        np.testing.assert_array_equal(mine, other)
