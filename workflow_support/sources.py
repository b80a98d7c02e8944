"""Where sharp photographs come from: folders, and packages that carry some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from defocus_core.io.listing import list_images
from defocus_core.io.package_images import package_folder


class SourceError(ValueError):
    """No usable photograph, or a source that does not exist."""


def source_files(source: dict) -> list[Path]:
    """Return the image files that a source names.

    Parameters
    ----------
    source : `{"package": "skimage" | "sklearn", "images": [stem, ...]}` or `{"folder": path}`;
        `images` may be left out; `limit` keeps the first so many. With `url` the folder is what was
        unpacked from there, and is searched with its subfolders. None is as good as left out

    Raises
    ------
    SourceError
        If the package, the folder or one of the images is not there.
    """
    if source.get("package"):
        folder = package_folder(source["package"])
    else:
        folder = Path(source["folder"])
        if not folder.is_dir():
            how = source.get("get") or "docs/data.md says where it comes from"
            raise SourceError(f"no folder {str(folder)!r}; {how}")
    found = list_images(folder)
    if source.get("url"):
        found = sorted(file for place in [folder, *folder.rglob("*/")] for file in list_images(place))
    if source.get("images") is None:
        return found[: source.get("limit")]
    by_stem = {path.stem: path for path in found}
    missing = [stem for stem in source["images"] if stem not in by_stem]
    if missing:
        raise SourceError(f"{folder} has no image {', '.join(missing)}")
    return [by_stem[stem] for stem in source["images"]][: source.get("limit")]


def folder_files(sources: list[dict]) -> list[str]:
    """Return the files of the sources that are folders; a package's are pinned by its version."""
    return [str(path) for source in sources if source.get("folder") for path in source_files(source)]


def resolve_downloads(sources: list[dict], folders: Sequence[str]) -> list[dict]:
    """Return sources in which those with `url` have the `folder` of that sha256 that they lie in."""
    unpacked = {Path(folder).name: folder for folder in folders}
    return [{**source, "folder": unpacked[source["sha256"]]} if source.get("url") else source for source in sources]


def locate_image(path: str) -> Path:
    """Return the file that a manifest's `path` means; packages lie elsewhere on each machine."""
    if not path.startswith("package:"):
        return Path(path)
    package, _, name = path.removeprefix("package:").partition("/")
    if Path(name).name != name:
        raise SourceError(f"{path!r} is no photograph of a package; make the manifest again")
    return package_folder(package) / name
