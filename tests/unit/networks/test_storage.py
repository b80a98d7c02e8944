"""The shipped weights give the scores that their cards say."""

from pathlib import Path

import numpy as np
import pytest

from defocus_core.blur.rendering import render_defocus
from defocus_core.evaluation import metrics
from defocus_core.evaluation.known_scenes import load_motorcycle
from defocus_core.maps.pipeline import estimate
from defocus_core.networks.storage import WEIGHTS_FOLDER, shipped_models

SCORES = {"blurnet": (0.929, 0.856), "scenenet": (0.732, 0.921)}  # MAE in pixels, correlation


@pytest.fixture(scope="module")
def photograph():
    scene = load_motorcycle()
    strength = 8 / float(np.ptp(scene.disparity))
    return render_defocus(scene, focus=float(np.quantile(scene.disparity, 0.9)), sigma_per_disparity=strength)


@pytest.mark.parametrize("name", SCORES)
def test_a_shipped_model_scores_on_the_motorcycle_as_its_card_says(photograph, name):
    image, truth = photograph
    scores = metrics.sigma_errors(estimate(image, model=name, step=8), truth)
    assert (scores["mae"], scores["correlation"]) == pytest.approx(SCORES[name], abs=0.01)
    card = (WEIGHTS_FOLDER / f"{name}.md").read_text()
    assert f"{SCORES[name][0]:.3f} pixels, correlation {SCORES[name][1]:.3f}" in card


def test_every_shipped_model_has_a_card_and_a_score():
    assert set(shipped_models()) == set(SCORES)
    assert {path.stem for path in Path(WEIGHTS_FOLDER).glob("*.md")} == set(SCORES)
    assert sum(path.stat().st_size for path in Path(WEIGHTS_FOLDER).glob("*")) < 20e6
