import numpy as np
import pytest
import torch

from defocus_core.networks.classifier import build_classifier, copy_matching_weights
from defocus_core.training.config import AugmentConfig, TrainConfig
from defocus_core.training.datasets import PatchDataset, SceneDataset
from defocus_core.training.loop import evaluate, train

SIGMAS = np.array([0.0, 4.0], np.float32)
CONFIG = TrainConfig(epochs=3, batch=16, learning_rate=3e-3, augment=AugmentConfig(flips=True))


def _train(splits, config=CONFIG, **more):
    return train("blurnet", sigmas=SIGMAS, config=config, **splits, **more)


def test_training_learns_and_keeps_the_best_epoch(splits):
    model, history = _train(splits)
    assert evaluate(model, splits["validation"])["accuracy"] > 0.95
    least = min(row["validation_loss"] for row in history)
    assert evaluate(model, splits["validation"])["loss"] == pytest.approx(least, rel=1e-4)


def test_muon_learns_as_well(splits):
    model, history = _train(splits, CONFIG.changed(optimizer="muon"))
    assert evaluate(model, splits["validation"])["accuracy"] > 0.95
    assert history != _train(splits)[1]


def test_the_same_seed_gives_the_same_history(splits):
    assert _train(splits)[1] == _train(splits)[1]
    assert _train(splits, seed=1)[1] != _train(splits)[1]


def test_patience_stops_early(splits):
    stuck = CONFIG.changed(epochs=30, learning_rate=1e-12, patience=1, augment=AugmentConfig())
    assert len(_train(splits, stuck)[1]) < 30


def test_weights_that_leave_the_numbers_in_the_last_step_are_an_error(splits):
    config = CONFIG.changed(epochs=1, batch=128, learning_rate=1e30)
    with pytest.raises(ValueError, match=r"on the validation patches (nan|inf); lower train.learning_rate"):
        _train(splits, config)


def test_an_empty_split_is_an_error(splits):
    none = PatchDataset(splits["train"].images[:0], splits["train"].level[:0])
    with pytest.raises(ValueError, match="train has 0"):
        _train({"train": none, "validation": splits["validation"]})


def test_weights_decay_as_much_as_is_asked(splits):
    config = CONFIG.changed(epochs=1)
    lengths = []
    for decay in (0.0, 5.0):
        model, _ = _train(splits, config.changed(weight_decay=decay))
        lengths.append(float(model.state_dict()["network.trunk.3.weight"].norm()))
    assert lengths[1] < 0.98 * lengths[0]


def test_a_start_that_shares_no_layer_is_an_error(splits):
    start = build_classifier("mobilenet_v2", SIGMAS)
    with pytest.raises(ValueError, match="blurnet shares no layer with its start mobilenet_v2"):
        _train(splits, CONFIG, start=start)


def test_a_dense_network_trains_on_scenes_from_a_patch_networks_layers(columns):
    sigmas = np.geomspace(0.4, 12, 20).astype(np.float32)
    data = SceneDataset.of(columns, sigmas, torch.device("cpu"))
    start = build_classifier("blurnet", sigmas, seed=9)
    fresh = build_classifier("scenenet", sigmas)
    assert {"trunk.0.weight", "trunk.3.weight", "trunk.6.weight"} <= set(copy_matching_weights(fresh, start))
    config = TrainConfig(epochs=2, batch=4, augment=AugmentConfig(flips=True, noise=3))
    model, history = train("scenenet", sigmas=sigmas, train=data, validation=data, config=config, start=start)
    assert len(history) == 2
    assert model.dense(torch.rand(1, 1, 64, 64)).shape == (1, 20, 16, 16)
