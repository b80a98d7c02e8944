import numpy as np
import pytest

from defocus_core.evaluation.experiments import rendered_stacks
from defocus_core.evaluation.experiments.setup import Setup
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.io.write import write


def test_a_method_that_takes_one_shot_is_visibly_worse_than_the_truth_of_each_pixel():
    methods = {"first": lambda shots: shots[0], "mean": lambda shots: np.mean(shots, 0) / 255}
    scores, panels = rendered_stacks.score_methods(methods, center_squares(96), rendered_stacks.CAMERAS[:1], seed=0)
    means = scores[scores.scenes == "all"].set_index("method")
    assert set(scores.columns) == {"scenes", "method", "wrong", "psnr", "ssim", "seconds"}
    assert len(scores) == 4 * 7
    assert (means.wrong[["first", "mean"]] > 5).all()
    assert means.wrong["sharpest_shot"] == 0
    assert means.psnr.idxmax() == "nearest_shot"
    assert not panels  # which show what is fused


def test_a_crop_of_a_real_stack_is_shown_by_each_method(tmp_path):
    image = (255 * center_squares(300)[0]).astype(np.uint8)
    for index in range(2):
        write(tmp_path / f"{index}.png", image + np.uint8(index))
    methods = {"first": lambda shots: shots[0], "second": lambda shots: shots[1]}
    panels = rendered_stacks._crop_panels(methods, folder=str(tmp_path), top=10, left=120, side=50)
    assert [name.split(", ")[1] for name, _ in panels] == ["first", "second"]
    np.testing.assert_allclose(panels[0][1], image[10:60, 120:170] / np.float32(255), atol=1e-6)
    assert panels[1][1] == pytest.approx(panels[0][1], abs=2)


@pytest.mark.parametrize(
    ("top", "left", "said"),
    [(64, 0, "rows 64 to 128 and columns 0 to 64 of"), (0, 80, "rows 0 to 64 and columns 80 to 144 of")],
)
def test_a_crop_beyond_its_stack_is_named_before_anything_is_fused(tmp_path, top, left, said):
    crop = {"folder": str(tmp_path), "side": 64}
    with pytest.raises(ValueError, match=r"^crops\.0: no shots in"):
        rendered_stacks.run(Setup(model=None), size=96, crops=[{**crop, "top": 0, "left": 0}])
    write(tmp_path / "0.png", np.zeros((100, 120, 3), np.uint8))
    inside = {**crop, "top": 36, "left": 56}
    with pytest.raises(ValueError, match=rf"^crops\.1: {said} .* 100 rows and 120 columns$"):
        rendered_stacks.run(Setup(model=None), size=96, crops=[inside, {**crop, "top": top, "left": left}])
