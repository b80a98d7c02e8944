"""A worker of the tests computes on one core: as many workers as cores keep them all busy."""

import cv2
import torch

torch.set_num_threads(1)
cv2.setNumThreads(1)
