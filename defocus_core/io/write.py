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
from PIL import Image

from defocus_core import __version__
from defocus_core.io import atomic, readers
from defocus_core.io.color import srgb_to_linear, to_dtype
from defocus_core.io.listing import WRITABLE_SUFFIXES
from defocus_core.io.metadata import HEIF_SUFFIXES, TIFF_SUFFIXES, Metadata, blocks, embed, read_metadata

_SIXTEEN_BIT_SUFFIXES = (".png", ".exr", *TIFF_SUFFIXES, *HEIF_SUFFIXES)
_NO_ALPHA = (".jpg", ".jpeg", ".bmp")
_JPEG_OPTIONS = {"quality": 95, "subsampling": 0}
_SAVE_OPTIONS: dict[str, dict] = {".jpg": _JPEG_OPTIONS, ".jpeg": _JPEG_OPTIONS, ".webp": {"quality": 95}}


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
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 (PNG, TIFF, HEIC and OpenEXR only) or float in [0, 1]
        (written as 8 bit but in OpenEXR)
    like : photograph whose ICC profile, EXIF (orientation reset), IPTC, descriptive XMP and resolution are kept, and
        whether it is lossless WebP
    alpha : (H, W) of the image's dtype, 0 where it shows nothing; JPEG and BMP leave it out

    keep_float : write floats into a TIFF as float32 with their range declared

    Raises
    ------
    ValueError
        If the suffix names no known format, or cannot hold 16 bit.

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
    keep_float = suffix == ".exr" or (keep_float and suffix in TIFF_SUFFIXES)
    if np.issubdtype(image.dtype, np.floating) and not keep_float:
        image = to_dtype(image, np.dtype(np.uint8))
        alpha = None if alpha is None else to_dtype(alpha, np.dtype(np.uint8))
    if alpha is not None and suffix not in _NO_ALPHA:
        image = np.dstack([image, alpha])
    has_grey, size = image.ndim == 2 or image.shape[2] == 2, (image.shape[1], image.shape[0])
    kept = read_metadata(like, grey=has_grey, size=size) if like else None
    if suffix == ".exr":
        with atomic.replacing(path) as part:
            _write_exr(part, image)
        return
    encoded = _encode(image, suffix, kept, lossless=bool(like and _is_lossless_webp(like)))
    atomic.write_bytes(
        path, embed(encoded, kept, suffix) if kept and suffix not in (".avif", *HEIF_SUFFIXES) else encoded
    )


def _encode(image: np.ndarray, suffix: str, kept: Metadata | None, *, lossless: bool) -> bytes:
    """Return an image in a format, with its colour profile and resolution."""
    stream = io.BytesIO()
    profile = kept.profile if kept else None
    if suffix in TIFF_SUFFIXES:
        _encode_tiff(stream, image, kept)
    elif suffix in HEIF_SUFFIXES:
        _encode_heif(stream, image, blocks(kept) if kept else {})
    elif suffix == ".avif":
        Image.fromarray(image).save(stream, "AVIF", quality=95, subsampling="4:4:4", **(blocks(kept) if kept else {}))
    elif suffix == ".png" and image.dtype == np.uint16:
        return _with_density(bytes(imagecodecs.png_encode(np.ascontiguousarray(image))), kept)
    else:
        options = {"lossless": True} if lossless and suffix == ".webp" else _SAVE_OPTIONS.get(suffix, {})
        dpi = kept.dpi if kept else None
        known = {
            "icc_profile": profile,
            "dpi": dpi if dpi and max(dpi) < (1e8 if suffix == ".png" else 2**16) else None,
        }
        form = Image.registered_extensions()[suffix]
        Image.fromarray(image).save(stream, form, **options, **{key: value for key, value in known.items() if value})
    return stream.getvalue()


def _encode_tiff(stream: io.BytesIO, image: np.ndarray, kept: Metadata | None) -> None:
    colours = 1 if image.ndim == 2 or image.shape[2] == 2 else 3
    more: dict[str, Any] = {"extrasamples": ["unassalpha"]} if image.ndim == 3 and image.shape[2] > colours else {}
    if kept and kept.density:
        more |= {"resolution": kept.density[:2], "resolutionunit": kept.density[2]}
    if image.dtype.kind == "f":
        image = image.astype(np.float32)
        more["extratags"] = [
            (tag, "f", 1, value, True) for tag, value in ((340, 0.0), (341, 1.0))
        ]  # SMin-, SMaxSampleValue
    photometric = "minisblack" if colours == 1 else "rgb"
    planar: dict[str, Any] = {"planarconfig": "contig"} if image.ndim == 3 else {}
    profile = kept.profile if kept else None
    tifffile.imwrite(
        stream, image, photometric=photometric, iccprofile=profile, software=False, metadata=None, **planar, **more
    )


def _encode_heif(stream: io.BytesIO, image: np.ndarray, kept: dict[str, bytes]) -> None:
    heif = readers.heif_library()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[1 if image.ndim == 2 else image.shape[2]]
    depth = ";16" if image.dtype == np.uint16 else ""
    size = image.shape[1], image.shape[0]
    picture = heif.from_bytes(mode + depth, size, np.ascontiguousarray(image).tobytes())
    picture.save(stream, quality=95, chroma=444, **kept)


def _write_exr(path: Path, image: np.ndarray) -> None:
    levels = image if image.dtype.kind == "f" else image / np.iinfo(image.dtype).max
    channels = levels[..., None] if levels.ndim == 2 else levels
    names = {1: ["Y"], 2: ["Y", "A"], 3: ["RGB"], 4: ["RGBA"]}[channels.shape[2]]
    light = np.ascontiguousarray(srgb_to_linear(channels))
    light[..., 3:] = channels[..., 3:]
    written = {names[0]: light} if len(names) == 1 and channels.shape[2] > 1 else {"Y": light[..., 0].copy()}
    if names[-1] == "A":
        written["A"] = channels[..., 1].astype(np.float32)
    readers.write_exr_channels(path, written, {"software": f"defocus-core {__version__}"})


def _with_density(png: bytes, kept: Metadata | None) -> bytes:
    """Return a PNG with its pixels to the metre, which imagecodecs does not write."""
    dpi = kept.dpi if kept else None
    if not dpi or max(dpi) >= 1e8:
        return png
    chunk = b"pHYs" + struct.pack(">IIB", *(round(density / 0.0254) for density in dpi), 1)
    header = 8 + 25  # signature and IHDR chunk
    return png[:header] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[header:]


def _is_lossless_webp(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(2**16)
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP" and b"VP8L" in head
