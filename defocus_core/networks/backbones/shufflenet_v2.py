"""ShuffleNetV2, 1.0x (Ma et al., ECCV 2018), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("shufflenet_v2_x1_0")
