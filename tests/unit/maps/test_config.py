import pytest

from defocus_core.maps.config import DEFAULT_CONFIG, PAPER_CONFIG, MapConfig, map_arguments_from
from defocus_core.maps.refine.guided import PAPER_GUIDED, GuidedConfig
from defocus_core.maps.refine.refinement import LeastSquaresConfig
from defocus_core.settings import SettingsError


def test_a_section_of_the_workflow_gives_the_arguments_of_estimate():
    section = {
        "model": "shipped/scenenet",
        "step": 8,
        "refine": False,
        "decision": "winner",
        "refinement": {"method": "guided", "radius": 9},
    }
    assert map_arguments_from(section) == {
        "step": 8,
        "refine": False,
        "config": MapConfig(decision="winner", refinement=GuidedConfig(radius=9)),
    }
    assert map_arguments_from({"step": 16, "refine": True}) == {"step": 16, "refine": True, "config": DEFAULT_CONFIG}


def test_a_refinement_without_a_method_is_least_squares():
    assert MapConfig(refinement={"smoothness": 3.0}).refinement == LeastSquaresConfig(smoothness=3.0)
    assert MapConfig(refinement={"method": "guided"}).refinement == GuidedConfig()


def test_the_papers_maps_have_nothing_of_what_was_added_since():
    assert PAPER_CONFIG.refinement == PAPER_GUIDED
    assert PAPER_CONFIG.decision == "winner"
    added = ("certainty_exponent", "min_pyramid_side", "judge_oversampling", "log_sigma", "stretch_contrast")
    assert [getattr(PAPER_CONFIG, name) for name in added] == [0, 0, False, False, False]
    assert all(getattr(DEFAULT_CONFIG, name) for name in added)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"decision": "mean"}, "decision is one of 'expectation', 'winner', not 'mean'"),
        ({"certainty_exponent": -1.0}, r"certainty_exponent is at least 0(\.0)?, not -1"),
        ({"log_sigma": 1}, "log_sigma is true or false, not 1"),
        ({"stretch": True}, "stretch is no known key; did you mean 'stretch_contrast'"),
    ],
)
def test_a_wrong_setting_is_named(values, message):
    with pytest.raises(SettingsError, match=f"^{message}"):
        MapConfig(**values)
