import sys

import numpy as np
import pytest

from defocus_core.evaluation import fusion_baselines, metrics
from defocus_core.io.color import to_grey


@pytest.mark.parametrize("name", ["defocus_map", "laplacian_pyramid", "guided_filter"])
def test_a_baseline_beats_the_mean_and_keeps_equal_shots(scene, shots, name):
    method = fusion_baselines.fusion_methods({})[name]
    average = metrics.psnr(fusion_baselines.mean(shots), scene)
    assert metrics.psnr(method(shots), scene) > average + 4
    np.testing.assert_allclose(method([scene, scene]), scene, atol=1e-5)
    grey = [to_grey(shot) for shot in shots]
    assert method([*grey, grey[0]]).shape == grey[0].shape


def test_the_pyramid_of_one_level_is_worked_by_hand():
    """A constant, and one with a bright pixel: the detail of the latter is kept, the rest averaged."""
    flat, dot = np.full((16, 16), 0.4, np.float32), np.full((16, 16), 0.2, np.float32)
    dot[8, 8] = 0.7
    fused = fusion_baselines.laplacian_pyramid([flat, dot], levels=1)
    returned = 0.5 * (6 / 16 * 6 / 8 + 2 * 1 / 16 * 1 / 8) ** 2  # of the dot, reduced by 1 4 6 4 1 and expanded
    detail = 0.5 - returned
    assert fused[8, 8] == pytest.approx(0.3 + returned / 2 + detail, abs=1e-5)


def test_another_program_is_run_on_files_and_left_out_where_missing(shots, caplog):
    script = "import sys, shutil; shutil.copy(sys.argv[2], sys.argv[3])"
    command = f"{sys.executable} -c '{script}' {{shots}} {{fused}}"
    known = fusion_baselines.fusion_methods({"second": command, "none": "no-such-program {shots} -o {fused}"})
    assert set(known) == {*fusion_baselines.fusion_methods({}), "second"}
    assert caplog.messages == ["none is not installed and left out"]
    np.testing.assert_allclose(known["second"](shots), shots[1], atol=0.003)
