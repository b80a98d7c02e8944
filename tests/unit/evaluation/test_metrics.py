import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation import metrics


def test_classification_by_hand():
    logits = np.log(np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1]]))
    level = np.array([0, 1, 2, 2])
    scores = metrics.classification_scores(logits, level, np.array([0.0, 1.0, 4.0]))
    assert scores["accuracy"] == 0.5
    assert scores["within_one"] == 0.75
    assert scores["mae_sigma"] == pytest.approx((0 + 0 + 3 + 4) / 4)
    assert scores["mae_sigma_expected"] == pytest.approx((0.5 + 0.2 + 2.8 + 3.4) / 4)
    assert scores["confusion"] == [[1, 0, 0], [0, 1, 0], [1, 1, 0]]
    assert scores["recall"] == [1, 1, 0]
    assert scores["precision"] == [0.5, 0.5, 0]


@pytest.fixture
def detection():
    rng = np.random.default_rng(0)
    mask = rng.random((40, 50)) < 0.6
    values = mask + rng.normal(0, 0.7, mask.shape)
    return values, mask


def test_detection_agrees_with_a_plain_reading(detection):
    values, mask = detection
    scores = metrics.Detection()
    scores.add("one", values, mask)
    summary = scores.summary()
    best = max(((values >= t) == mask).mean() for t in np.unique(values))
    assert summary["accuracy"] == pytest.approx(best, abs=2e-3)
    assert summary["ap_blurred"] == pytest.approx(average_precision_score(mask.ravel(), values.ravel()), abs=2e-3)
    scaled = (values - values.min()) / np.ptp(values)
    assert summary["mae"] == pytest.approx(np.abs(scaled - mask).mean())
    f = 0.0
    for t in np.unique(values):
        sharp = values < t
        if sharp.any():
            precision, recall = (~mask)[sharp].mean(), sharp[~mask].mean()
            f = max(f, 1.3 * precision * recall / max(0.3 * precision + recall, 1e-12))
    assert summary["max_f"] == pytest.approx(f, abs=3e-3)


def test_a_perfect_map_scores_one(detection):
    _, mask = detection
    scores = metrics.Detection()
    scores.add("one", mask * 5.0, mask)
    summary = scores.summary()
    assert summary["accuracy"] == summary["max_f"] == summary["ap_blurred"] == summary["accuracy_one_threshold"] == 1
    assert summary["mae"] == 0


def test_one_threshold_is_in_the_maps_own_unit_where_they_have_one():
    mask = np.tile([False, True], (4, 4))
    for top, expected in ((16.0, 0.75), (None, 1)):
        scores = metrics.Detection(top=top)
        scores.add("a", np.where(mask, 3.0, 1.0), mask)
        scores.add("b", np.where(mask, 9.0, 4.0), mask)
        summary = scores.summary()
        assert summary["accuracy"] == 1
        assert summary["accuracy_one_threshold"] == expected
    assert summary["threshold"] <= 1


def test_the_threshold_for_all_images_is_in_pixels():
    mask = np.tile([False, True], (4, 4))
    scores = metrics.Detection(top=16.0)
    scores.add("a", np.where(mask, 9.0, 8.0), mask)
    assert 8 < scores.summary()["threshold"] <= 9


def test_a_photograph_without_blur_has_no_average_precision_and_spoils_none():
    scores = metrics.Detection()
    mask = np.tile([False, True], (4, 4))
    scores.add("a", mask * 1.0, mask)
    scores.add("sharp", mask * 1.0, np.zeros_like(mask))
    assert scores.summary()["ap_blurred"] == 1


def test_a_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match="a map of"):
        metrics.Detection().add("x", np.zeros((2, 2)), np.zeros((3, 2), bool))


def test_dense_scores_by_hand():
    truth = np.array([[1.0, 2.0], [3.0, np.nan]])
    scores = metrics.sigma_errors(np.array([[2.0, 3.0], [4.0, 99.0]]), truth)
    assert scores == {"mae": 1, "rmse": 1, "mse": 1, "correlation": pytest.approx(1)}
    scores = metrics.sigma_errors(np.array([[1.0, 2.0], [5.0, 0.0]]), truth)
    assert scores["mse"] == pytest.approx(4 / 3) == scores["rmse"] ** 2
    assert metrics.sigma_errors(np.ones((2, 2)), truth)["correlation"] == 0


