import numpy as np
import pandas as pd
import pytest

from defocus_core.evaluation import metrics
from defocus_core.evaluation.experiments import enhance
from defocus_core.evaluation.experiments.setup import Setup
from defocus_core.io.color import as_float
from defocus_core.io.read import read
from defocus_core.io.write import write


class Flat(Setup):
    """Stands in for a network: one sigma everywhere."""

    def map(self, image):
        return np.full(image.shape[:2], 0.8, np.float32)


def test_photographs_without_a_truth_are_scored_as_they_are_and_sharpened(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("grey.png", "a/other.png", "b/other.png"):
        write(tmp_path / name, rng.integers(0, 256, (40, 40), np.uint8))
    each = enhance.without_truth(Flat(None), sorted(tmp_path.rglob("*.png")), {"mean": np.mean, "spread": np.ptp})
    assert set(each.photograph) == {"grey", "a/other.png", "b/other.png"}
    assert len(enhance.summary(each)) == len(set(each.method))
    assert {"input", "adaptive", "unsharp masking"} <= set(each.method)
    row = each.set_index(["photograph", "method"]).loc["grey", "input"]
    assert row["mean"] == pytest.approx(as_float(read(tmp_path / "grey.png")).mean())


def test_the_summary_counts_the_photographs_that_got_better():
    each = pd.DataFrame(
        [("input", "a", 1.0), ("input", "b", 3.0), ("mine", "a", 0.5), ("mine", "b", 4.0)],
        columns=["method", "photograph", "blur"],
    )
    table = enhance.summary(each).set_index("method")
    assert table.blur.to_dict() == {"input": 2.0, "mine": 2.25}
    assert table.blur_better.to_dict() == {"input": 0.0, "mine": 0.5}


def test_the_gain_of_noise_is_that_of_the_method():
    class Sharp(Flat):
        def map(self, image):
            return np.full(image.shape[:2], 20.0, np.float32)

    table, panels = enhance.run(Sharp(None), max_sigmas=[8], size=64)
    means = table[table.scene == "mean"].set_index("method")
    for untouched in ("input", "adaptive"):  # a sigma of 20 everywhere gets no gain
        assert means.noise_gain_blurred[untouched] == pytest.approx(1, abs=1e-3)
    assert means.noise_gain_blurred["unsharp masking"] > 1.2
    titles = dict(panels)
    assert metrics.psnr(titles["adaptive"], titles["before"]) > 50
