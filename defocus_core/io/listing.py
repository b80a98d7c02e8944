"""List the image files of a folder."""

from __future__ import annotations

import re
from pathlib import Path

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
WRITABLE_SUFFIXES = (*IMAGE_SUFFIXES, ".exr", ".heic", ".heif", ".avif")
RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".mrw"),
    *(".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw", ".x3f"),
)
READABLE_SUFFIXES = (*WRITABLE_SUFFIXES, *RAW_SUFFIXES)


def list_images(folder: str | Path) -> list[Path]:
    """Return the image files of a folder, sorted by name, numbers in names as numbers (shot2 before shot10).

    Hidden files are left out, such as those that macOS puts beside a photograph on foreign disks, and a RAW
    file beside a photograph of its name, as cameras write both.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {str(folder)!r}")
    seen = (path for path in folder.iterdir() if not path.name.startswith("."))
    found = [path for path in seen if path.suffix.lower() in READABLE_SUFFIXES and path.is_file()]
    developed = {path.stem for path in found if path.suffix.lower() not in RAW_SUFFIXES}
    kept = (path for path in found if path.suffix.lower() not in RAW_SUFFIXES or path.stem not in developed)
    return sorted(kept, key=_natural_key)


def _natural_key(path: Path) -> tuple[list[str | int], str]:
    parts = re.split(r"(\d+)", path.name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name
