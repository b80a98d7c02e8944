"""RegNetY-400MF (Radosavovic et al., CVPR 2020), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("regnet_y_400mf")
