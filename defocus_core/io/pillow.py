"""Files that Pillow reads: PNG, JPEG, WebP, AVIF, BMP, GIF, and TIFFs in colours that tifffile does not know."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import ExifTags, Image

from defocus_core.io.errors import ImageError, check_one, check_size
from defocus_core.io.photograph import Photograph

_LOCK = threading.RLock()
_GAMMA_OF_SRGB = 1 / 2.2


@contextmanager
def without_size_limit() -> Iterator[None]:
    """Lift Pillow's limit on pixels while a header is read; `check_size` checks the size itself.

    The limit is a variable of the whole process, so it is lifted for as short as possible, by one thread at a
    time, and put back.
    """
    with _LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def read_by_pillow(path: Path, index: int | None, *, max_pixels: int) -> Photograph:
    """Read a file's only picture, or the one of an index, upright."""
    with path.open("rb") as stream:  # opened by its name, Pillow would map the file into memory: some turn wrong
        with without_size_limit():
            picture = Image.open(stream)
            picture.seek(check_one(count_frames(picture)) if index is None else index)
        check_size(*picture.size, max_pixels)
        profile = find_profile(picture)
        stream.seek(24)
        has_16_bit = picture.format == "PNG" and stream.read(1) == b"\x10"
        samples = imagecodecs.png_decode(path.read_bytes()) if has_16_bit else _decode(picture)
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)  # of a TIFF, which Pillow turned, no more
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    pixels = samples if samples.ndim == 2 else samples[..., :3] if channels >= 3 else samples[..., 0]
    alpha = samples[..., -1] if channels in (2, 4) else None
    return Photograph(pixels, alpha, profile).turned(orientation)


def find_profile(picture: Image.Image) -> bytes | None:
    """Return the colour profile of what is read of a picture: its own, or one of the gamma that a PNG notes."""
    if picture.mode == "CMYK":
        return None
    gamma = picture.info.get("gamma", 0)
    if "icc_profile" in picture.info or "srgb" in picture.info or not 0.1 < gamma < 10:
        return picture.info.get("icc_profile")
    if abs(gamma - _GAMMA_OF_SRGB) < 0.02:
        return None
    white, primaries = (0.3127, 0.329, 1), (0.64, 0.33, 1, 0.3, 0.6, 1, 0.15, 0.06, 1)  # of sRGB, as xyY
    kind = "gray" if picture.mode.startswith(("1", "L", "I")) else "rgb"
    return imagecodecs.cms_profile(kind, whitepoint=white, primaries=primaries, gamma=1 / gamma)


def count_frames(picture: Image.Image) -> int:
    """Return how many pictures a file has for Pillow; thumbnails in a JPEG are none."""
    return getattr(picture, "n_frames", 1) if picture.format in ("WEBP", "PNG", "GIF", "AVIF") else 1


def _decode(picture: Image.Image) -> np.ndarray:
    """Return samples, (H, W) grey or (H, W, C), of whatever Pillow opens."""
    if picture.mode.startswith("I"):
        deep = np.asarray(picture)
        if deep.min() >= 0 and deep.max() < 2**16:
            return deep.astype(np.uint16)
    if picture.mode[0] in "FI":
        raise ImageError("unreadable", f"{picture.format} of mode {picture.mode}; save it as 8 or 16 bit PNG or TIFF")
    grey = picture.mode in ("1", "L", "LA", "La")
    target = ("LA" if grey else "RGBA") if picture.has_transparency_data else ("L" if grey else "RGB")
    return np.array(picture.convert(target))  # a copy, since what Pillow holds cannot be written to
