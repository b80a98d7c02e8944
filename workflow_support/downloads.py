"""Photographs from the web: fetched once, checked against their sha256, unpacked into one folder."""

from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pooch
import requests

from defocus_core.io import atomic
from defocus_core.io.listing import READABLE_SUFFIXES

MAX_EXPANSION = 100  # times the size of an archive that its photographs may have; more is a trap


class DownloadError(ValueError):
    """A file that could not be had, is not what was asked for, or cannot be unpacked."""


def fetch_file(url: str, *, sha256: str, cache: str | Path) -> Path:
    """Return a file of the web, from the cache where it is there; a broken transfer goes on where it broke.

    Parameters
    ----------
    url : http or https address
    sha256 : 64 hexadecimal digits that the file must have
    cache : folder in which the file stays

    Raises
    ------
    DownloadError
        If the file cannot be had, or is another one.
    """
    cache = Path(cache)
    cache.mkdir(parents=True, exist_ok=True)
    name = f"{sha256}{PurePosixPath(urlsplit(url).path).suffix}"
    try:
        found = pooch.retrieve(
            url,
            f"sha256:{sha256}",
            fname=name,
            path=cache,
            downloader=_ResumingDownloader(cache / f"{sha256}.broken"),
        )
    except requests.RequestException as error:
        raise DownloadError(f"{url}: {error}; run again to go on where it broke") from error
    except ValueError as error:
        raise DownloadError(f"{url}: {' '.join(str(error).split())}") from error
    return Path(found)


def unpack_images(file: str | Path, folder: str | Path) -> list[Path]:
    """Unpack the photographs of a zip archive, or copy a photograph, into a new folder.

    Raises
    ------
    DownloadError
        If the archive has names that leave the folder, links, far more content than its size lets
        expect, or no photograph.
    """
    file, folder = Path(file), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not zipfile.is_zipfile(file):
        if file.suffix.lower() not in READABLE_SUFFIXES:
            raise DownloadError(f"{file}: neither a zip archive nor one of {', '.join(READABLE_SUFFIXES)}")
        atomic.write_bytes(folder / file.name, file.read_bytes())
        return [folder / file.name]
    with zipfile.ZipFile(file) as archive:
        members = [m for m in archive.infolist() if PurePosixPath(m.filename).suffix.lower() in READABLE_SUFFIXES]
        for member in members:
            name = PurePosixPath(member.filename)
            if name.is_absolute() or ".." in name.parts or stat.S_ISLNK(member.external_attr >> 16):
                raise DownloadError(f"{file}: {member.filename!r} would leave the folder; nothing was unpacked")
        size = sum(member.file_size for member in members)
        if size > MAX_EXPANSION * file.stat().st_size:
            raise DownloadError(f"{file}: {size} bytes in {file.stat().st_size}, no archive of photographs")
        if not members:
            raise DownloadError(f"{file}: no photograph in this archive")
        for member in members:
            path = folder / member.filename
            with atomic.replacing(path) as part, archive.open(member) as source, open(part, "wb") as target:
                shutil.copyfileobj(source, target)
    return sorted(folder / member.filename for member in members)


class _ResumingDownloader:
    """A downloader for pooch whose broken transfers stay in a file and go on from there."""

    def __init__(self, broken: Path):
        self._broken = broken

    def __call__(self, url: str, output_file: str, _: object) -> None:
        have = self._broken.stat().st_size if self._broken.is_file() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=60) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self._broken.unlink()
            answer.raise_for_status()
            whole = answer.status_code != requests.codes.partial_content
            with open(self._broken, "wb" if whole else "ab") as file:
                for block in answer.iter_content(1 << 16):
                    file.write(block)
        shutil.move(self._broken, output_file)
