"""A worker of the tests computes on one core: as many workers as cores keep them all busy."""

import cv2
import torch

torch.set_num_threads(1)
cv2.setNumThreads(1)


def pytest_collection_modifyitems(items):
    """Put the run of the workflow first, the longest, and last what waits for it."""
    items.sort(key=lambda item: 0 if item.path.stem == "test_run" else 1 + ("ran" in item.fixturenames))
