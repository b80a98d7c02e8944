import cv2
import numpy as np
import pytest
from scipy.signal import correlate2d

from defocus_core.evaluation import fusion_metrics, metrics

METRICS = [
    fusion_metrics.q_abf,
    fusion_metrics.q_g,
    fusion_metrics.nmi,
    fusion_metrics.q_y,
    fusion_metrics.q_cb,
    fusion_metrics.fmi,
    fusion_metrics.ssim_sources,
]


@pytest.fixture(scope="module")
def shots():
    rng = np.random.default_rng(0)
    sharp = cv2.GaussianBlur(rng.uniform(0, 255, (42, 51)), (0, 0), 1.5)
    sharp = np.rint((sharp - sharp.min()) / np.ptp(sharp) * 255)
    soft = np.rint(cv2.GaussianBlur(sharp, (0, 0), 3))
    left, right = sharp.copy(), sharp.copy()
    left[:, 25:], right[:, :25] = soft[:, 25:], soft[:, :25]
    return left, right, sharp


@pytest.mark.parametrize("metric", [m for m in METRICS if m is not fusion_metrics.ssim_sources])
def test_the_sharp_image_beats_the_mean(shots, metric):
    left, right, sharp = shots
    best = metric(left, right, sharp)
    assert best > metric(left, right, np.rint((left + right) / 2))


@pytest.mark.parametrize("metric", METRICS)
def test_one_image_fused_with_itself_is_perfect(shots, metric):
    q_abf = 0.9994 / (1 + np.exp(-7.5)) * 0.9879 / (1 + np.exp(-4.4))  # its constants do not quite reach 1
    perfect = {fusion_metrics.nmi: 2, fusion_metrics.q_abf: q_abf, fusion_metrics.q_g: q_abf}
    assert metric(*[shots[2]] * 3) == pytest.approx(perfect.get(metric, 1), abs=1e-4)


@pytest.mark.parametrize("metric", METRICS)
def test_flat_images_give_a_number(metric):
    flat = np.full((20, 20), 100.0)
    assert np.isfinite(metric(flat, flat, flat))


def test_the_frame_counts_in_q_g_alone():
    rng = np.random.default_rng(3)
    first, second, noise = rng.uniform(100, 110, (3, 40, 40))
    assert fusion_metrics.q_abf(first, second, noise) < 0.3
    assert fusion_metrics.q_g(first, second, noise) > 0.5


def test_q_y_of_one_window_is_the_formula():
    a, b, f = np.random.default_rng(1).uniform(0, 255, (3, 7, 7))
    taps = np.exp(-0.5 * (np.arange(-3, 4) / 1.5) ** 2)
    weight = np.outer(taps, taps) / taps.sum() ** 2

    def moments(x, y):
        mx, my = (weight * x).sum(), (weight * y).sum()
        return mx, my, (weight * (x - mx) * (y - my)).sum()

    def similarity(x, y):
        mx, my, xy = moments(x, y)
        return 4 * mx * my * xy / ((mx**2 + my**2) * (moments(x, x)[2] + moments(y, y)[2]))

    assert similarity(a, b) < 0.75
    assert fusion_metrics.q_y(a, b, f) == pytest.approx(max(similarity(a, f), similarity(b, f)), rel=1e-6)
    near = a + np.random.default_rng(2).uniform(-20, 20, (7, 7))
    share = moments(a, a)[2] / (moments(a, a)[2] + moments(near, near)[2])
    expected = share * similarity(a, f) + (1 - share) * similarity(near, f)
    assert fusion_metrics.q_y(a, near, f) == pytest.approx(expected, rel=1e-6)


