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
# # A focus stack, fused
#
# Fusion takes every pixel from the shot that is sharpest there, and says which shot that is. The stack here is rendered
# from a photograph of scikit-image whose depth is made up, so that the true all-in-focus image is known.

# %%
import matplotlib.pyplot as plt
import numpy as np
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

import defocus_core as dc
from defocus_core.blur.rendering import Scene, render_focus_stack

# %% [markdown]
# A cup of coffee whose lower part is near the camera. A disparity is an inverse distance: larger is nearer.

# %%
sharp = data.coffee()[40:360, 100:500]
disparity = np.broadcast_to(np.linspace(0, 1, sharp.shape[0], dtype=np.float32)[:, None], sharp.shape[:2])
scene = Scene(sharp.astype(np.float32) / 255, np.ascontiguousarray(disparity))
shots = render_focus_stack(scene, focuses=[0.1, 0.5, 0.9], sigma_per_disparity=6, layers=12)

# %% [markdown]
# Fuse the shots.

# %%
fused = dc.fuse(shots)
for index in range(len(shots)):
    print(f"shot {index} gives {(fused.labels == index).mean():.0%} of the pixels")

# %% [markdown]
# Compare with the sharp photograph, in dB.

# %%
for index, shot in enumerate(shots):
    print(f"shot {index}: {peak_signal_noise_ratio(sharp, shot):.1f} dB")
print(f"fused:  {peak_signal_noise_ratio(sharp, fused.image):.1f} dB")

# %%
figure, axes = plt.subplots(1, 5, figsize=(16, 3), layout="constrained")
panels = [*shots, fused.image, fused.labels]
titles = ("far", "middle", "near", "fused", "shot of each pixel")
for axis, panel, title in zip(axes, panels, titles, strict=True):
    axis.imshow(panel)
    axis.set_title(title)
    axis.axis("off")
figure.savefig("fuse_a_stack.png")
