import numpy as np
import pandas as pd
import pytest

from defocus_core.evaluation.experiments import score
from defocus_core.evaluation.known_scenes import center_squares


def test_the_summary_ranks_blur_by_condition_and_over_all():
    each = pd.DataFrame(
        [
            ("plain", "none", 0.0, 0.3),
            ("plain", "disk", 1.0, 1.0),
            ("plain", "disk", 2.0, 2.0),
            ("dark", "none", 0.0, 1.5),
            ("dark", "disk", 1.0, 1.0),
            ("dark", "disk", 2.0, 2.0),
            ("enlarged", "none", 0.0, 9.0),
            ("enlarged", "disk", 1.0, 1.0),
            ("enlarged", "disk", 2.0, 2.0),
        ],
        columns=["condition", "kernel", "sigma", "value"],
    ).assign(method="own")
    table = score.summary(each, 1.0).set_index("condition")
    assert table.auc.to_dict() == {score.ALL: 0.75, "plain": 1.0, "dark": 0.5, "enlarged": 0.0}
    assert table.auc_at_least["dark"] == 0
    assert table.spearman["plain"] == pytest.approx(1)
    assert table.spearman["enlarged"] == pytest.approx(-0.5)


def test_the_network_tells_blurred_photographs_from_sharp_ones(setup):
    table, panels = score.run(setup, sigmas=[0.5, 4], min_sigma=1, size=96, limit=1)
    own = table[table.method == "score"].set_index(["condition", "kernel"])
    assert {"laplacian_variance", "blur_effect"} <= set(table.method)
    assert own.auc[score.ALL, "gaussian"] > 0.9
    assert len(own) == 10 * 3
    assert panels


def test_the_conditions_of_one_blur_share_subject_and_frame():
    images = center_squares(64)[:2]
    found = list(score.cases(images, [2.0], seed=0))
    assert len(found) == 2 * 9 * 4
    assert {case.image.shape for case in found} == {(64, 64, 3)}
    assert {case.image.dtype for case in found} == {np.dtype(np.uint8)}
    dark, pale = (next(c.image for c in found if c.condition == name) for name in ("dark backdrop", "pale backdrop"))
    assert np.median(dark) < 20
    assert np.median(pale) > 200
