import subprocess
import sys

import pytest

from defocus_core.training.config import SceneConfig, TrainConfig


@pytest.mark.parametrize(
    ("setting", "value"), [("epochs", 0), ("batch", 0), ("patience", -1), ("learning_rate", float("nan"))]
)
def test_settings_without_sense_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"^{setting} is .*, not {value}"):
        TrainConfig(**{setting: value})


def test_a_training_has_one_length():
    with pytest.raises(ValueError, match="epochs 100 and patch_steps 5: one of them gives the length"):
        TrainConfig(patch_steps=5)


def test_a_scene_s_sigmas_are_a_range():
    with pytest.raises(ValueError, match="min_sigma 3 is not below max_sigma 3"):
        SceneConfig(min_sigma=3.0, max_sigma=3.0)


def test_settings_are_read_without_what_trains():
    loaded = "import sys, defocus_core.training.config; print({'torch', 'cv2', 'scipy'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True) == "set()\n"
