"""An experiment that cannot work is refused by what is wrong in it."""

import pytest

from defocus_core.settings import SettingsError
from workflow_support.sections.applications import ScoreExperiment


def test_sigmas_that_all_count_as_in_focus_are_refused():
    with pytest.raises(SettingsError, match="none of the sigmas is from min_sigma 1 on"):
        ScoreExperiment(sigmas=[0.5], min_sigma=1.0, size=64, limit=1)
