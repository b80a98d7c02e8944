"""MnasNet, depth 1.0 (Tan et al., CVPR 2019), torchvision's."""

from ._torchvision import builder

build = builder("mnasnet1_0")
