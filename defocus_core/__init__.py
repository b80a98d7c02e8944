"""Single-image defocus estimation: how blurred each pixel is, as a Gaussian sigma in pixels.

>>> import defocus_core as dc
>>> image = dc.read("photo.jpg")  # doctest: +SKIP
>>> sigma = dc.estimate(image)  # doctest: +SKIP
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
