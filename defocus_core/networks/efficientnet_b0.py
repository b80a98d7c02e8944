"""EfficientNet-B0 (Tan & Le, ICML 2019), torchvision's."""

from ._torchvision import builder

build = builder("efficientnet_b0")
