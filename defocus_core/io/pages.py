"""The pictures that one file holds: pages of a TIFF, frames of an animation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import TiffImageFile

from defocus_core.io.errors import ImageError, decoder_errors
from defocus_core.io.pillow import without_size_limit

SUBFILE = 254  # TIFF tag


@dataclass(frozen=True)
class Page:
    """One picture of a file that holds several; `read` reads it as it does a file."""

    path: Path
    index: int

    def __str__(self) -> str:
        return f"{self.path}, picture {self.index + 1}"


def list_pages(path: str | Path) -> list[Page]:
    """Return the pictures of one size in a file, as a microscope stores a stack in one TIFF.

    Raises
    ------
    ImageError
        If it is not an image, or slices of several channels.
    """
    path = Path(path)
    with decoder_errors(path), without_size_limit(), Image.open(path) as picture:
        found = [Page(path, index) for index in picture_indices(picture)]
        if isinstance(picture, TiffImageFile) and 1 < (channels := count_channels(picture)) < len(found):
            raise ImageError("unreadable", f"{channels} channels in one file; save the stack of one")
    return found


def picture_indices(picture: Image.Image) -> list[int]:
    """Return the places of the pictures in a file, its masks and smaller copies left out.

    Raises
    ------
    ImageError
        If they are not of one size.
    """
    count = getattr(picture, "n_frames", 1) if picture.format in ("TIFF", "WEBP", "PNG", "GIF") else 1
    if not isinstance(picture, TiffImageFile) or count == 1:
        return list(range(count))
    sizes = {}
    for index in range(count):
        picture.seek(index)
        if not picture.tag_v2.get(SUBFILE, 0) & 0b101:
            sizes[index] = picture.size
    picture.seek(0)
    most = max((width * height for width, height in sizes.values()), default=0)
    found = {index: size for index, size in sizes.items() if 4 * size[0] * size[1] > most}
    if len(set(found.values())) > 1:
        raise ImageError("unreadable", f"{len(found)} pictures of different size in one file; save one")
    return list(found) or [0]


def count_channels(source: TiffImageFile) -> int:
    """Return the number of channels, pictures each, that ImageJ or OME note in the description of a TIFF."""
    description = str(source.tag_v2.get(ExifTags.Base.ImageDescription, ""))
    if noted := re.search(r"^channels=(\d+)", description, re.MULTILINE):
        return int(noted[1])
    return len(re.findall(r"<Channel\b", description))