def test_rank_correlation_sees_order_alone():
    values = np.array([[1.0, 2.0], [4.0, 3.0]])
    assert metrics.rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert metrics.rank_correlation(values, np.array([[4.0, 3.0], [2.0, 1.0]])) == pytest.approx(-0.8)
    assert metrics.rank_correlation(values, np.ones((2, 2))) == 0


def test_psnr_and_ssim():
    image = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    assert metrics.psnr(image, image) == 99
    assert metrics.psnr(image * 0, image * 0 + 0.1) == pytest.approx(20)
    assert metrics.ssim(image, image) == pytest.approx(1)


def test_scores_of_shards_join_to_those_of_the_whole():
    rng = np.random.default_rng(0)
    shown = [(f"{index}", rng.random((20, 20)), rng.random((20, 20)) > 0.5) for index in range(5)]
    whole = metrics.Detection()
    parts = [metrics.Detection() for _ in range(3)]
    for index, image in enumerate(shown):
        whole.add(*image)
        parts[(index * 2) % 3 if index else 1].add(*image)
    states = [json.loads(json.dumps(part.state())) for part in parts]
    joined = metrics.Detection.merged(states)
    assert joined.rows == whole.rows
    assert joined.summary() == pytest.approx(whole.summary())
    np.testing.assert_allclose(joined.curve(), whole.curve())


def test_parts_are_scored_by_themselves():
    truth = np.random.default_rng(0).random((40, 60, 3)).astype(np.float32)
    image = truth.copy()
    left = np.arange(60)[None].repeat(40, 0) < 30
    image[~left] = np.clip(truth[~left] + 0.1, 0, 2)
    parts = {"left": left, "right": ~left, "none": np.zeros_like(left)}
    scores = metrics.by_part(image, truth, parts)
    assert scores["psnr_left"] == 99
    assert scores["psnr_right"] == pytest.approx(20, abs=1e-4)
    assert scores["ssim_left"] > scores["ssim_right"]
    assert np.isnan([scores["psnr_none"], scores["ssim_none"]]).all()


def test_two_infinite_distances_are_alike_and_one_is_far_off():
    far = np.array([[np.inf, np.inf, 2.0]])
    same = metrics.distance_errors(far, far)
    assert same == {"mae_dioptres": 0, "median_error": 0, "within_quarter": 1}
    other = metrics.distance_errors(np.array([[np.inf, 4.0, 2.0]]), far)
    assert other["within_quarter"] == pytest.approx(2 / 3)
    assert other["mae_dioptres"] == pytest.approx(0.25 / 3)


def test_a_mask_may_be_of_numbers():
    scores = [metrics.Detection(), metrics.Detection()]
    values = np.array([[0.1, 0.9], [0.3, 0.2]])
    scores[0].add("a", values, np.array([[False, True], [False, False]]))
    scores[1].add("a", values, np.uint8([[0, 255], [0, 0]]))
    assert scores[0].summary() == scores[1].summary()


def test_the_blur_of_an_image_is_measured_by_its_sharp_original_where_that_has_texture():
    sharp = np.random.default_rng(0).random((96, 200), dtype=np.float32)
    sharp[:, 140:] = 0.5
    candidates = np.arange(0.5, 4, 0.25)
    found = metrics.matched_sigma(gaussian_blur(sharp, 2.25), sharp, candidates, window=4)
    assert (found[:, :100] == 2.25).all()
    assert np.isnan(found[:, 170:]).all()


def test_a_map_that_falls_where_the_truth_rises_correlates_negatively():
    truth = np.linspace(1, 3, 20, dtype=np.float32)[None]
    assert metrics.sigma_errors(4 - truth, truth)["correlation"] == pytest.approx(-1)


def test_distances_are_scored_in_dioptres_and_shares():
    scores = metrics.distance_errors(np.float32([[1, 2.4, np.inf, 2.6]]), np.float32([[1, 2, 4, 2]]))
    assert scores["mae_dioptres"] == pytest.approx((0 + 1 / 2 - 1 / 2.4 + 1 / 4 + 1 / 2 - 1 / 2.6) / 4)
    assert scores["median_error"] == pytest.approx(0.25)
    assert scores["within_quarter"] == 0.5


def test_overshoot_is_the_mean_excess_at_edges():
    truth = np.zeros((40, 40), np.float32)
    truth[:, 20:] = 0.5
    image = truth.copy()
    image[:, 20] += 0.1
    image[:, 19] -= 0.1
    assert metrics.overshoot(image, truth) == pytest.approx(0.1)
    assert metrics.overshoot(truth, truth) == 0
    assert metrics.ssim_map(truth, truth).min() == 1
