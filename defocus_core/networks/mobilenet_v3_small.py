"""MobileNetV3, small (Howard et al., ICCV 2019), torchvision's."""

from ._torchvision import builder

build = builder("mobilenet_v3_small")
