"""Single-image defocus estimation: how blurred each pixel is, as a Gaussian sigma in pixels."""

__version__ = "0.1.0"
