"""MobileNetV3, small (Howard et al., ICCV 2019), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("mobilenet_v3_small")
