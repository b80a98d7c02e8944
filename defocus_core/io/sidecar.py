"""XMP sidecars: what is noted of a photograph beside it."""

from __future__ import annotations

from pathlib import Path

from defocus_core.io import atomic
from defocus_core.io.exif import library
from defocus_core.io.metadata import encode_xmp


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
        packet = encode_xmp(exiv2, properties)
    atomic.write_bytes(sidecar, packet)
    return sidecar
