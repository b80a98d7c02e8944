"""MobileNetV2 (Sandler et al., CVPR 2018), torchvision's."""

from ._torchvision import builder

build = builder("mobilenet_v2")
