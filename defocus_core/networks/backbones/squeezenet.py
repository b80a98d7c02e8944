"""SqueezeNet 1.1 (Iandola et al., 2016), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("squeezenet1_1")
