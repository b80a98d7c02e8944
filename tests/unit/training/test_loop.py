import cv2
import numpy as np
import pytest
import torch

from defocus_core.training import augmentation
from defocus_core.training.datasets import NO_AUGMENTATION, PatchDataset, SceneDataset, tensor_digest
from defocus_core.training.loop import TrainConfig, evaluate, train
from defocus_core.training.weight_averaging import interpolate_weights

SIGMAS = np.array([0.0, 4.0], np.float32)
CONFIG = TrainConfig(epochs=3, batch=16, learning_rate=3e-3, augment=augmentation.AugmentConfig(flips=True))


@pytest.fixture(scope="module")
def splits():
    """Noise, and the same noise smoothed: two levels that one epoch can tell apart."""
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 256, (64, 32, 32), dtype=np.uint8)
    smooth = np.repeat(np.repeat(sharp[:, ::8, ::8], 8, 1), 8, 2)
    columns = {"patches": np.concatenate([sharp, smooth]), "level": np.repeat(np.array([0, 1], np.uint8), 64)}
    patches = PatchDataset.of(columns, torch.device("cpu"))
    return {"train": patches, "validation": patches}


def _train(splits, config=CONFIG, **more):
    return train("blurnet", sigmas=SIGMAS, config=config, **splits, **more)


def test_training_learns_and_keeps_the_best_epoch(splits):
    model, history = _train(splits)
    assert evaluate(model, splits["validation"])["accuracy"] > 0.95
    least = min(row["validation_loss"] for row in history)
    assert evaluate(model, splits["validation"])["loss"] == pytest.approx(least, rel=1e-4)


def test_the_same_seed_gives_the_same_history(splits):
    assert _train(splits)[1] == _train(splits)[1]
    assert _train(splits, seed=1)[1] != _train(splits)[1]


class KilledError(Exception):
    pass


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_killed_run_goes_on_and_ends_as_an_unbroken_one(splits, tmp_path, schedule):
    config = CONFIG.changed(schedule=schedule)
    unbroken_model, unbroken = _train(splits, config)

    def kill(row):
        if row["epoch"] == 1:
            raise KilledError

    with pytest.raises(KilledError):
        _train(splits, config, checkpoint=tmp_path / "c", report=kill)
    seen = []
    model, history = _train(splits, config, checkpoint=tmp_path / "c", report=seen.append)
    assert history == unbroken
    assert seen == unbroken
    for mine, other in zip(model.state_dict().values(), unbroken_model.state_dict().values(), strict=True):
        assert torch.equal(mine, other)


def test_a_damaged_or_foreign_checkpoint_only_costs_its_epochs(splits, tmp_path):
    (tmp_path / "c").write_bytes(b"\x80\x04garbage")
    _, history = _train(splits, checkpoint=tmp_path / "c")
    assert history == _train(splits)[1]
    other = CONFIG.changed(learning_rate=1e-4)
    assert _train(splits, other, checkpoint=tmp_path / "c")[1] == _train(splits, other)[1]


def test_patches_in_another_order_or_of_other_levels_are_others(splits):
    patches = splits["train"]
    turned = PatchDataset(patches.images.flip(0), patches.level)
    relabelled = PatchDataset(patches.images, patches.level.flip(0))
    assert len({patches.digest(), turned.digest(), relabelled.digest()}) == 3
    assert tensor_digest(torch.zeros(2, 8)) != tensor_digest(torch.zeros(4, 4))
    assert patches.digest() == PatchDataset(patches.images.clone(), patches.level).digest()


def test_patience_stops_early(splits):
    stuck = CONFIG.changed(epochs=30, learning_rate=1e-12, patience=1, augment=augmentation.AugmentConfig())
    assert len(_train(splits, stuck)[1]) < 30


def test_weights_that_leave_the_numbers_in_the_last_step_are_an_error(splits):
    config = CONFIG.changed(epochs=1, batch=128, learning_rate=1e30)
    with pytest.raises(ValueError, match=r"on the validation patches (nan|inf); lower train.learning_rate"):
        _train(splits, config)


@pytest.mark.parametrize(
    ("setting", "value"), [("epochs", 0), ("batch", 0), ("patience", -1), ("learning_rate", float("nan"))]
)
def test_settings_without_sense_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"^{setting} is .*, not {value}"):
        TrainConfig(**{setting: value})


def test_scenes_refuse_a_level_of_no_blur():
    columns = {"images": np.zeros((1, 8, 8), np.uint8), "sigma": np.ones((1, 2, 2), np.float16)}
    with pytest.raises(ValueError, match="scenes need levels of sigma above 0"):
        SceneDataset.of(columns, SIGMAS, torch.device("cpu"))


def test_an_empty_split_is_an_error(splits):
    none = PatchDataset(splits["train"].images[:0], splits["train"].level[:0])
    with pytest.raises(ValueError, match="train has 0"):
        _train({"train": none, "validation": splits["validation"]})


def test_every_augmentation_keeps_shape_and_range():
    torch.manual_seed(0)
    batch = torch.rand(8, 1, 32, 32)
    ranges = augmentation.AugmentConfig(flips=True, gamma=0.5, contrast=0.5, noise=8, jpeg_fraction=0.9)
    out = augmentation.augment_batch(batch, ranges)
    assert out.shape == batch.shape
    assert out.min() >= 0
    assert out.max() <= 1
    assert torch.equal(augmentation.augment_batch(batch, augmentation.AugmentConfig()), batch)


def test_jpeg_is_close_to_a_real_encoder():
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (32, 32), dtype=np.uint8), (0, 0), 1.5)
    for quality in (50, 80):
        ok, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        real = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE).astype(np.float32)
        mine = augmentation.jpeg_quantise(
            torch.from_numpy(image)[None, None].float() / 255, torch.full((1, 1, 1, 1), float(quality))
        )
        assert ok
        assert np.abs(mine.numpy()[0, 0] * 255 - real).mean() < 0.6


