import numpy as np
import pytest

from defocus_core import benchmark, images, metrics, sets


@pytest.fixture
def radii(tmp_path):
    np.save(tmp_path / "radius_1.npy", np.array([[0.2, 0.9], [1.1, np.nan], [2.4, 9.0]], np.float32))
    (tmp_path / "table.csv").write_text("sigma_px,radius_px\n1.5,2\n0.3,0.5\n0.7,1.5\n")
    return tmp_path


def test_each_radius_becomes_the_sigma_of_the_nearest_row(radii):
    sigma = benchmark.read_sigma(radii / "radius_1.npy", table=radii / "table.csv")
    np.testing.assert_array_equal(sigma, np.float32([[0.3, 0.3], [0.7, np.nan], [1.5, 1.5]]))


def test_a_table_without_its_columns_is_named(radii):
    (radii / "table.csv").write_text("sigma,radius\n1,2\n")
    with pytest.raises(
        sets.SetError, match=r"table.csv: expected columns radius_px and sigma_px, found sigma"
    ):
        benchmark.read_sigma(radii / "radius_1.npy", table=radii / "table.csv")


def test_truths_named_otherwise_are_found(radii):
    images.write(radii / "image_1.png", np.zeros((3, 2), np.uint8))
    (pair,) = sets.pairs(radii, radii, replace={"image": "image_", "truth": "radius_"})
    assert (pair.name, pair.truth.name) == ("image_1", "radius_1.npy")
    with pytest.raises(sets.SetError, match="no truth for 1 images, such as image_1"):
        sets.pairs(radii, radii, replace={"image": "image_", "truth": "sigma_"})
    scores = benchmark.score_sigma(
        {"edge_ratio": lambda pair, grey: grey + 1},
        [pair],
        {"truth": "sigma", "radius_table": str(radii / "table.csv")},
    )
    assert scores.mae[0] == pytest.approx((0.7 + 0.7 + 0.3 + 0.5 + 0.5) / 5)


def test_scores_of_shards_join_to_one_row_a_method_best_first():
    near = {"method": "map", "fitted": False}
    shards = [
        [{**near, "image": "b", "mae": 3.0}, {"method": "entropy", "fitted": True, "image": "b", "mae": 1.0}],
        [],
        [{**near, "image": "a", "mae": 1.0}, {"method": "entropy", "fitted": True, "image": "a", "mae": 2.0}],
    ]
    table = benchmark.summary(benchmark.joined(shards, truth="sigma"))
    assert table[["method", "mae"]].to_numpy().tolist() == [["entropy", 1.5], ["map", 2.0]]
    masks = []
    for name, accuracy in (("a", 1.0), ("b", 0.75)):
        scores = {"bad": metrics.Detection(), "good": metrics.Detection()}
        truth = np.array([[True, False], [False, False]])
        scores["good"].add(name, truth * 1.0, truth)
        scores["bad"].add(name, np.zeros((2, 2)) if accuracy < 1 else truth * 1.0, truth)
        masks.append({method: score.state() for method, score in scores.items()})
    table = benchmark.summary(benchmark.joined(masks, truth="masks"))
    assert table[["method", "accuracy", "images"]].to_numpy().tolist() == [["good", 1, 2], ["bad", 0.875, 2]]
