import pytest

from defocus_core.evaluation.experiments import magnify


def test_the_wide_aperture_is_best_and_the_true_map_beats_the_photograph_as_it_is(small_motorcycle, setup, monkeypatch):
    monkeypatch.setattr(magnify, "load_motorcycle", lambda: small_motorcycle)
    options = {"focus_disparity": 60.0, "sigma_per_disparity": 0.02, "aperture_ratio": 3.0}
    table, panels = magnify.run(setup, **options, composites=1, size=64)
    assert set(table.scenes) == {"motorcycle", "composites"}
    for _, scores in table.set_index("method").groupby("scenes"):
        assert scores.psnr["wider aperture, true map"] > scores.psnr["input"] + 1
        assert scores.ssim["true wide aperture"] == pytest.approx(1)
        assert scores.sigma_reached["true wide aperture"] > scores.sigma_reached["input"] + 0.5
        assert scores.sigma_asked.nunique() == 1
    assert len(panels) == 2 * magnify.COLUMNS
    asked = table[table.scenes == "motorcycle"].sigma_asked.iloc[0]
    assert asked == pytest.approx(0.02 * 3 * 40, rel=0.5)
