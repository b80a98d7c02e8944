"""Metadata of a photograph that a picture made from it keeps."""

from __future__ import annotations

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from defocus_core.io.xmp import descriptive_packet

TIFF_SUFFIXES = (".tif", ".tiff")
_RESOLUTION, _UNIT = (282, 283), 296  # TIFF tags
_NONE, _INCH = 1, 2  # units
_TO_INCHES = {_INCH: 1.0, 3: 2.54}
EXIF_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
XMP_TAG, _XMP_NAME = 700, "XML:com.adobe.xmp"  # in TIFF and in PNG
_JPEG = (".jpg", ".jpeg")
_JPEG_XMP, _JPEG_EXIF = 65504, 65533  # bytes that a JPEG's segment holds
_LENGTHS = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
DESCRIPTION_TAG = ExifTags.Base.ImageDescription
_DESCRIPTIVE = {  # what a TIFF's other tags say of its own layout must not travel
    DESCRIPTION_TAG,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
}


def save_options(source: Image.Image, image: np.ndarray, suffix: str) -> dict:
    """Return what an image written with a suffix keeps of another file, as Pillow's options of `save`.

    What cannot be carried, being damaged or too long, is left out.

    Parameters
    ----------
    source : photograph, opened, whose colour profile, EXIF, XMP and resolution are kept
    image : (H, W) or (H, W, C) upright; a profile is kept only where it is of such colours
    suffix : of the file to write, lower case with its dot
    """
    packet = descriptive_packet(source.info.get("xmp", b""))
    exif = _exif(source, image, {XMP_TAG: packet} if packet and suffix in TIFF_SUFFIXES else {})
    if suffix in _JPEG:
        exif = _fit_jpeg_segment(exif)
    found = {"icc_profile": _profile(source, image), "exif": exif.tobytes() if _has_tags(exif) else None}
    found |= _resolution(source, suffix) | (_xmp(packet, suffix) if packet else {})
    return {key: value for key, value in found.items() if value}


def _profile(source: Image.Image, image: np.ndarray) -> bytes | None:
    grey = source.mode.startswith(("1", "L", "I"))
    if source.mode == "CMYK" or grey != (image.ndim == 2):
        return None
    return source.info.get("icc_profile")


def _exif(source: Image.Image, image: np.ndarray, more: dict[int, bytes]) -> Image.Exif:
    exif, kept = source.getexif(), Image.Exif()
    kept.update(more)
    kept.update({tag: exif[tag] for tag in exif if tag in _DESCRIPTIVE and isinstance(exif[tag], str)})
    described = _per_picture_description(kept.pop(DESCRIPTION_TAG, ""))
    kept.update({DESCRIPTION_TAG: described} if described else {})
    for directory in EXIF_DIRECTORIES:
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


def _has_tags(exif: Image.Exif) -> bool:
    return bool(len(exif) or any(exif.get_ifd(directory) for directory in EXIF_DIRECTORIES))


def _fit_jpeg_segment(exif: Image.Exif) -> Image.Exif:
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
    if suffix in TIFF_SUFFIXES:
        return dict(zip(("x_resolution", "y_resolution", "resolution_unit"), density, strict=True))
    *numbers, unit = density
    dpi = tuple(number * _TO_INCHES.get(unit, 0) for number in numbers)
    most = 1e8 if suffix == ".png" else 2**16  # what headers hold
    return {"dpi": dpi} if 0 < max(dpi) < most else {}


def _density(source: Image.Image) -> tuple[float, float, int] | None:
    """Return pixels to the unit across and down, and TIFF's number of the unit; None where none is given."""
    if isinstance(source, TiffImagePlugin.TiffImageFile):
        numbers, unit = [source.tag_v2.get(tag, 0) for tag in _RESOLUTION], source.tag_v2.get(_UNIT, _INCH)
    else:
        numbers, unit = source.info.get("dpi", (0, 0)), _INCH
    try:
        across, down = map(float, numbers)
    except (TypeError, ValueError):  # of a damaged file
        return None
    unit = unit if unit in (_NONE, *_TO_INCHES) else _NONE
    return (across, down, unit) if 0 < across < 2**32 and 0 < down < 2**32 else None  # no 0/0


def _per_picture_description(description: str) -> str:
    """Return what a description says of each picture of a file: of ImageJ's the unit, of OME's nothing."""
    if description.startswith("ImageJ="):
        lines = description.splitlines()
        return "\n".join(line for line in lines if line.partition("=")[0] in ("ImageJ", "unit")) + "\n"
    return "" if "<OME" in description else description
