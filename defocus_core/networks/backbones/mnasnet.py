"""MnasNet, depth 1.0 (Tan et al., CVPR 2019), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("mnasnet1_0")
