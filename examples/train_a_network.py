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
# # Patches, a small training, a map
#
# Training needs sharp photographs and no labels: they are blurred by a known sigma. This training is tiny, so that it
# ends within seconds; its map is only a sketch. The workflow does the same at scale.

# %%
import hashlib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from skimage import data
from sklearn.datasets import load_sample_image

import defocus_core as dc
from defocus_core.blur.levels import Levels
from defocus_core.networks.storage import save_model
from defocus_core.training.config import TrainConfig
from defocus_core.training.datasets import PatchDataset
from defocus_core.training.loop import train
from defocus_core.training.patch_store import read_patches
from defocus_core.training.patches import PatchConfig, write_patches

# %% [markdown]
# Cut 32x32 patches from sharp photographs and blur them at eight levels. The digest of a photograph seeds what is drawn
# from it.

# %%
config = PatchConfig(
    levels=Levels(spacing="geometric", count=8, min_sigma=0.4, max_sigma=8),
    domain="image",
    kernel="full",
    stride=16,
    min_sharpness=100,
    flat_fraction=0.3,
    max_per_image=40,
)


def make_patches(name: str, photographs: dict[str, np.ndarray]) -> PatchDataset:
    """Write the patches of photographs to a file and read them back."""
    members = []
    for stem, image in photographs.items():
        file = Path(f"{stem}.png")
        dc.write(file, image)
        members.append((hashlib.sha256(file.read_bytes()).hexdigest(), file))
    path = Path(f"{name}.h5")
    count = write_patches(members, path, config=config, seed=0, parameters={})
    print(f"{path}: {count} patches")
    return PatchDataset.of(read_patches(path), torch.device("cpu"))


training = make_patches(
    "train", {"coffee": data.coffee(), "chelsea": data.chelsea(), "rocket": data.rocket(), "grass": data.grass()}
)
validation = make_patches("validation", {"astronaut": data.astronaut()})

# %% [markdown]
# Train BlurNet for three epochs.

# %%
model, history = train(
    "blurnet",
    sigmas=config.sigmas(),
    train=training,
    validation=validation,
    config=TrainConfig(epochs=3, batch=64, learning_rate=3e-3, schedule="cosine"),
    seed=0,
)
for row in history:
    print(f"epoch {row['epoch']}: accuracy {row['validation_accuracy']:.0%} on the validation patches")
save_model(model, "tiny.safetensors")

# %% [markdown]
# Make a map with the new network.

# %%
image = load_sample_image("flower.jpg")
sigma = dc.estimate(image, model="tiny.safetensors", step=16)
print(f"median sigma {np.median(sigma):.2f} pixels")

figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
axes[0].imshow(image)
shown = axes[1].imshow(sigma, cmap="magma")
figure.colorbar(shown, ax=axes[1], label="sigma (pixels)")
for axis in axes:
    axis.axis("off")
figure.savefig("train_a_network.png")
