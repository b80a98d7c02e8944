"""Make docs/trade.png: accuracy of the networks of the published comparison against what they cost."""

from pathlib import Path

import pandas as pd

from defocus_core.evaluation import plots
from defocus_core.evaluation.comparison import COST_LABELS

here = Path(__file__).parent
plots.plot_trade(pd.read_csv(here / "tables/published.csv"), here / "trade.png", y="accuracy", costs=COST_LABELS)
