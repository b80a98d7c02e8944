"""What a photograph carries beside its pixels; 16-bit files that keep it, which Pillow cannot write."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from . import xmp

TIFF = (".tif", ".tiff")
_RESOLUTION, _UNIT = (282, 283), 296  # TIFF tags
_NONE, _INCH = 1, 2  # units
_TO_INCHES = {_INCH: 1.0, 3: 2.54}
_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_XMP_TAG, _XMP_NAME = 700, "XML:com.adobe.xmp"  # in TIFF and in PNG
_JPEG = (".jpg", ".jpeg")
_JPEG_XMP, _JPEG_EXIF = 65504, 65533  # bytes that a JPEG's segment holds
_LENGTHS = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
_DESCRIPTION = ExifTags.Base.ImageDescription
_DESCRIPTIVE = {  # what a TIFF's other tags say of its own layout must not travel
    _DESCRIPTION,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
}


def of(source: Image.Image, image: np.ndarray, suffix: str) -> dict:
    """Return what an image written with a suffix keeps of another file, as Pillow's options of ``save``.

    What cannot be carried, being damaged or too long, is left out.

    Parameters
    ----------
    source : photograph, opened, whose colour profile, EXIF, XMP and resolution are kept
    image : (H, W) or (H, W, C) upright; a profile is kept only where it is of such colours
    suffix : of the file to write, lower case with its dot
    """
    packet = xmp.descriptive(source.info.get("xmp", b""))
    exif = _exif(source, image, {_XMP_TAG: packet} if packet and suffix in TIFF else {})
    if suffix in _JPEG:
        exif = _short(exif)
    found = {"icc_profile": _profile(source, image), "exif": exif.tobytes() if _says(exif) else None}
    found |= _resolution(source, suffix) | (_xmp(packet, suffix) if packet else {})
    return {key: value for key, value in found.items() if value}


def channels(source: Image.Image) -> int:
    """Return the number of channels, pictures each, that ImageJ or OME note in the description of a TIFF."""
    description = str(source.tag_v2.get(_DESCRIPTION, ""))
    if noted := re.search(r"^channels=(\d+)", description, re.MULTILINE):
        return int(noted[1])
    return len(re.findall(r"<Channel\b", description))


def _profile(source: Image.Image, image: np.ndarray) -> bytes | None:
    grey = source.mode.startswith(("1", "L", "I"))
    if source.mode == "CMYK" or grey != (image.ndim == 2):
        return None
    return source.info.get("icc_profile")


def _exif(source: Image.Image, image: np.ndarray, more: dict[int, bytes]) -> Image.Exif:
    exif, kept = source.getexif(), Image.Exif()
    kept.update(more)
    kept.update({tag: exif[tag] for tag in exif if tag in _DESCRIPTIVE and isinstance(exif[tag], str)})
    described = _of_one_picture(kept.pop(_DESCRIPTION, ""))
    kept.update({_DESCRIPTION: described} if described else {})
    for directory in _DIRECTORIES:
        known = {tag: value for tag, value in exif.get_ifd(directory).items() if _writable(tag, value)}
        kept.get_ifd(directory).update(known)
    camera = kept.get_ifd(ExifTags.IFD.Exif)
    for tag, length in zip(_LENGTHS, image.shape[1::-1], strict=True):
        if tag in camera:  # of the picture before it was turned
            camera[tag] = length
    return kept


def _writable(tag: int, value: object) -> bool:
    """Say whether a tag can be written; in a damaged file it may be of another type than it should."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    try:
        directory[tag] = value
        directory.tobytes()
    except Exception:  # Pillow raises nearly anything
        return False
    return True


def _says(exif: Image.Exif) -> bool:
    return bool(len(exif) or any(exif.get_ifd(directory) for directory in _DIRECTORIES))


def _short(exif: Image.Exif) -> Image.Exif:
    """Return EXIF that a JPEG can hold: without the maker's note, or none, where it is too long."""
    if len(exif.tobytes()) > _JPEG_EXIF:
        exif.get_ifd(ExifTags.IFD.Exif).pop(ExifTags.Base.MakerNote, None)
    return exif if len(exif.tobytes()) <= _JPEG_EXIF else Image.Exif()


def _xmp(packet: bytes, suffix: str) -> dict:
    if suffix == ".png":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt(_XMP_NAME, packet.decode())
        return {"pnginfo": chunks}
    fits = suffix == ".webp" or (suffix in _JPEG and len(packet) <= _JPEG_XMP)
    return {"xmp": packet} if fits else {}


def _resolution(source: Image.Image, suffix: str) -> dict:
    density = _density(source)
    if density is None:
        return {}
    if suffix in TIFF:
        return dict(zip(("x_resolution", "y_resolution", "resolution_unit"), density, strict=True))
    *numbers, unit = density
    dpi = tuple(number * _TO_INCHES.get(unit, 0) for number in numbers)
    most = 1e8 if suffix == ".png" else 2**16  # what headers hold
    return {"dpi": dpi} if 0 < max(dpi) < most else {}


def _density(source: Image.Image) -> tuple[float, float, int] | None:
    """Return pixels to the unit across and down, and TIFF's number of the unit; None where none is given."""
    if source.format == "TIFF":
        numbers, unit = [source.tag_v2.get(tag, 0) for tag in _RESOLUTION], source.tag_v2.get(_UNIT, _INCH)
    else:
        numbers, unit = source.info.get("dpi", (0, 0)), _INCH
    try:
        across, down = map(float, numbers)
    except (TypeError, ValueError):  # of a damaged file
        return None
    unit = unit if unit in (_NONE, *_TO_INCHES) else _NONE
    return (across, down, unit) if 0 < across < 2**32 and 0 < down < 2**32 else None  # no 0/0


def _of_one_picture(description: str) -> str:
    """Return what a description says of each picture of a file: of ImageJ's the unit, of OME's nothing."""
    if description.startswith("ImageJ="):
        lines = description.splitlines()
        return "\n".join(line for line in lines if line.partition("=")[0] in ("ImageJ", "unit")) + "\n"
    return "" if "<OME" in description else description


def write_sixteen_bit(path: Path, image: np.ndarray, metadata: dict) -> None:
    """Write a PNG or TIFF, (H, W) or (H, W, 3) RGB uint16, with what :func:`of` found in another file."""
    if path.suffix.lower() in TIFF:
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
    packet = exif.get(_XMP_TAG, b"")
    directories = {directory: known for directory in _DIRECTORIES if (known := exif.get_ifd(directory))}
    tags = [(int(tag), "s", 0, value, True) for tag, value in texts.items() if tag != _DESCRIPTION]
    tags += [(_XMP_TAG, "B", len(packet), packet, True)] if packet else []
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
        description=texts.get(_DESCRIPTION),
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
        entry = file.pages[0].tags[int(directory) - 1].offset
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
