"""Write 16-bit PNG and TIFF files with their metadata, which Pillow cannot."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import ExifTags, Image, TiffImagePlugin

from defocus_core.io.metadata import DESCRIPTION_TAG, EXIF_DIRECTORIES, TIFF_SUFFIXES, XMP_TAG


def write_sixteen_bit(path: Path, image: np.ndarray, metadata: dict) -> None:
    """Write a PNG or TIFF, (H, W) or (H, W, 3) RGB uint16, with what `save_options` found in another file."""
    if path.suffix.lower() in TIFF_SUFFIXES:
        _write_tiff(path, image, metadata)
        return
    bgr = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".png", bgr)[1].tobytes()
    header = 8 + 25  # signature and IHDR chunk
    path.write_bytes(data[:header] + _png_chunks(metadata) + data[header:])


def _write_tiff(path: Path, image: np.ndarray, metadata: dict) -> None:
    """Write what Pillow cannot: 16 bit in colour. The EXIF directories are appended and then pointed to."""
    exif = Image.Exif()
    exif.load(metadata.get("exif", b""))
    texts = {tag: value for tag, value in exif.items() if isinstance(value, str)}
    packet = exif.get(XMP_TAG, b"")
    directories = {directory: known for directory in EXIF_DIRECTORIES if (known := exif.get_ifd(directory))}
    tags: list[tuple[int, str, int, str | bytes | int, bool]] = []
    tags += [(int(tag), "s", 0, value, True) for tag, value in texts.items() if tag != DESCRIPTION_TAG]
    tags += [(XMP_TAG, "B", len(packet), packet, True)] if packet else []
    # tifffile writes no pointers to directories itself: the tag before holds the place
    tags += [(int(directory) - 1, "I", 1, 0, True) for directory in directories]
    density = {}
    if "x_resolution" in metadata:
        numbers = metadata["x_resolution"], metadata["y_resolution"]
        density = {"resolution": numbers, "resolutionunit": metadata["resolution_unit"]}
    tifffile.imwrite(
        path,
        image,
        byteorder="<",
        photometric="minisblack" if image.ndim == 2 else "rgb",
        iccprofile=metadata.get("icc_profile"),
        software=False,
        metadata=None,
        description=texts.get(DESCRIPTION_TAG),
        extratags=tags,
        **density,
    )
    for directory, known in directories.items():
        _append_directory(path, directory, known)


def _append_directory(path: Path, directory: ExifTags.IFD, known: dict) -> None:
    """Append an EXIF directory to a TIFF and turn the tag that holds its place into the pointer to it."""
    appended = TiffImagePlugin.ImageFileDirectory_v2(group=directory)
    appended.update({tag: value for tag, value in known.items() if not isinstance(value, dict)})
    with tifffile.TiffFile(path) as file:
        entry = file.pages.first.tags[int(directory) - 1].offset
    end = path.stat().st_size
    end += end % 2
    with path.open("r+b") as file:
        file.seek(entry)
        file.write(struct.pack("<HHII", directory, 4, 1, end))
        file.seek(end)
        file.write(appended.tobytes(end))


def _png_chunks(metadata: dict) -> bytes:
    chunks = b""
    if "icc_profile" in metadata:
        chunks += _png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(metadata["icc_profile"]))
    if "dpi" in metadata:
        across, down = (round(density / 0.0254) for density in metadata["dpi"])
        chunks += _png_chunk(b"pHYs", struct.pack(">IIB", across, down, 1))  # pixels to the metre
    if "exif" in metadata:
        chunks += _png_chunk(b"eXIf", metadata["exif"].removeprefix(b"Exif\0\0"))
    if "pnginfo" in metadata:
        chunks += b"".join(_png_chunk(kind, data) for kind, data, *_ in metadata["pnginfo"].chunks)
    return chunks


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
