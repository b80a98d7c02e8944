"""Make docs/picture.png: a photograph, its defocus map, and its defocus magnified."""

from pathlib import Path

from sklearn.datasets import load_sample_image

from defocus_core.applications.magnify import magnify
from defocus_core.evaluation import plots
from defocus_core.io.color import as_float
from defocus_core.maps.pipeline import estimate

photograph = as_float(load_sample_image("flower.jpg"))
sigma = estimate(photograph)
magnified = magnify(photograph, sigma)
panels = [("photograph", photograph), ("sigma (pixels)", sigma), ("defocus magnified", magnified)]
plots.plot_panels(panels, Path(__file__).with_name("picture.png"))
