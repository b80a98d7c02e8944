import numpy as np
import pytest

from defocus_core.evaluation import benchmark, metrics
from defocus_core.evaluation.benchmark_sets import BenchmarkSetError, pair_images
from defocus_core.io.write import write


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
    with pytest.raises(BenchmarkSetError, match=r"table.csv: expected columns radius_px and sigma_px, found sigma"):
        benchmark.read_sigma(radii / "radius_1.npy", table=radii / "table.csv")


def test_truths_named_otherwise_are_found(radii):
    write(radii / "image_1.png", np.zeros((3, 2), np.uint8))
    (pair,) = pair_images(radii, radii, replace={"image": "image_", "truth": "radius_"})
    assert (pair.name, pair.truth.name) == ("image_1", "radius_1.npy")
    with pytest.raises(BenchmarkSetError, match="no truth for 1 images, such as image_1"):
        pair_images(radii, radii, replace={"image": "image_", "truth": "sigma_"})
    scores = benchmark.score_sigma(
        {"edge_ratio": lambda pair, grey: grey + 1},
        [pair],
        {"truth": "sigma", "radius_table": str(radii / "table.csv")},
    )
    assert scores.mae[0] == pytest.approx((0.7 + 0.7 + 0.3 + 0.5 + 0.5) / 5)


def test_relative_blur_is_scored_by_ranks_where_it_is_known(tmp_path):
    grey = np.array([[10, 20, 30], [40, 250, 60]], np.uint8)
    write(tmp_path / "image_1.png", grey)
    write(tmp_path / "truth_1.png", np.array([[50, 100, 150], [200, 0, 255]], np.uint8))
    (pair,) = pair_images(tmp_path, tmp_path, replace={"image": "image_", "truth": "truth_"}, last=1)
    methods = {"map": lambda pair, grey: grey**2, "entropy": lambda pair, grey: -grey}
    rows = benchmark.score_sigma(methods, [pair], {"truth": "relative"})
    assert rows.method.tolist() == ["map", "entropy"]
    assert rows.spearman.tolist() == pytest.approx([1, -1])
    assert not rows.fitted.any()
    table = benchmark.summarise(
        benchmark.merge_shards([rows[::-1].to_dict("records")], truth="relative"), truth="relative"
    )
    assert table.method.tolist() == ["map", "entropy"]
    assert np.isnan(benchmark.read_truth(pair, {"truth": "relative"})[1, 1])


def test_scores_of_shards_join_to_one_row_a_method_best_first():
    near = {"method": "map", "fitted": False}
    shards = [
        [{**near, "image": "b", "mae": 3.0}, {"method": "entropy", "fitted": True, "image": "b", "mae": 1.0}],
        [],
        [{**near, "image": "a", "mae": 1.0}, {"method": "entropy", "fitted": True, "image": "a", "mae": 2.0}],
    ]
    table = benchmark.summarise(benchmark.merge_shards(shards, truth="sigma"), truth="sigma")
    assert table[["method", "mae"]].to_numpy().tolist() == [["entropy", 1.5], ["map", 2.0]]
    masks = []
    for name, accuracy in (("a", 1.0), ("b", 0.75)):
        scores = {"bad": metrics.Detection(), "good": metrics.Detection()}
        truth = np.array([[True, False], [False, False]])
        scores["good"].add(name, truth * 1.0, truth)
        scores["bad"].add(name, np.zeros((2, 2)) if accuracy < 1 else truth * 1.0, truth)
        masks.append({method: score.state() for method, score in scores.items()})
    table = benchmark.summarise(benchmark.merge_shards(masks, truth="masks"), truth="masks")
    assert table[["method", "accuracy", "images"]].to_numpy().tolist() == [["good", 1, 2], ["bad", 0.875, 2]]


