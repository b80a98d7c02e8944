"""ShuffleNetV2, 1.0x (Ma et al., ECCV 2018), torchvision's."""

from ._torchvision import builder

build = builder("shufflenet_v2_x1_0")
