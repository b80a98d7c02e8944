import cv2
import numpy as np
import pytest
import torch
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.blur.sigma_scale import MIN_SIGMA, SigmaScale
from defocus_core.io.color import to_dtype, to_grey
from defocus_core.maps import tiles, windows
from defocus_core.maps.config import DEFAULT_CONFIG, PAPER_CONFIG, MapConfig
from defocus_core.maps.pipeline import MAX_HALVINGS, estimate, predict_pyramid
from defocus_core.maps.pyramid import HALVING_VARIANCE, merge, merge_levels, upscale_level
from defocus_core.maps.tiles import predict_tiled
from defocus_core.maps.windows import overlap_average, predict_windows
from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.storage import load_model


class PatchLoop(torch.nn.Module):
    """A network behind the bare interface of a classifier, so that windows go through it one by one."""

    stride = cell = None

    def __init__(self, model):
        super().__init__()
        self.forward, self.sigmas = model.forward, model.sigmas


class Brightness(torch.nn.Module):
    """A stand-in that answers level 1 where the patch's first pixel is bright; a patch loop by nature."""

    stride = cell = None
    sigmas = torch.tensor([0.0, 10.0])

    def forward(self, patches):
        bright = patches[:, 0, 0, 0] > 0.5
        return torch.stack([~bright, bright], 1) * 100.0


@pytest.fixture(scope="module")
def blurnet():
    return build_classifier("blurnet", torch.linspace(0, 10, 20), seed=1).eval()


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


def test_winner_takes_the_likeliest_level():
    grey = np.zeros((32, 64), np.float32)
    grey[0, 16] = 1
    sigma, certainty = predict_windows(grey, Brightness(), step=16, config=PAPER_CONFIG)
    assert sigma.tolist() == [[0, 10, 0]]
    np.testing.assert_allclose(certainty, 1)


def test_the_expected_blur_is_the_geometric_mean_of_the_levels():
    class Halves(Brightness):
        sigmas = torch.tensor([0.4, 10.0])

        def forward(self, patches):
            return torch.zeros(len(patches), 2)

    values, certainty = predict_windows(np.zeros((32, 32), np.float32), Halves(), step=16)
    assert np.exp(values[0, 0]) == pytest.approx(np.sqrt(0.5 * 10.1))
    assert certainty[0, 0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["blurnet", "scenenet"])
@pytest.mark.parametrize(
    "shape", [(1, 1), (31, 31), (5, 200), (32, 32), (64, 80), (64, 80, 3), (40, 50, 4), (40, 40, 1)]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, bool])
def test_any_image_gives_a_finite_map(name, shape, dtype):
    model = build_classifier(name, torch.linspace(0.4, 12, 20)).eval()
    rng = np.random.default_rng(0)
    image = rng.random(shape)
    if dtype in (np.uint8, np.uint16):
        image = to_dtype(image, dtype)
    sigma = estimate(image.astype(dtype), model=model)
    assert sigma.shape == shape[:2]
    assert sigma.dtype == np.float32
    assert np.isfinite(sigma).all()


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0, np.nan])
def test_constant_and_nan_images_give_a_finite_map(blurnet, level):
    assert np.isfinite(estimate(np.full((50, 60), level, np.float32), model=blurnet)).all()


@pytest.mark.parametrize("name", ["blurnet", "scenenet"])
@pytest.mark.parametrize("shape", [(50, 60), (50, 60, 3), (50, 60, 4), (90, 83, 4)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_images_with_pixels_that_are_no_numbers_give_a_finite_map(name, shape, bad):
    image = np.random.default_rng(0).random(shape)
    image[10:20, 5:30] = bad
    image[0, 0] = image[-1, -1] = bad
    for refine in (False, True):
        sigma = estimate(image, model=name, refine=refine)
        assert sigma.shape == shape[:2]
        assert np.isfinite(sigma).all()
        assert 0 <= sigma.min() <= sigma.max() <= 25  # twice the largest level, from half the size


@pytest.mark.parametrize("name", ["blurnet", "scenenet"])
@pytest.mark.parametrize("settings", [DEFAULT_CONFIG, PAPER_CONFIG])
@pytest.mark.parametrize("shape", [(1, 1), (31, 31), (1, 200), (40, 40), (90, 170)])
def test_the_shipped_models_stand_flat_images_under_both_refinements(name, settings, shape):
    for level in (0, 128, 255):
        sigma = estimate(np.full((*shape, 3), level, np.uint8), model=name, config=settings)
        assert sigma.shape == shape
        assert np.isfinite(sigma).all()
        assert 0 <= sigma.min() <= sigma.max() <= 25  # twice the largest level, from half the size


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 2)), r"\(H, W\) or \(H, W, 1\|3\|4\), not \(4, 4, 2\)"),
        (np.zeros((0, 4)), "at least one pixel"),
        (np.zeros(4), "not \\(4,\\)"),
        (np.full((4, 4), 255.0), r"lies in \[0, 1\], this one in \[255, 255\]"),
        (np.zeros((4, 4), np.int32), "not int32"),
        (np.zeros((4, 4), complex), "not complex128"),
    ],
)
def test_what_is_no_image_is_refused_by_name(image, message):
    with pytest.raises(ValueError, match=message):
        estimate(image)


def test_answers_are_joined_by_their_certainties():
    values, certainty = merge(
        np.zeros((1, 4), np.float32),
        np.array([[1, 1, 0.5, 0]], np.float32),
        np.full((1, 4), 2, np.float32),
        np.array([[0, 1, 1, 0]], np.float32),
    )
    np.testing.assert_allclose(values, [[0, 1, 2 / 1.25, 0]], atol=1e-5)
    np.testing.assert_allclose(certainty, [[1, 1, 1, 0]])


