from .applications.depth import Lens, depth, relative_defocus
from .applications.enhance import enhance
from .applications.fusion.stack import Fusion, fuse
from .applications.magnify import magnify
from .io.read import read
from .io.write import write
from .maps.focus import in_focus
from .maps.pipeline import estimate
from .networks.storage import load_model

__version__: str
__all__ = [
    "Fusion",
    "Lens",
    "depth",
    "enhance",
    "estimate",
    "fuse",
    "in_focus",
    "load_model",
    "magnify",
    "read",
    "relative_defocus",
    "write",
]
