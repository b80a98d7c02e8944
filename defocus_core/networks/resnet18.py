"""ResNet-18 (He et al., CVPR 2016), torchvision's."""

from ._torchvision import builder

build = builder("resnet18")
