"""RegNetY-400MF (Radosavovic et al., CVPR 2020), torchvision's."""

from ._torchvision import builder

build = builder("regnet_y_400mf")
