"""SqueezeNet 1.1 (Iandola et al., 2016), torchvision's."""

from ._torchvision import builder

build = builder("squeezenet1_1")
