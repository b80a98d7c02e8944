"""XMP packets: what a photographer wrote of a photograph, which stays true of a picture made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from defocus_core.io import atomic
from defocus_core.io.exif import library

_XMP = "http://ns.adobe.com/xap/1.0/"
_DESCRIPTIVE = {
    "http://purl.org/dc/elements/1.1/",
    _XMP,
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


def descriptive_packet(packet: bytes) -> bytes | None:
    """Return what an XMP packet says of a scene and its photographer: title, keywords, rating, rights, lens.

    What it says of its own file does not travel: orientation and size, the settings of a raw converter,
    thumbnails, gain maps and films appended to a file.

    Parameters
    ----------
    packet : as it lies in a photograph

    Returns
    -------
    a packet of UTF-8; None where nothing is left or it is no XMP

    References
    ----------
    ISO 16684-1, Extensible metadata platform (XMP)
    """
    with library() as exiv2:
        try:
            sidecar = exiv2.ImageFactory.open(packet.strip(b"\0 \r\n\t"))
            sidecar.readMetadata()
        except exiv2.Exiv2Error:
            return None
        return encode(exiv2, keep_descriptive(exiv2, sidecar.xmpData()))


def keep_descriptive(exiv2: Any, properties: Any) -> Any:
    """Return the XMP properties that travel."""
    kept = exiv2.XmpData()
    for datum in properties:
        if exiv2.XmpProperties.ns(datum.groupName()) in _DESCRIPTIVE and not datum.tagName().startswith("Thumbnails"):
            kept.add(datum)
    return kept


def encode(exiv2: Any, properties: Any) -> bytes | None:
    """Return XMP properties as a packet, None where there are none."""
    if properties.empty():
        return None
    flags = exiv2.XmpParser.XmpFormatFlags.useCompactFormat
    return exiv2.XmpParser.encode(properties, flags, 0)[1].encode()


def write_rating(photograph: Path, rating: int) -> Path:
    """Write a rating beside a photograph, which is not touched; what its sidecar says otherwise is kept.

    Parameters
    ----------
    photograph : file
    rating : 1 to 5 stars

    Returns
    -------
    the sidecar, the photograph's name and `.xmp`, as darktable and digiKam read it

    Raises
    ------
    ValueError
        If the rating is none, or there is a sidecar that is no XMP.
    """
    if not 1 <= rating <= 5:
        raise ValueError(f"a rating is 1 to 5 stars, not {rating}")
    sidecar = photograph.with_name(f"{photograph.name}.xmp")
    with library() as exiv2:
        properties = exiv2.XmpData()
        if sidecar.is_file():
            try:
                image = exiv2.ImageFactory.open(sidecar.read_bytes())
                image.readMetadata()
            except exiv2.Exiv2Error as error:
                raise ValueError(f"{sidecar}: not an XMP sidecar; move it away") from error
            properties = image.xmpData()
        properties["Xmp.xmp.Rating"] = str(rating)
        packet = encode(exiv2, properties)
    atomic.write_bytes(sidecar, packet or b"")
    return sidecar
