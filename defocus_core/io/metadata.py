"""Metadata of a photograph that a picture made from it keeps, by libexiv2."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from defocus_core.io.exif import Opened, library, open_metadata, say_once

TIFF_SUFFIXES, JPEG_SUFFIXES, HEIF_SUFFIXES = (".tif", ".tiff"), (".jpg", ".jpeg"), (".heic", ".heif")
_WITH_IPTC = (".png", *TIFF_SUFFIXES, *JPEG_SUFFIXES)
_MAX_JPEG_XMP = 65504  # bytes that a segment holds
_PER_INCH = {2: 1.0, 3: 2.54}  # TIFF's units of resolution
_NO_UNIT = 1
_MICROMETRES_PER_INCH = 25400
_OF_THE_FILE = {"XMLPacket", "ImageResources", "SubIFDs", "CFARepeatPatternDim", "CFAPattern", "IPTCNAA"}
_OF_THE_FILE |= {"InterColorProfile", "Interlace", "TIFFEPStandardID", "PrintImageMatching"}
_OF_THE_SCENE = {"DocumentName", "UniqueCameraModel", "CameraSerialNumber", "LensInfo"}
_ASCII = 2  # TIFF's type of a text
_DESCRIPTION = "Exif.Image.ImageDescription"
_WIDTH, _HEIGHT = "Exif.Photo.PixelXDimension", "Exif.Photo.PixelYDimension"
_XMP_OF_THE_SCENE = {
    "http://purl.org/dc/elements/1.1/",
    "http://ns.adobe.com/xap/1.0/",
    "http://ns.adobe.com/xap/1.0/rights/",
    "http://ns.adobe.com/photoshop/1.0/",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "http://ns.useplus.org/ldf/xmp/1.0/",
    "http://creativecommons.org/ns#",
    "http://ns.adobe.com/lightroom/1.0/",
    "http://www.digikam.org/ns/1.0/",
    "http://ns.microsoft.com/photo/1.0/",
    "http://ns.adobe.com/exif/1.0/aux/",
}


@dataclass(frozen=True)
class Metadata:
    """What travels from a file to a picture made of it: exiv2's data, an ICC profile and a resolution.

    Parameters
    ----------
    exif, iptc, xmp : as exiv2 has them
    profile : ICC profile, where it is of the picture's colours
    density : pixels to the unit across and down, and TIFF's number of the unit; None where none is known
    pixel_size : micrometres from one pixel to the next across, where a microscope noted it
    """

    exif: Any
    iptc: Any
    xmp: Any
    profile: bytes | None = None
    density: tuple[float, float, int] | None = None
    pixel_size: float | None = None

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Pixels to the inch, None where neither the unit nor a microscope tells it."""
        if not self.density:
            return None
        across, down, unit = self.density
        factor = _MICROMETRES_PER_INCH / (self.pixel_size * across) if self.pixel_size else _PER_INCH.get(unit)
        return (across * factor, down * factor) if factor else None


def read_metadata(path: Path, *, grey: bool, size: tuple[int, int]) -> Metadata:
    """Return what travels to a picture of a size (width, height), in grey or colour; what is damaged does not."""
    with library() as exiv2:
        opened = open_metadata(exiv2, path)
        exif = _travelling_exif(exiv2, opened.image.exifData(), size)
        xmp = _travelling_xmp(exiv2, opened.image.xmpData())
        iptc = exiv2.IptcData()
        for datum in opened.image.iptcData():
            iptc.add(datum)
        profile = opened.profile if opened.grey == grey else None
        return Metadata(exif, iptc, xmp, profile, _density(opened), opened.pixel_size)


def say_what_is_lost(kept: Metadata, suffix: str) -> None:
    """Say once what a format has no place for."""
    lost = "EXIF, IPTC and XMP" if suffix in (".bmp", ".exr") else "IPTC" if suffix not in _WITH_IPTC else ""
    if kept.iptc.count() or (lost != "IPTC" and kept.exif.count() + kept.xmp.count()):
        _say_lost(lost, suffix)


def embed(encoded: bytes, kept: Metadata, suffix: str) -> bytes:
    """Return a picture's file with metadata in it; what is too long for its format is said once and left out."""
    with library() as exiv2:
        xmp = kept.xmp
        if suffix in JPEG_SUFFIXES and len(encode_xmp(exiv2, xmp)) > _MAX_JPEG_XMP:
            _say_lost("XMP of more than 64 KB", suffix)
            xmp = exiv2.XmpData()
        for lost in ("", "the maker note", "EXIF"):
            exif = exiv2.ExifData() if lost == "EXIF" else _without_maker_note(exiv2, kept.exif, lost)
            try:
                found = _embed(exiv2, encoded, (exif, kept.iptc, xmp), kept.profile)
            except exiv2.Exiv2Error:  # too long for a segment, or damaged
                continue
            _say_lost(lost, suffix)
            return found
    _say_lost("EXIF, IPTC and XMP", suffix)
    return encoded


