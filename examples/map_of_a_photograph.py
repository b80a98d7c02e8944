# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The map of a photograph, read in pixels
#
# A defocus map gives the standard deviation, in pixels, of the Gaussian blur at each pixel. Put the path of your own
# photograph in the place of the flower.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

import defocus_core as dc

photograph = Path("flower.png")
if not photograph.exists():
    dc.write(photograph, load_sample_image("flower.jpg"))

# %% [markdown]
# Read the photograph and estimate its map.

# %%
image = dc.read(photograph)
sigma = dc.estimate(image)
print(f"{image.shape[1]}x{image.shape[0]} pixels, sigma from {sigma.min():.2f} to {sigma.max():.2f} pixels")

# %% [markdown]
# Read single pixels and regions. Rows come first, as in every NumPy image.

# %%
row, column = 190, 300
print(f"sigma at row {row}, column {column}: {sigma[row, column]:.2f} pixels")
print(f"median of the upper left corner: {np.median(sigma[:80, :80]):.2f} pixels")

# %% [markdown]
# How much of the photograph is sharper than one pixel of sigma, and how much is in focus by its own blur?

# %%
probability = dc.in_focus(sigma)
print(f"sigma below 1 pixel: {(sigma < 1).mean():.0%}")
print(f"in focus: {(probability > 0.5).mean():.0%}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
axes[0].imshow(image)
shown = axes[1].imshow(sigma, cmap="magma")
figure.colorbar(shown, ax=axes[1], label="sigma (pixels)")
axes[2].imshow(probability, cmap="gray", vmin=0, vmax=1)
for axis, title in zip(axes, ("photograph", "defocus map", "in-focus probability"), strict=True):
    axis.set_title(title)
    axis.axis("off")
figure.savefig("map_of_a_photograph.png")
