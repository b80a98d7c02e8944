"""Write photographs, with the metadata of another file."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, PngImagePlugin

from defocus_core import __version__
from defocus_core.io import atomic, readers
from defocus_core.io.color import as_float, check_range, srgb_to_linear, to_dtype
from defocus_core.io.exif import say_once
from defocus_core.io.listing import WRITABLE_SUFFIXES
from defocus_core.io.metadata import (
    HEIF_SUFFIXES,
    TIFF_SUFFIXES,
    Metadata,
    blocks,
    embed,
    read_metadata,
    say_what_is_lost,
)
from defocus_core.io.photograph import to_srgb

_SIXTEEN_BIT_SUFFIXES = (".png", ".exr", *TIFF_SUFFIXES, *HEIF_SUFFIXES)
_NO_ALPHA = (".jpg", ".jpeg", ".bmp")
_NO_PROFILE = (".bmp", ".exr")
_JPEG_OPTIONS = {"quality": 95, "subsampling": 0}
PNG_LEVEL = 3  # of zlib: 3 % more bytes than its default of 6, in a third of the time
_SAVE_OPTIONS: dict[str, dict] = {
    ".jpg": _JPEG_OPTIONS,
    ".jpeg": _JPEG_OPTIONS,
    ".webp": {"quality": 95},
    ".png": {"compress_level": PNG_LEVEL},
}


def check_suffix(path: str | Path, dtype: Any = np.uint8) -> None:
    """Raise ValueError unless a file's suffix names a format that can be written, in this depth."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        raise ValueError(f"no format for {Path(path).name!r}; one of {', '.join(WRITABLE_SUFFIXES)}")
    if dtype == np.uint16 and suffix not in _SIXTEEN_BIT_SUFFIXES:
        raise ValueError(f"{suffix} holds no 16 bit; write .png or .tif")


def write(
    path: str | Path,
    image: np.ndarray,
    *,
    like: str | Path | None = None,
    alpha: np.ndarray | None = None,
    keep_float: bool = False,
) -> None:
    """Write an image, with what another file says beside its pixels.

    Parameters
    ----------
    path : file to write; its suffix chooses the format
    image : (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8, uint16 (PNG, TIFF, HEIC and OpenEXR only) or float in
        [0, 1] (written as 8 bit but in OpenEXR)
    like : photograph whose ICC profile, EXIF (orientation reset), IPTC, descriptive XMP and resolution are kept, and
        whether it is lossless WebP. BMP and OpenEXR have no place for a profile: their pixels become sRGB
    alpha : (H, W) of the image's dtype, 0 where it shows nothing; JPEG and BMP show white there
    keep_float : write floats into a TIFF as float32 with their range declared

    Raises
    ------
    ValueError
        If the suffix names no known format, or cannot hold 16 bit; if the image is of another shape, dtype or range.

    Examples
    --------
    A float image is written as 8 bit; 16 bit survive in PNG and TIFF.

    >>> import numpy as np
    >>> from defocus_core import read, write
    >>> write("grey.png", np.array([[0.0, 0.5, 1.0]]))
    >>> read("grey.png").tolist()
    [[0, 128, 255]]
    >>> write("deep.tif", np.array([[0, 4095]], np.uint16))
    >>> read("deep.tif").tolist()
    [[0, 4095]]
    """
    path, like = Path(path), None if like is None else Path(like)
    suffix = path.suffix.lower()
    check_suffix(path, image.dtype)
    image, alpha = _split_alpha(image, alpha)
    if image.dtype.kind == "f" and suffix != ".exr" and not (keep_float and suffix in TIFF_SUFFIXES):
        image, alpha = to_dtype(image, np.uint8), None if alpha is None else to_dtype(alpha, np.uint8)
    size = image.shape[1], image.shape[0]
    kept = read_metadata(like, grey=_channels(image) < 3, size=size) if like else None
    if kept:
        say_what_is_lost(kept, suffix)
        image = to_srgb(image, kept.profile) if suffix in _NO_PROFILE else image
    if alpha is not None and suffix in _NO_ALPHA:
        image = _lay_on_white(image, alpha, suffix)
    elif alpha is not None:
        image = np.dstack([image, alpha])
    with atomic.replacing(path) as part:
        if suffix == ".exr":
            _write_exr(part, image)
        else:
            part.write_bytes(_encode(image, suffix, kept, lossless=bool(like and _is_lossless_webp(like))))