def blocks(kept: Metadata) -> dict[str, bytes]:
    """Return metadata as an encoder of HEIF or AVIF takes them, by a PNG of one pixel that holds them."""
    carrier = io.BytesIO()
    Image.new("L", (1, 1)).save(carrier, "PNG")
    with Image.open(io.BytesIO(embed(carrier.getvalue(), replace(kept, profile=None), ".png"))) as picture:
        found = {"exif": picture.info.get("exif"), "xmp": picture.info.get("xmp"), "icc_profile": kept.profile}
    return {key: value for key, value in found.items() if value}


def _embed(exiv2: Any, encoded: bytes, data: tuple[Any, Any, Any], profile: bytes | None) -> bytes:
    image = exiv2.ImageFactory.open(encoded)
    exif, iptc, xmp = data
    if image.mimeType() == "image/tiff":  # the layout of its pixels is EXIF too, and stays
        image.readMetadata()
        for datum in exif:
            image.exifData().add(datum)
    else:
        image.setExifData(exif)
        if profile and image.mimeType() != "image/png":  # there it has a name, which exiv2 leaves empty
            image.setIccProfile(exiv2.DataBuf(profile), False)
    image.setIptcData(iptc)
    image.setXmpData(xmp)
    image.writeMetadata()
    stream = image.io()
    stream.open()
    return bytes(stream.mmap())


def _travelling_exif(exiv2: Any, exif: Any, size: tuple[int, int]) -> Any:
    kept = exiv2.ExifData()
    for datum in exif:
        if _travels(exiv2, datum) and datum.key() != _DESCRIPTION:
            kept.add(datum)
        elif datum.key() == _DESCRIPTION and (described := per_picture_description(datum.toString())):
            kept[_DESCRIPTION] = described.encode(errors="replace").decode()
    for key, length in zip((_WIDTH, _HEIGHT), size, strict=True):
        if key in kept:  # of the picture before it was turned
            kept[key] = length
    return kept


def _travels(exiv2: Any, datum: Any) -> bool:
    """Say whether EXIF is of the scene, the camera or its owner, and of the type that it should be."""
    group, name = datum.groupName(), datum.tagName()
    if group in ("Thumbnail", "Image2", "Image3", "Iop") or group.startswith(("SubImage", "SubThumb", "MakerNote")):
        return group == "MakerNote"
    if group != "Image":
        return True
    section = exiv2.ExifTags.sectionName(exiv2.ExifKey(datum.key()))
    typed = exiv2.ExifKey(datum.key()).defaultTypeId() != _ASCII or datum.typeId() == _ASCII
    return typed and name not in _OF_THE_FILE and (section in ("OtherTags", "TIFF/EP") or name in _OF_THE_SCENE)


def _travelling_xmp(exiv2: Any, properties: Any) -> Any:
    """Return what XMP says of a scene and its photographer: title, keywords, rating, rights, lens.

    What it says of its own file does not travel: orientation and size, the settings of a raw converter,
    thumbnails, gain maps and films appended to a file. See ISO 16684-1, Extensible metadata platform.
    """
    kept = exiv2.XmpData()
    for datum in properties:
        described = exiv2.XmpProperties.ns(datum.groupName()) in _XMP_OF_THE_SCENE
        if described and not datum.tagName().startswith("Thumbnails"):
            kept.add(datum)
    return kept


def encode_xmp(exiv2: Any, properties: Any) -> bytes:
    """Return XMP properties of libexiv2 as a packet; empty where there are none."""
    flags = exiv2.XmpParser.XmpFormatFlags.useCompactFormat
    return b"" if properties.empty() else exiv2.XmpParser.encode(properties, flags, 0)[1].encode()


def _without_maker_note(exiv2: Any, exif: Any, lost: str) -> Any:
    groups = {"Image", "Photo", "GPSInfo"}
    left = exiv2.ExifData()
    for datum in exif:
        if not lost or (datum.groupName() in groups and datum.tagName() != "MakerNote"):
            left.add(datum)
    return left


def per_picture_description(description: str) -> str:
    """Return what a description says of each picture of a file: of ImageJ's the unit, of a layout nothing."""
    if description.startswith("ImageJ="):
        lines = description.splitlines()
        return "\n".join(line for line in lines if line.partition("=")[0] in ("ImageJ", "unit")) + "\n"
    layout = description.lstrip().startswith(('{"shape"', '{"axes"', "shape=")) or "<OME" in description
    return "" if layout else description


def _density(opened: Opened) -> tuple[float, float, int] | None:
    """Return the resolution that a file notes, of a damaged one None."""
    try:
        across, down, unit = map(float, opened.density or (0, 0, 0))
    except (TypeError, ValueError):
        return None
    known = int(unit) if unit in (_NO_UNIT, *_PER_INCH) else _NO_UNIT
    return (across, down, known) if 0 < across < 2**32 and 0 < down < 2**32 else None  # no 0/0


def _say_lost(what: str, suffix: str) -> None:
    if what:
        say_once(f"{suffix} does not keep {what}")
