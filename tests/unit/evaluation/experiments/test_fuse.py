import sys

import numpy as np
import pytest

from defocus_core.evaluation import metrics
from defocus_core.evaluation.benchmark_sets import list_stacks
from defocus_core.evaluation.experiments import fuse
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.read import read
from defocus_core.io.write import write

OPTIONS = {"focus_quantiles": (0.9, 0.1), "sigma_per_disparity": 0.06}


def test_scenes_are_fused_by_every_method_and_the_best_comes_first(small_motorcycle, setup, monkeypatch):
    monkeypatch.setattr(fuse, "load_motorcycle", lambda: small_motorcycle)
    table, panels = fuse.run(setup, **OPTIONS, composites=1, size=64)
    assert set(table.scenes) == {"motorcycle", "three shots of the motorcycle", "composites"}
    for _, scores in table.groupby("scenes"):
        assert scores.psnr.is_monotonic_decreasing
        assert {"fused", "fused, seams of 1 pixel", "guided_filter"} <= set(scores.method)
        by_method = scores.set_index("method").psnr
        assert by_method["fused"] > by_method["mean"]
    assert len(panels) == 3 * 8


def test_composites_are_focused_before_and_behind_and_drawn_alike_each_time():
    photographs = center_squares(64)
    made = list(fuse.composite_stacks(photographs, 2, seed=3))
    assert [kind for kind, *_ in made] == ["composites"] * 2
    _, scene, shots = made[0]
    before, behind = map(as_float, shots)
    front = scene.disparity == 1
    assert metrics.psnr(before[front], scene.image[front]) > metrics.psnr(behind[front], scene.image[front])
    assert metrics.psnr(behind[~front], scene.image[~front]) > metrics.psnr(before[~front], scene.image[~front])
    again = next(fuse.composite_stacks(photographs, 1, seed=3))
    assert np.array_equal(again[2][0], shots[0])


def test_stacks_on_disk_are_fused_beside_stored_results_and_other_programs(tmp_path, setup):
    rng = np.random.default_rng(0)
    scene = rng.random((48, 56, 3))
    for shot in ("1", "2"):
        noisy = 0.8 * scene + 0.2 * rng.random(scene.shape)
        write(tmp_path / f"stacks/a/{shot}.png", to_dtype(noisy, np.uint8))
    write(tmp_path / "peer/a.png", read(tmp_path / "stacks/a/1.png"))
    program = f"{sys.executable} -c 'import sys, shutil; shutil.copy(sys.argv[2], sys.argv[3])' {{shots}} {{fused}}"
    table, panels = fuse.fuse_stacks(
        setup,
        list_stacks(tmp_path / "stacks"),
        peers={"stored": tmp_path / "peer"},
        commands={"second": program},
        folder=tmp_path / "out",
    )
    rows = table.set_index("method")
    assert {"fused", "stored", "second"} <= set(rows.index)
    assert set(table["stack"]) == {"a"}
    assert read(tmp_path / "out/a.png").shape == (48, 56, 3)
    assert rows.seconds["second"] > 0
    assert np.isnan(rows.seconds["stored"])
    assert [title for title, _ in panels][:2] == ["a, shot 1", "a, shot 2"]
    assert rows.q_abf["stored"] == pytest.approx(rows.q_abf["second"], abs=0.2)