def test_the_mean_of_two_networks_measures_its_batch_statistics_anew(splits):
    start, _ = _train(splits)
    end, _ = _train(splits, seed=1, start=start)
    plain = CONFIG.changed(augment=NO_AUGMENTATION)
    model = interpolate_weights(start, end, splits["train"], config=plain, start_weight=0.75, count=64)
    first = "network.trunk.0.weight"
    mean = 0.75 * start.state_dict()[first] + 0.25 * end.state_dict()[first]
    torch.testing.assert_close(model.state_dict()[first], mean)
    assert not torch.equal(mean, end.state_dict()[first])
    images = splits["train"].batch(torch.arange(64))[0]
    answers = torch.nn.functional.conv2d((images - 0.5) / 0.25, mean, stride=model.network.trunk[0].stride)
    found = model.state_dict()["network.trunk.1.running_mean"]
    np.testing.assert_allclose(found, answers.mean((0, 2, 3)), atol=1e-4)


class Certain(torch.nn.Module):
    """Gives every pixel the same chances of three levels."""

    sigmas = torch.tensor([1.0, 2.0, 8.0])
    chances = torch.tensor([0.2, 0.5, 0.3])

    def dense(self, images):
        return self.chances.log().view(1, 3, 1, 1).expand(len(images), 3, 2, 2)


@pytest.mark.parametrize(("level", "right"), [(1.25, 1.0), (0.75, 1.0), (1.75, 0.0)])
def test_a_level_between_two_is_scored_by_its_nearness_to_both(level, right):
    data = SceneDataset(torch.zeros(2, 8, 8, dtype=torch.uint8), torch.full((2, 2, 2), level))
    below = int(level)
    share, chances, sigmas = level - below, [0.2, 0.5, 0.3], [1, 2, 8]
    scores = evaluate(Certain(), data)
    loss = -((1 - share) * np.log(chances[below]) + share * np.log(chances[below + 1]))
    sigma = sigmas[below] ** (1 - share) * sigmas[below + 1] ** share
    expected = {"loss": loss, "accuracy": right, "mae_sigma": abs(0.2 * 1 + 0.5 * 2 + 0.3 * 8 - sigma)}
    assert scores == pytest.approx(expected, rel=1e-5)


def test_scenes_are_turned_with_their_labels():
    torch.manual_seed(0)
    level = torch.arange(4.0).view(1, 2, 2)
    scenes = SceneDataset(level.to(torch.uint8).repeat_interleave(4, 1).repeat_interleave(4, 2), level)
    seen = set()
    for _ in range(60):
        images, turned = scenes.batch(torch.tensor([0]), augmentation.AugmentConfig(flips=True))
        torch.testing.assert_close(images[0, 0, 2::4, 2::4] * 255, turned[0])
        seen.add(tuple(turned.flatten().tolist()))
    assert len(seen) == 8


def test_the_cosine_warms_up_and_ends_near_nothing(splits):
    config = CONFIG.changed(epochs=4, batch=32, schedule="cosine")
    rates = [row["learning_rate"] for row in _train(splits, config)[1]]
    done = (np.arange(4) * 4 + 3) / 16  # of the last of four steps an epoch
    np.testing.assert_allclose(rates, 3e-3 * (1 + np.cos(np.pi * done)) / 2, rtol=1e-6)
    one = config.changed(epochs=40, batch=128)
    assert _train(splits, one.changed(epochs=1))[1][0]["learning_rate"] == pytest.approx(3e-3 * 1e-3 / 0.05, rel=1e-6)


def test_weights_decay_as_much_as_is_asked(splits):
    config = CONFIG.changed(epochs=1)
    lengths = []
    for decay in (0.0, 5.0):
        model, _ = _train(splits, config.changed(weight_decay=decay))
        lengths.append(float(model.state_dict()["network.trunk.3.weight"].norm()))
    assert lengths[1] < 0.98 * lengths[0]


def test_contrast_keeps_the_order_of_grey_levels_and_the_mean():
    torch.manual_seed(0)
    batch = 0.4 + 0.2 * torch.rand(64, 1, 8, 8)
    varied = augmentation.augment_batch(batch, augmentation.AugmentConfig(contrast=0.5))
    gains = varied.flatten(1).std(1) / batch.flatten(1).std(1)
    torch.testing.assert_close(varied.mean((1, 2, 3)), batch.mean((1, 2, 3)))
    assert torch.equal(varied.flatten(1).argmax(1), batch.flatten(1).argmax(1))
    assert 0.5 <= gains.min() < 0.6
    assert 1.4 < gains.max() <= 1.501


def test_gamma_and_noise_reach_as_far_as_asked_to_both_sides():
    torch.manual_seed(0)
    grey = torch.full((400, 1, 8, 8), 0.5)
    exponents = augmentation.augment_batch(grey, augmentation.AugmentConfig(gamma=1.0))[:, 0, 0, 0].log() / np.log(0.5)
    assert 0.5 <= exponents.min() < 0.52
    assert 1.96 < exponents.max() <= 2.001
    noise = augmentation.augment_batch(grey, augmentation.AugmentConfig(noise=10)).flatten(1).std(1) * 255
    assert 8 < noise.max() < 13
    assert noise.min() < 1


def test_flips_give_all_eight_orientations():
    torch.manual_seed(0)
    batch = (torch.arange(4.0) / 4).view(1, 1, 2, 2).expand(100, 1, 2, 2)
    turned = augmentation.augment_batch(batch, augmentation.AugmentConfig(flips=True))
    assert len({tuple(patch.flatten().tolist()) for patch in turned}) == 8
