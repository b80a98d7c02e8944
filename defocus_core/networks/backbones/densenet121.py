"""DenseNet-121 (Huang et al., CVPR 2017), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("densenet121")
