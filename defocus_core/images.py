"""Read photographs as they come (8 or 16 bit, grey, colour, alpha, rotated) and write them back."""

from __future__ import annotations

import contextlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from . import atomic

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_TIFF = (".tif", ".tiff")
_SIXTEEN_BIT = (".png", *_TIFF)
MOST_GAIN = 16  # of dark and pale images, see stretched(): four bits
MAX_PIXELS = 200_000_000
FLOATING = "floating-point pixels; save it as 8 or 16 bit"
SUBFILE, PHOTOMETRIC, PLANAR = 254, 262, 284  # TIFF tags
PNG_GREY_ALPHA = 4  # colour type, which Pillow takes for colour where it has 16 bit
Image.MAX_IMAGE_PIXELS = None  # read() checks the size in the header, before it decodes anything

_UPRIGHT = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


class ImageError(ValueError):
    """A file that cannot be used as a photograph; ``reason`` is one word for a manifest."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def listing(folder: str | Path) -> list[Path]:
    """Return the image files of a folder, sorted by name, numbers in names as numbers (shot2 before shot10).

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {str(folder)!r}")
    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    return sorted(found, key=_natural)


def _natural(path: Path) -> tuple[list[str | int], str]:
    parts = re.split(r"(\d+)", path.name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name


@dataclass(frozen=True)
class Page:
    """One picture of a file that holds several; :func:`read` reads it as it does a file."""

    path: Path
    index: int

    def __str__(self) -> str:
        return f"{self.path}, picture {self.index + 1}"


def pages(path: str | Path) -> list[Page]:
    """Return the pictures of one size in a file, as a microscope stores a stack in one TIFF.

    Raises
    ------
    ImageError
        If it is not an image.
    """
    path = Path(path)
    with _named_errors(path), Image.open(path) as picture:
        return [Page(path, index) for index in _frames(picture)]


def _frames(picture: Image.Image) -> list[int]:
    """Return the places of the pictures in a file, its thumbnails and masks left out."""
    count = getattr(picture, "n_frames", 1) if picture.format in ("TIFF", "WEBP", "PNG", "GIF") else 1
    if picture.format != "TIFF" or count == 1:
        return list(range(count))
    size, found = picture.size, []
    for index in range(count):
        picture.seek(index)
        if picture.size == size and not picture.tag_v2.get(SUBFILE, 0) & 0b101:
            found.append(index)
    picture.seek(0)
    return found or [0]


def read(path: str | Path | Page, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a photograph, upright, without its alpha channel.

    Parameters
    ----------
    path : PNG, JPEG, TIFF, WebP or BMP file of one picture, or one of its :func:`pages`
    max_pixels : largest width x height that is decoded; the size is read from the header

    Returns
    -------
    (H, W) or (H, W, 3) RGB array, uint8 or uint16, turned as its EXIF orientation says

    Raises
    ------
    ImageError
        With reason ``unreadable``, ``truncated`` or ``huge``.
    FileNotFoundError
        If there is no such file.
    """
    page = path.index if isinstance(path, Page) else None
    path = path.path if isinstance(path, Page) else Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no image file {str(path)!r}")
    with (
        _named_errors(path),
        path.open("rb") as file,
    ):  # by its name Pillow would map it: some TIFFs turn wrong
        header = file.read(26)
        picture = Image.open(file)
        _check_usable(picture, path, page=page, max_pixels=max_pixels)
        picture.seek(page or 0)
        if _sixteen_bit(picture, header):
            return _read_sixteen_bit(picture, header, path)
        return _read_eight_bit(picture)


@contextlib.contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError that names the file."""
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError("unreadable", f"{path}: {_unidentified(path)}") from error
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise ImageError("truncated", f"{path}: damaged or truncated ({error})") from error


def _check_usable(picture: Image.Image, path: Path, *, page: int | None, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise ImageError("huge", f"{path}: {width}x{height} pixels, more than the limit of {max_pixels}")
    if picture.mode == "F":
        raise ImageError("unreadable", f"{path}: {FLOATING}")
    if page is None and (count := len(_frames(picture))) > 1:
        raise ImageError("unreadable", f"{path}: {count} pictures in one file; save one, or fuse them")


def _unidentified(path: Path) -> str:
    """Say why Pillow knows a file for no image."""
    try:
        with tifffile.TiffFile(path) as file:
            if file.pages[0].dtype.kind == "f":
                return FLOATING
    except Exception:  # tifffile, too, raises nearly anything on what is no TIFF
        pass
    return "not an image this can read"


def grey(image: np.ndarray) -> np.ndarray:
    """Return an image as grey levels.

    Parameters
    ----------
    image : (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float in [0, 1]

    Returns
    -------
    (H, W) float32 in [0, 1], by the Rec. 601 luma weights

    Raises
    ------
    ValueError
        If the shape or dtype is none of the above, or a float image leaves [0, 1].
    """
    image = as_float(image)
    if image.ndim == 2:
        return image
    if image.shape[2] == 1:
        return image[:, :, 0]
    return cv2.cvtColor(np.ascontiguousarray(image[:, :, :3]), cv2.COLOR_RGB2GRAY)


def as_float(image: np.ndarray) -> np.ndarray:
    """Return an image as float32 in [0, 1], itself if it is that; NaN and infinite pixels become 0.

    Parameters
    ----------
    image : (H, W) or (H, W, C) with C in 1, 3, 4; uint8, uint16, bool, or float in [0, 1]

    Raises
    ------
    ValueError
        If the shape or dtype is none of the above, or a float image leaves [0, 1].
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ValueError(f"an image is (H, W) or (H, W, 1|3|4), not {image.shape}")
    if image.size == 0:
        raise ValueError(f"an image needs at least one pixel, not shape {image.shape}")
    if image.dtype == bool:
        return image.astype(np.float32)
    if image.dtype in (np.uint8, np.uint16):
        return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"an image is uint8, uint16 or float in [0, 1], not {image.dtype}")
    image = image.astype(np.float32, copy=False)
    if not np.isfinite([image.min(), image.max()]).all():
        image = np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(image.min()), float(image.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(f"a float image lies in [0, 1], this one in [{low:.4g}, {high:.4g}]")
    return image if low >= 0 and high <= 1 else np.clip(image, 0, 1)


def to_light(image: np.ndarray) -> np.ndarray:
    """Return the light that a picture's tone curve (sRGB, IEC 61966-2-1) encodes, float32 in [0, 1]."""
    return np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4).astype(np.float32)


def from_light(light: np.ndarray) -> np.ndarray:
    """Return a picture of light in [0, 1], the inverse of :func:`to_light`; values outside are clipped."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


def read_array(path: str | Path) -> np.ndarray:
    """Read numbers of every pixel from an ``.npy`` file, (H, W) float32; never unpickles.

    Raises
    ------
    ValueError
        If it holds anything but (H, W) real numbers.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except (EOFError, ValueError) as error:
        raise ValueError(f"{path}: not an .npy file of numbers") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub" or values.ndim != 2:
        found = f"{values.dtype} of shape {values.shape}" if isinstance(values, np.ndarray) else "an archive"
        raise ValueError(f"{path}: expected an .npy file of (height, width) real numbers, found {found}")
    return values.astype(np.float32)


def check_fit(sigma: np.ndarray, image: np.ndarray) -> None:
    """Raise ValueError unless a map has the height and width of its image, and finite numbers."""
    if sigma.shape != image.shape[:2]:
        raise ValueError(f"a map of {sigma.shape} does not fit an image of {image.shape[:2]}")
    if not np.isfinite(sigma).all():
        raise ValueError("a map holds finite numbers, this one NaN or infinity")


def stretched(image: np.ndarray) -> np.ndarray:
    """Return an image whose grey levels fill [0, 1], as far as a gain of 16 brings them there.

    So 12 bit in a file of 16, and a dark or pale photograph, look as they would fully exposed.

    Parameters
    ----------
    image : as for :func:`as_float`

    Returns
    -------
    float32 of its shape; what is darker or brighter than all but a thousandth is clipped
    """
    every = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / 1e6)))
    low, high = np.quantile(grey(image[::every, ::every]), (0.001, 0.999))
    values = as_float(image)
    own = None if np.may_share_memory(values, image) else values
    values = np.subtract(values, np.float32(low), out=own)
    values *= np.float32(1 / max(high - low, 1 / MOST_GAIN))
    return np.clip(values, 0, 1, out=values)