def test_q_cb_is_the_formula_written_out(shots):
    """Correlation with whole kernels and a frequency grid of -1 to 1, as the paper's authors have it."""
    height, width = shots[0].shape
    y, x = (np.arange(-(n // 2), n - n // 2) * 2 / n for n in (height, width))
    r = np.hypot(height / 30 * y[:, None], width / 30 * x[None])
    seen = np.exp(-((r / 15.3870) ** 2)) - 0.7622 * np.exp(-((r / 1.3456) ** 2))
    v, u = np.mgrid[-15:16, -15:16]
    kernels = [np.exp(-(u**2 + v**2) / (2 * s * s)) / (2 * np.pi * s * s) for s in (2, 4)]

    def masked(image):
        image = np.rint((image - image.min()) / np.ptp(image) * 255)
        image = np.fft.ifft2(np.fft.ifftshift(np.fft.fftshift(np.fft.fft2(image)) * seen)).real
        fine, coarse = (correlate2d(image, kernel, "same") for kernel in kernels)
        contrast = np.abs(fine / coarse - 1)
        return contrast**3 / (contrast**2 + 0.0001)

    a, b, f = map(masked, shots)
    kept = [np.where(c < f, c / f, f / c) for c in (a, b)]
    expected = ((a * a * kept[0] + b * b * kept[1]) / (a * a + b * b)).mean()
    assert fusion_metrics.q_cb(*shots) == pytest.approx(expected, rel=1e-6)


def information(one, other):
    """Fast-FMI's normalised information of two windows, term by term."""
    p, q = ((w - w.min()) / (w - w.min()).sum() for w in (one.ravel(), other.ravel()))
    if np.array_equal(p, q):
        return 1.0
    cdf = [np.cumsum(p), np.cumsum(q)]
    rho = np.corrcoef(p, q)[0, 1]
    bound = np.zeros((10, 10))
    for i in range(9):
        for j in range(9):
            f, g = cdf[0][i], cdf[1][j]
            bound[i + 1, j + 1] = min(f, g) if rho >= 0 else max(f + g - 1, 0)
    covariance = sum(bound[i + 1, j + 1] - cdf[0][i] * cdf[1][j] for i in range(9) for j in range(9))
    places = np.arange(9)
    spread = [np.sqrt((w * places**2).sum() - (w * places).sum() ** 2) for w in (p, q)]
    share = np.clip(rho * spread[0] * spread[1] / covariance, 0, 1)
    joint = share * np.diff(np.diff(bound, axis=0), axis=1) + (1 - share) * np.outer(p, q)
    entropy = [-(w[w > 0] * np.log(w[w > 0])).sum() for w in (p, q, joint)]
    return 2 * (entropy[0] + entropy[1] - entropy[2]) / (entropy[0] + entropy[1])


def test_fmi_is_the_mean_of_windows_worked_one_by_one():
    rng = np.random.default_rng(3)
    images = rng.uniform(0, 255, (3, 7, 8))
    gradients = [
        np.hypot(*(cv2.Sobel(i, cv2.CV_64F, *d, borderType=cv2.BORDER_CONSTANT) for d in ((1, 0), (0, 1))))
        for i in images
    ]
    values = [
        information(gradients[s][r : r + 3, c : c + 3], gradients[2][r : r + 3, c : c + 3])
        for s in (0, 1)
        for r in range(5)
        for c in range(6)
    ]
    assert fusion_metrics.fmi(*images) == pytest.approx(np.mean(values), rel=1e-4)


def test_similarity_to_the_sources_is_their_mean(shots):
    left, right, _ = shots
    expected = (1 + metrics.ssim(left / 255, right / 255)) / 2
    assert fusion_metrics.ssim_sources(left, right, left) == pytest.approx(expected)


def test_nmi_of_independent_images_is_small_and_of_a_copy_is_one_half_perfect():
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 4, (2, 200, 200)).astype(float)
    assert fusion_metrics.nmi(a, b, a) == pytest.approx(1, abs=0.01)


def test_scores_of_three_shots_are_the_mean_over_neighbours():
    shots = [np.random.default_rng(seed).random((40, 40), dtype=np.float32) for seed in range(3)]
    pairs = [fusion_metrics.fusion_scores(pair, shots[0]) for pair in (shots[:2], shots[1:])]
    for name, score in fusion_metrics.fusion_scores(shots, shots[0]).items():
        assert score == pytest.approx((pairs[0][name] + pairs[1][name]) / 2)


def test_a_single_shot_and_other_sizes_are_refused():
    shot = np.zeros((20, 20), np.uint8)
    with pytest.raises(ValueError, match="two shots or more of one size, not of 1"):
        fusion_metrics.fusion_scores([shot], shot)
    with pytest.raises(ValueError, match="of one size"):
        fusion_metrics.fusion_scores([shot, shot], shot[:-1])


def test_fusion_scores_at_their_ends():
    rng = np.random.default_rng(0)
    source = rng.integers(0, 256, (64, 64)).astype(np.float64)
    assert fusion_metrics.nmi(source, source, source) == pytest.approx(2)
    assert fusion_metrics.q_abf(source, source, source) == pytest.approx(
        0.9994 / (1 + np.exp(-7.5)) * 0.9879 / (1 + np.exp(-4.4))
    )
    assert fusion_metrics.nmi(source, source, np.zeros_like(source)) == pytest.approx(0, abs=1e-9)
    assert fusion_metrics.q_abf(source, source, np.full_like(source, 7.0)) < 0.05


def test_nmi_by_hand():
    """Two equal halves kept, and a constant source that shares nothing."""
    halves = np.zeros((4, 4))
    halves[:, 2:] = 255
    assert fusion_metrics.nmi(halves, np.zeros((4, 4)), halves) == pytest.approx(1)
