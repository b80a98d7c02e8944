"""DenseNet-121 (Huang et al., CVPR 2017), torchvision's."""

from ._torchvision import builder

build = builder("densenet121")