def test_half_the_size_answers_in_pixels_of_the_whole_and_only_of_blur():
    for sigma, found in ((0, False), (4, True)):
        grey = gaussian_blur(to_grey(data.astronaut()), sigma)
        _, half = predict_pyramid(grey, model=load_model(), config=MapConfig(min_pyramid_side=200))
        values, certainty, _ = upscale_level(*half, max_sigma=12)
        assert bool(np.median(certainty) > 0.2) is found
        if found:
            assert 3.2 < np.median(np.exp(values)) < 4.8


def test_beyond_the_largest_level_half_the_size_decides():
    half = np.log(np.array([[0.1, 3, 11]], np.float32)), np.full((1, 3), 0.8, np.float32)
    values, certainty, beyond = upscale_level(*half, max_sigma=12)
    np.testing.assert_allclose(np.exp(values), [[0.2, 6, 22]], rtol=0.05)
    np.testing.assert_allclose(certainty, [[0, 0.7 * 0.8, 0.8]], atol=0.02)
    np.testing.assert_allclose(beyond, [[0, 0, 0.8]], atol=0.03)
    full = np.log(np.array([[2, 2, 10]], np.float32)), np.full((1, 3), 0.8, np.float32)
    values, _ = merge_levels([tuple(part.copy() for part in full), half], max_sigma=12)
    assert np.exp(values)[0, 0] == pytest.approx(2, rel=0.05)
    assert 2 < np.exp(values)[0, 1] < 6
    assert 19 < np.exp(values)[0, 2] < 23


def test_half_the_size_says_the_same_of_sigma_and_of_its_logarithm():
    sigma, certainty = np.array([[0.3, 1.0, 3.0]], np.float32), np.ones((1, 3), np.float32)
    direct = upscale_level(sigma, certainty, max_sigma=12, scale=SigmaScale(logarithmic=False))
    values, *rest = upscale_level(np.log(sigma + MIN_SIGMA), certainty, max_sigma=12)
    np.testing.assert_allclose(np.exp(values) - MIN_SIGMA, direct[0], rtol=1e-4)
    np.testing.assert_allclose(rest, direct[1:], rtol=1e-4)
    expected = np.sqrt(4 * 3.0**2 - HALVING_VARIANCE)  # halving a photograph adds a blur of its own
    assert direct[0][0, 2] == pytest.approx(expected, rel=1e-4)


def test_a_copy_that_finds_much_blur_where_the_photograph_has_none_is_doubted():
    full = np.full((1, 100), np.log(0.4), np.float32), np.full((1, 100), 0.8, np.float32)
    half = full[0].copy(), full[1].copy()
    half[0][0, :2] = np.log(11)
    values, _ = merge_levels([full, half], max_sigma=12)
    np.testing.assert_allclose(np.exp(values[0, :2]), 0.4, rtol=0.1)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_frame_without_texture_is_left_to_full_size(level):
    flat = np.full((330, 500), level, np.float32)
    alone = estimate(flat, config=MapConfig(min_pyramid_side=0))
    np.testing.assert_array_equal(estimate(flat), alone)


def test_a_photograph_is_halved_down_to_the_coarsest_size():
    grey, model = np.random.default_rng(0).random((100, 170), np.float32), load_model()
    shapes = {0: [(100, 170)], 26: [(100, 170), (50, 85)], 25: [(100, 170), (50, 85), (25, 42)]}
    for coarsest, expected in shapes.items():
        scales = predict_pyramid(grey, model=model, config=MapConfig(min_pyramid_side=coarsest))
        assert [values.shape for values, _ in scales] == expected
    scales = predict_pyramid(grey, model=model, config=MapConfig(min_pyramid_side=1))
    assert len(scales) == MAX_HALVINGS + 1
    with pytest.raises(ValueError, match="not -1"):
        MapConfig(min_pyramid_side=-1)


def test_blur_far_beyond_the_largest_level_is_measured():
    photograph = to_grey(data.astronaut())
    large = cv2.resize(photograph, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    sigma = estimate(gaussian_blur(large, 36), refine=False)  # three times the largest level
    assert 18 < np.median(sigma) < 40  # full size alone says 6


def test_a_step_that_leaves_gaps_is_refused(blurnet):
    with pytest.raises(ValueError, match="step is 1 to 32 pixels"):
        estimate(np.zeros((64, 64)), model=blurnet, step=33)


def test_the_shipped_model_orders_blur():
    image = to_grey(data.astronaut())
    means = [estimate(gaussian_blur(image, s), refine=False).mean() for s in (0, 2, 5)]
    assert means[0] < means[1] - 0.5 < means[2] - 1.5


def test_a_map_does_not_depend_on_exposure_and_contrast():
    model = load_model()
    scene = data.astronaut()[:256, 100:356].astype(np.float32) / 255
    scene[:, 128:] = cv2.GaussianBlur(scene, (0, 0), 3)[:, 128:]
    full = estimate(to_dtype(scene, np.uint16), model=model)
    for image in (scene / 16, 0.4 + scene / 8):
        found = estimate(to_dtype(image, np.uint16), model=model)
        assert np.abs(np.log(found + 0.1) - np.log(full + 0.1)).mean() < 0.05
    as_it_is = estimate(scene / 16, model=model, config=MapConfig(stretch_contrast=False))
    assert np.abs(np.log(as_it_is + 0.1) - np.log(full + 0.1)).mean() > 0.2