def test_of_a_peers_map_and_its_picture_the_map_is_read(tmp_path, pair):
    write(tmp_path / "peer/a.png", np.zeros((30, 50), np.uint8))
    np.save(tmp_path / "peer/a.npy", np.arange(12.0).reshape(3, 4))
    (tmp_path / "peer/a.txt").write_text("a note")
    method = benchmark.peer_methods({"other": {"folder": tmp_path / "peer", "high_means": "blurred"}})["other"]
    np.testing.assert_array_equal(method(pair, np.zeros((3, 4))), np.arange(12).reshape(3, 4))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((4, 3)), r"a.npy: a map of \(4, 3\) for a photograph of \(3, 4\); turn it"),
        (
            np.zeros(4),
            r"a.npy: expected an .npy file of \(height, width\) real numbers, found float64 of shape",
        ),
        (np.zeros((3, 4), complex), "found complex128"),
        (np.array([[None]]), "not an .npy file of numbers"),
        (np.full((3, 4), np.nan), "other, a: a map holds finite numbers"),
    ],
)
def test_a_peers_map_that_cannot_be_one_is_named(tmp_path, pair, values, message):
    (tmp_path / "peer").mkdir()
    np.save(tmp_path / "peer/a.npy", values, allow_pickle=True)
    methods = benchmark.peer_methods({"other": {"folder": tmp_path / "peer", "high_means": "blurred"}})
    with pytest.raises(ValueError, match=message):
        benchmark.score_masks(methods, [pair], blurred_value="white")


def test_a_truth_of_another_size_or_without_a_number_is_named(tmp_path, pair):
    write(pair.truth, np.zeros((3, 5), np.uint8))
    with pytest.raises(BenchmarkSetError, match=r"masks/a.png: \(3, 5\) does not fit a photograph of \(3, 4\)"):
        benchmark.score_masks({}, [pair], blurred_value="white")
    np.save(tmp_path / "masks/a.npy", np.full((3, 4), np.nan))
    (pair,) = pair_images(tmp_path / "photographs", tmp_path / "masks")
    with pytest.raises(BenchmarkSetError, match=r"a.npy: no pixel of it has a known blur"):
        benchmark.score_sigma({}, [pair], {"truth": "sigma"})


def test_a_peer_in_pixels_is_not_fitted_to_the_truth(tmp_path, pair):
    np.save(tmp_path / "masks/a.npy", np.full((3, 4), 2.0) + np.arange(4))
    (pair,) = pair_images(tmp_path / "photographs", tmp_path / "masks")
    methods = {name: lambda pair, grey: 1.0 + np.tile(np.arange(4.0), (3, 1)) for name in ("one", "other")}
    units = benchmark.method_units({"one": {"unit": "pixels"}, "other": {}})
    rows = benchmark.score_sigma(methods, [pair], {"truth": "sigma"}, units=units).set_index("method")
    assert rows.mae["one"] == pytest.approx(1)
    assert rows.mae["other"] == pytest.approx(0, abs=1e-6)
    assert rows.fitted.to_dict() == {"one": False, "other": True}


@pytest.mark.parametrize(("blurred", "expected"), [("white", [[False, True]]), ("black", [[True, False]])])
def test_a_mask_says_by_its_polarity_what_is_blurred(tmp_path, blurred, expected):
    write(tmp_path / "mask.png", np.array([[0, 255]], np.uint8))
    assert benchmark.read_mask(tmp_path / "mask.png", blurred_value=blurred).tolist() == expected


@pytest.mark.parametrize("white", [1, 127])
def test_a_mask_in_part_of_its_range_is_refused(tmp_path, white):
    write(tmp_path / "mask.png", np.array([[0, white]], np.uint8))
    with pytest.raises(BenchmarkSetError, match=r"mask\.png: a mask of 0 and 255 is expected, the brightest"):
        benchmark.read_mask(tmp_path / "mask.png", blurred_value="black")
    write(tmp_path / "mask.png", np.zeros((1, 2), np.uint8))
    assert not benchmark.read_mask(tmp_path / "mask.png", blurred_value="white").any()
