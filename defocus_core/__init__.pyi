from .applications.depth import Lens, depth, relative_defocus
from .applications.enhance import enhance
from .applications.fusion.stack import Fusion, fuse
from .applications.magnify import magnify
from .applications.score.measure import Score, score
from .io.photograph import Photograph
from .io.read import read, read_photograph
from .io.write import write
from .maps.focus import in_focus
from .maps.pipeline import estimate, estimate_with_certainty
from .networks.storage import load_model

__version__: str
__all__ = [
    "Fusion",
    "Lens",
    "Photograph",
    "Score",
    "depth",
    "enhance",
    "estimate",
    "estimate_with_certainty",
    "fuse",
    "in_focus",
    "load_model",
    "magnify",
    "read",
    "read_photograph",
    "relative_defocus",
    "score",
    "write",
]
