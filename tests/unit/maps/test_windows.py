import numpy as np
import pytest
import torch

from defocus_core.maps import windows
from defocus_core.maps.windows import overlap_average, predict_windows


class PatchLoop(torch.nn.Module):
    """A network behind the bare interface of a classifier, so that windows go through it one by one."""

    stride = cell = None

    def __init__(self, model):
        super().__init__()
        self.forward, self.sigmas = model.forward, model.sigmas


def test_each_pixel_is_the_mean_of_the_windows_over_it():
    values = np.array([[1, 2], [3, 8]], np.float32)
    got = overlap_average(values, np.ones((2, 2), np.float32), step=16, shape=(48, 48))
    expected = np.zeros((48, 48))
    count = np.zeros((48, 48))
    for r in range(2):
        for c in range(2):
            window = (slice(r * 16, r * 16 + 32), slice(c * 16, c * 16 + 32))
            expected[window] += values[r, c]
            count[window] += 1
    np.testing.assert_allclose(got, expected / count, rtol=1e-6)
    assert got[20, 20] == pytest.approx(3.5)


def test_weights_weigh():
    values, weights = np.array([[0, 8]], np.float32), np.array([[3, 1]], np.float32)
    got = overlap_average(values, weights, step=16, shape=(32, 48))
    assert got[0, [0, 20, 47]].tolist() == pytest.approx([0, 2, 8])


def test_windows_cover_all_of_an_image_of_any_size(blurnet):
    for shape in ((32, 32), (33, 50), (100, 47)):
        sigma, _ = predict_windows(np.zeros(shape, np.float32), blurnet, step=16)
        assert sigma.shape == tuple(max(-(-(n - 32) // 16), 0) + 1 for n in shape)


@pytest.mark.parametrize("step", [4, 8, 16])
def test_shared_convolutions_give_the_patch_loops_map(blurnet, step):
    grey = np.random.default_rng(0).random((90, 77), dtype=np.float32)
    shared = predict_windows(grey, blurnet, step=step)
    loop = predict_windows(grey, PatchLoop(blurnet), step=step)
    for mine, other in zip(shared, loop, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4)


def test_strips_leave_no_seam(blurnet, monkeypatch):
    grey = np.random.default_rng(0).random((200, 90), dtype=np.float32)
    whole = predict_windows(grey, blurnet, step=8)
    monkeypatch.setattr(windows, "STRIP_PIXELS", 90 * 20)
    for mine, other in zip(predict_windows(grey, blurnet, step=8), whole, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)