def as_depth(image: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return a float image in [0, 1] rounded to uint8 or uint16; values outside are clipped."""
    top = np.iinfo(dtype).max
    return np.rint(np.clip(image, 0, 1) * top).astype(dtype)


def check_suffix(path: str | Path, dtype: np.dtype = np.uint8) -> None:
    """Raise ValueError unless a file's suffix names a format that can be written, in this depth."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"no format for {Path(path).name!r}; one of {', '.join(SUFFIXES)}")
    if dtype == np.uint16 and suffix not in _SIXTEEN_BIT:
        raise ValueError(f"{suffix} holds no 16 bit; write .png or .tif")


def write(path: str | Path, image: np.ndarray, *, like: str | Path | None = None) -> None:
    """Write an image, with the colour profile and EXIF of another file.

    Parameters
    ----------
    path : file to write; its suffix chooses the format
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 (PNG and TIFF only) or float in [0, 1]
        (written as 8 bit)
    like : photograph whose ICC profile and EXIF (orientation reset) are kept

    Raises
    ------
    ValueError
        If the suffix names no known format, or cannot hold 16 bit.
    """
    path = Path(path)
    check_suffix(path, image.dtype)
    if np.issubdtype(image.dtype, np.floating):
        image = as_depth(image, np.uint8)
    metadata = _metadata(like, image, path.suffix.lower())
    with atomic.replacing(path) as part:
        if image.dtype == np.uint16:
            _write_sixteen_bit(part, image, metadata)
            return
        options = _OPTIONS.get(path.suffix.lower(), {})
        Image.fromarray(image).save(part, **options, **metadata)


_JPEG = {"quality": 95, "subsampling": 0}
_OPTIONS = {".jpg": _JPEG, ".jpeg": _JPEG, ".webp": {"quality": 95}}


def _metadata(like: str | Path | None, image: np.ndarray, suffix: str) -> dict:
    """Return what to write of another file: colour profile, if of the image's colours, EXIF, resolution."""
    if like is None:
        return {}
    with Image.open(like) as source:
        profile = source.info.get("icc_profile")
        grey = source.mode.startswith(("1", "L", "I"))
        if source.mode == "CMYK" or grey != (image.ndim == 2):
            profile = None
        exif = source.getexif()
        kept = Image.Exif()
        kept.update({tag: exif[tag] for tag in exif if tag in _DESCRIPTIVE})
        described = _of_one_picture(str(kept.pop(_DESCRIPTION, "")))
        kept.update({_DESCRIPTION: described} if described else {})
        directories = {directory: exif.get_ifd(directory) for directory in _DIRECTORIES}
        camera = directories[ExifTags.IFD.Exif]
        for tag, length in zip(_LENGTHS, image.shape[1::-1], strict=True):
            if tag in camera:  # of the picture before it was turned
                camera[tag] = length
        for directory, known in directories.items():
            kept.get_ifd(directory).update(known)
        density = _density(source)
    found = {"icc_profile": profile}
    if len(kept) or any(directories.values()):
        found["exif"] = kept.tobytes()
    if density is not None and suffix in _TIFF:
        found |= dict(zip(("x_resolution", "y_resolution", "resolution_unit"), density, strict=True))
    elif density is not None and density[2] in _TO_INCHES:
        dpi = tuple(number * _TO_INCHES[density[2]] for number in density[:2])
        found["dpi"] = dpi if max(dpi) < (1e8 if suffix == ".png" else 2**16) else None  # what headers hold
    return {key: value for key, value in found.items() if value}


def _density(source: Image.Image) -> tuple[float, float, int] | None:
    """Return pixels to the unit across and down, and TIFF's number of the unit; None where none is given."""
    if source.format == "TIFF":
        numbers, unit = [source.tag_v2.get(tag, 0) for tag in _RESOLUTION], source.tag_v2.get(_UNIT, _INCH)
    else:
        numbers, unit = source.info.get("dpi", (0, 0)), _INCH
    across, down = map(float, numbers)
    return (across, down, unit) if 0 < across < 2**32 and 0 < down < 2**32 else None  # no 0/0


def _of_one_picture(description: str) -> str:
    """Return what a description says of each picture of a file: of ImageJ's the unit, of OME's nothing."""
    if description.startswith("ImageJ="):
        lines = description.splitlines()
        return "\n".join(line for line in lines if line.partition("=")[0] in ("ImageJ", "unit")) + "\n"
    return "" if "<OME" in description else description


_RESOLUTION, _UNIT, _INCH = (282, 283), 296, 2  # TIFF tags and a number
_TO_INCHES = {_INCH: 1.0, 3: 2.54}


_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
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


def _write_sixteen_bit(path: Path, image: np.ndarray, metadata: dict) -> None:
    if path.suffix.lower() in _TIFF:
        _write_sixteen_bit_tiff(path, image, metadata)
        return
    bgr = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".png", bgr)[1].tobytes()
    header = 8 + 25  # signature and IHDR chunk
    path.write_bytes(data[:header] + _png_chunks(metadata) + data[header:])


