"""MobileNetV2 (Sandler et al., CVPR 2018), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("mobilenet_v2")
