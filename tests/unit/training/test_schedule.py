import numpy as np
import pytest

from defocus_core.training.config import AugmentConfig, TrainConfig
from defocus_core.training.loop import train
from defocus_core.training.schedule import Plan, learning_rate, plan_steps

SIGMAS = np.array([0.0, 4.0], np.float32)
CONFIG = TrainConfig(epochs=3, batch=16, learning_rate=3e-3, augment=AugmentConfig(flips=True))


def _train(splits, config=CONFIG, **more):
    return train("blurnet", sigmas=SIGMAS, config=config, **splits, **more)


def test_the_cosine_warms_up_and_ends_near_nothing(splits):
    config = CONFIG.changed(epochs=4, batch=32, schedule="cosine")
    rates = [row["learning_rate"] for row in _train(splits, config)[1]]
    done = (np.arange(4) * 4 + 3) / 16  # of the last of four steps an epoch
    np.testing.assert_allclose(rates, 3e-3 * (1 + np.cos(np.pi * done)) / 2, rtol=1e-6)
    one = config.changed(epochs=40, batch=128)
    assert _train(splits, one.changed(epochs=1))[1][0]["learning_rate"] == pytest.approx(3e-3 * 1e-3 / 0.05, rel=1e-6)


@pytest.mark.parametrize(
    ("schedule", "fractions"),  # of the peak, once 0, 1/8, 1/4, 5/8 and all of the steps are done
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("cosine", [0.02, 0.961940, 0.853553, 0.308658, 0]),  # (1 + cos(pi x)) / 2 after the warm-up
        ("onecycle", [1 / 25, 0.52, 1, 0.50005, 1e-4]),  # 1/8 is midway up, 5/8 midway down
    ],
)
def test_the_rates_of_a_schedule_are_worked_by_hand(schedule, fractions):
    rates = [learning_rate(schedule, done, peak=0.2) for done in (0, 1 / 8, 1 / 4, 5 / 8, 1)]
    np.testing.assert_allclose(rates, 0.2 * np.array(fractions), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "onecycle"])
def test_no_rate_is_above_the_peak_nor_below_nothing(schedule):
    rates = [learning_rate(schedule, done, peak=3.0) for done in np.linspace(0, 1, 101)]
    assert 0 <= min(rates) <= max(rates) <= 3


def test_an_epoch_leaves_out_what_fills_no_batch():
    assert plan_steps(100, batch=16, epochs=3, patch_steps=None) == Plan(16, 6, (6, 12, 18))


def test_fewer_patches_than_a_batch_are_one_and_count_as_many_as_they_are():
    assert plan_steps(5, batch=16, epochs=2, patch_steps=None) == Plan(5, 1, (1, 2))
    assert plan_steps(5, batch=16, epochs=None, patch_steps=20).steps == 4


def test_a_length_in_patch_steps_has_twenty_rows_of_the_history():
    plan = plan_steps(100, batch=16, epochs=None, patch_steps=1000)
    assert plan.steps_per_epoch == 6
    assert plan.steps == 63  # 62.5 batches
    assert len(plan.row_ends) == 20
    assert set(np.diff((0, *plan.row_ends))) == {3, 4}
    assert plan_steps(100, batch=16, epochs=None, patch_steps=30).row_ends == (1, 2)
    assert plan_steps(100, batch=16, epochs=None, patch_steps=1).row_ends == (1,)
