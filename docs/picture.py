"""Make docs/picture.png: a photograph, its defocus map, and its defocus magnified."""

from pathlib import Path

from sklearn.datasets import load_sample_image

from defocus_core import images, magnify, maps, plots

photograph = images.as_float(load_sample_image("flower.jpg"))
sigma = maps.estimate(photograph)
magnified = magnify.widen(photograph, sigma)
panels = [("photograph", photograph), ("sigma (pixels)", sigma), ("defocus magnified", magnified)]
plots.side_by_side(panels, Path(__file__).with_name("picture.png"))
