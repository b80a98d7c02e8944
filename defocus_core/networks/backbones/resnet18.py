"""ResNet-18 (He et al., CVPR 2016), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("resnet18")