def _split_alpha(image: np.ndarray, alpha: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Return an image as (H, W) or (H, W, 3), and its alpha; refuse what is no image."""
    if image.dtype.kind not in "bf" and image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image to write is uint8, uint16 or float in [0, 1], not {image.dtype}")
    if image.size == 0 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ValueError(f"an image to write is (H, W) or (H, W, 1|3|4), not {image.shape}")
    if image.dtype == bool:
        image = image * np.uint8(255)
    if image.dtype.kind == "f":
        check_range(np.fmin.reduce(image, axis=None), np.fmax.reduce(image, axis=None))
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim == 3 and image.shape[2] == 4:
        return image[:, :, :3], image[:, :, 3] if alpha is None else alpha
    return image, alpha


def _lay_on_white(image: np.ndarray, alpha: np.ndarray, suffix: str) -> np.ndarray:
    """Return an image of 8 bit before white, and say so, where alpha hides any of it."""
    if alpha.min() == 255:
        return image
    say_once(f"{suffix} does not keep alpha; what it hides is white")
    weight = as_float(alpha).reshape(*alpha.shape, *(1,) * (image.ndim - 2))
    return to_dtype(weight * as_float(image) + (1 - weight), np.uint8)


def write_exr_channels(path: Path, channels: dict[str, np.ndarray], header: dict[str, str]) -> None:
    """Write an OpenEXR file of channels by name, with notes in its header."""
    exr = readers.exr_library()
    layout = {"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}
    with exr.File(layout | header, channels) as file:
        file.write(str(path))


def _encode(image: np.ndarray, suffix: str, kept: Metadata | None, *, lossless: bool) -> bytes:
    """Return the file of an image in a format other than OpenEXR."""
    if suffix in (".avif", *HEIF_SUFFIXES):
        return _encode_heif(image, suffix, blocks(kept) if kept else {})
    if suffix in TIFF_SUFFIXES:
        encoded = _encode_tiff(image, kept)
    elif suffix == ".png" and image.dtype == np.uint16:
        encoded = bytes(imagecodecs.png_encode(np.ascontiguousarray(image), level=PNG_LEVEL))
    else:
        options = {"lossless": True} if lossless and suffix == ".webp" else _SAVE_OPTIONS.get(suffix, {})
        encoded = _encode_by_pillow(image, suffix, kept, options)
    if kept is None or suffix == ".bmp":
        return encoded
    embedded = embed(encoded, kept, suffix)
    return _add_chunks(embedded, kept) if suffix == ".png" else embedded


def _encode_by_pillow(image: np.ndarray, suffix: str, kept: Metadata | None, options: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    if kept and kept.dpi and max(kept.dpi) < 2**16 and suffix != ".png":  # `_add_chunks` has that of PNG
        options = options | {"dpi": kept.dpi}
    Image.fromarray(image).save(stream, Image.registered_extensions()[suffix], **options)
    return stream.getvalue()


def _add_chunks(png: bytes, kept: Metadata) -> bytes:
    """Return a PNG with colour profile and pixels to the metre; imagecodecs writes neither, exiv2 no profile's name."""
    stream, header = io.BytesIO(), 8 + 25  # signature and IHDR chunk
    stream.write(png[:header])
    if kept.profile:
        PngImagePlugin.putchunk(stream, b"iCCP", b"ICC profile\0\0", zlib.compress(kept.profile))
    if kept.dpi and max(kept.dpi) < 1e8:
        density = (round(number / 0.0254) for number in kept.dpi)
        PngImagePlugin.putchunk(stream, b"pHYs", struct.pack(">IIB", *density, 1))
    stream.write(png[header:])
    return stream.getvalue()


def _encode_tiff(image: np.ndarray, kept: Metadata | None) -> bytes:
    stream, channels = io.BytesIO(), _channels(image)
    options: dict[str, Any] = {"photometric": "rgb" if channels >= 3 else "minisblack"}
    if image.ndim == 3:
        options |= {"planarconfig": "contig", "extrasamples": ["unassalpha"] if channels in (2, 4) else []}
    if kept:
        options["iccprofile"] = kept.profile
    if kept and kept.density:
        options |= {"resolution": kept.density[:2], "resolutionunit": kept.density[2]}
    if image.dtype.kind == "f":  # its range: SMin- and SMaxSampleValue
        image = image.astype(np.float32)
        options["extratags"] = [(340, "f", 1, 0.0, True), (341, "f", 1, 1.0, True)]
    tifffile.imwrite(stream, image, software=False, metadata=None, **options)
    return stream.getvalue()


def _encode_heif(image: np.ndarray, suffix: str, kept: dict[str, bytes]) -> bytes:
    stream, options = io.BytesIO(), {"quality": 95, **kept}
    if suffix == ".avif":
        Image.fromarray(image).save(stream, "AVIF", subsampling="4:4:4", **options)
        return stream.getvalue()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[_channels(image)] + (";16" if image.dtype == np.uint16 else "")
    data, size = np.ascontiguousarray(image).tobytes(), (image.shape[1], image.shape[0])
    readers.heif_library().from_bytes(mode, size, data).save(stream, chroma=444, **options)
    return stream.getvalue()


def _write_exr(path: Path, image: np.ndarray) -> None:
    levels = np.atleast_3d(image if image.dtype.kind == "f" else image / np.iinfo(image.dtype).max)
    colours = 3 if levels.shape[2] >= 3 else 1
    light = np.ascontiguousarray(srgb_to_linear(levels[..., :colours]))
    channels = {"RGB": light} if colours == 3 else {"Y": light[..., 0]}
    if levels.shape[2] > colours:
        channels["A"] = levels[..., colours].astype(np.float32)
        light *= channels["A"][..., None]
    write_exr_channels(path, channels, {"software": f"defocus-core {__version__}"})


def _channels(image: np.ndarray) -> int:
    return 1 if image.ndim == 2 else image.shape[2]


def _is_lossless_webp(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(2**16)
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP" and b"VP8L" in head
