import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from defocus_core.evaluation import plots


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_photographs_of_any_depth_and_grey_ones_are_drawn_as_pictures(tmp_path, dtype):
    top = np.iinfo(dtype).max
    grey = np.full((60, 90), top // 2, dtype)
    colour = np.stack([grey, 0 * grey, 0 * grey], 2)
    plots.plot_panels([("a", grey), ("b", colour)], tmp_path / "panels.png")
    drawn = np.asarray(Image.open(tmp_path / "panels.png").convert("RGB")).astype(int)
    for shown in ((127, 127, 127), (127, 0, 0)):
        assert (np.abs(drawn - shown).max(2) < 4).mean() > 0.2


def test_each_cost_has_its_panel_beside_the_others(tmp_path):
    table = pd.DataFrame({"model": ["a", "b"], "accuracy": [0.9, 0.98], "ms": [0.1, 1.0], "mb": [3, 30]})
    widths = []
    for costs in ({"ms": "time"}, {"ms": "time", "mb": "memory"}):
        plots.plot_trade(table, tmp_path / "trade.png", y="accuracy", costs=costs)
        widths.append(cv2.imread(str(tmp_path / "trade.png")).shape[1])
    assert widths[1] == 2 * widths[0]