def _write_sixteen_bit_tiff(path: Path, image: np.ndarray, metadata: dict) -> None:
    """Write what Pillow cannot: 16 bit in colour. The EXIF directories are appended and then pointed to."""
    exif = Image.Exif()
    exif.load(metadata.get("exif", b""))
    texts = {tag: value for tag, value in exif.items() if isinstance(value, str)}
    directories = {directory: known for directory in _DIRECTORIES if (known := exif.get_ifd(directory))}
    tags = [(int(tag), "s", 0, value, True) for tag, value in texts.items() if tag != _DESCRIPTION]
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
    return chunks


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _sixteen_bit(picture: Image.Image, header: bytes) -> bool:
    """Say whether a picture has 16 bit a channel; PNG has its depth in the first bytes of the file."""
    if picture.mode.startswith("I"):
        return True
    if picture.format == "PNG":
        return header[24] == 16
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(258, (8,))) == 16
    return False


def _read_sixteen_bit(picture: Image.Image, header: bytes, path: Path) -> np.ndarray:
    _, decoded = cv2.imreadmulti(str(path), start=picture.tell(), count=1, flags=cv2.IMREAD_UNCHANGED)
    if not decoded:
        raise ImageError("truncated", f"{path}: damaged or truncated")
    (array,) = decoded
    if array.dtype not in (np.uint8, np.uint16):
        raise ImageError("unreadable", f"{path}: {array.dtype} numbers; save it as unsigned 8 or 16 bit")
    if picture.format == "TIFF" and picture.tag_v2.get(PLANAR) == 2 and len(picture.getbands()) > 1:
        raise ImageError(
            "unreadable", f"{path}: 16 bit in separate planes; save it with interleaved channels"
        )
    if picture.format == "TIFF" and picture.tag_v2.get(PHOTOMETRIC) == 0:  # white is zero
        array = np.iinfo(array.dtype).max - array
    if array.ndim == 3:
        has_grey = array.shape[2] < 3 or (picture.format == "PNG" and header[25] == PNG_GREY_ALPHA)
        array = array[:, :, 0] if has_grey else array[:, :, 2::-1]
    turned = picture.format == "TIFF"  # OpenCV's TIFF decoder heeds the orientation itself
    orientation = 1 if turned else picture.getexif().get(ExifTags.Base.Orientation, 1)
    return np.ascontiguousarray(_UPRIGHT.get(orientation, lambda a: a)(array))


def _read_eight_bit(picture: Image.Image) -> np.ndarray:
    picture = ImageOps.exif_transpose(picture)
    mode = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    return np.asarray(picture.convert(mode))
