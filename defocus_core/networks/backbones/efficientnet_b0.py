"""EfficientNet-B0 (Tan & Le, ICML 2019), torchvision's."""

from defocus_core.networks.backbones._torchvision import torchvision_builder

build = torchvision_builder("efficientnet_b0")
