"""Read photographs as they come (8 or 16 bit, grey, colour, alpha, rotated) and write them back."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from . import atomic, metadata

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_SIXTEEN_BIT = (".png", *metadata.TIFF)
MOST_GAIN = 16  # of dark and pale images, see stretched(): four bits
MAX_PIXELS = 200_000_000
FLOATING = "floating-point pixels; save it as 8 or 16 bit"
SUBFILE, PHOTOMETRIC, PLANAR = 254, 262, 284  # TIFF tags
GREY_OR_RGB = (0, 1, 2)  # white is zero, black is zero, RGB
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

    Hidden files are left out, such as those that macOS puts beside a photograph on foreign disks.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {str(folder)!r}")
    seen = (path for path in folder.iterdir() if not path.name.startswith("."))
    found = (path for path in seen if path.suffix.lower() in SUFFIXES and path.is_file())
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
        If it is not an image, or slices of several channels.
    """
    path = Path(path)
    with _named_errors(path), Image.open(path) as picture:
        found = [Page(path, index) for index in _frames(picture)]
        if picture.format == "TIFF" and 1 < (channels := metadata.channels(picture)) < len(found):
            raise ImageError("unreadable", f"{channels} channels in one file; save the stack of one")
    return found


def _frames(picture: Image.Image) -> list[int]:
    """Return the places of the pictures in a file, its masks and smaller copies left out.

    Raises
    ------
    ImageError
        If they are not of one size.
    """
    count = getattr(picture, "n_frames", 1) if picture.format in ("TIFF", "WEBP", "PNG", "GIF") else 1
    if picture.format != "TIFF" or count == 1:
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
    index = path.index if isinstance(path, Page) else None
    path = path.path if isinstance(path, Page) else Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no image file {str(path)!r}")
    with (
        _named_errors(path),
        path.open("rb") as file,
    ):  # by its name Pillow would map it: some TIFFs turn wrong
        header = file.read(26)
        picture = Image.open(file)
        picture.seek(_only(picture) if index is None else index)
        _check_usable(picture, max_pixels=max_pixels)
        if _sixteen_bit(picture, header):
            return _read_sixteen_bit(picture, header, path)
        return _read_eight_bit(picture)


@contextlib.contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError that names the file."""
    try:
        yield
    except ImageError as error:
        raise ImageError(error.reason, f"{path}: {error}") from error.__cause__
    except UnidentifiedImageError as error:
        raise ImageError("unreadable", f"{path}: {_unidentified(path)}") from error
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise ImageError("truncated", f"{path}: damaged or truncated ({error})") from error


def _only(picture: Image.Image) -> int:
    """Return the place of a file's only picture."""
    first, *others = _frames(picture)
    if others:
        raise ImageError("unreadable", f"{1 + len(others)} pictures in one file; save one, or fuse them")
    return first


def _check_usable(picture: Image.Image, *, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise ImageError("huge", f"{width}x{height} pixels, more than the limit of {max_pixels}")
    if picture.mode == "F":
        raise ImageError("unreadable", FLOATING)


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
    """Write an image, with what another file says beside its pixels.

    Parameters
    ----------
    path : file to write; its suffix chooses the format
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 (PNG and TIFF only) or float in [0, 1]
        (written as 8 bit)
    like : photograph whose ICC profile, EXIF (orientation reset), resolution and descriptive XMP are kept

    Raises
    ------
    ValueError
        If the suffix names no known format, or cannot hold 16 bit.
    """
    path = Path(path)
    check_suffix(path, image.dtype)
    if np.issubdtype(image.dtype, np.floating):
        image = as_depth(image, np.uint8)
    kept = _kept(like, image, path.suffix.lower())
    if image.dtype == np.uint16:
        with atomic.replacing(path) as part:
            metadata.write_sixteen_bit(part, image, kept)
        return
    encoded = io.BytesIO()  # Pillow writes a JPEG itself, and says nothing where a disk is full
    options = _OPTIONS.get(path.suffix.lower(), {})
    form = Image.registered_extensions()[path.suffix.lower()]
    Image.fromarray(image).save(encoded, form, **options, **kept)
    atomic.write_bytes(path, encoded.getbuffer())


def _kept(like: str | Path | None, image: np.ndarray, suffix: str) -> dict:
    if like is None:
        return {}
    with Image.open(like) as source:
        source.seek(_frames(source)[0])
        return metadata.of(source, image, suffix)


_JPEG = {"quality": 95, "subsampling": 0}
_OPTIONS = {".jpg": _JPEG, ".jpeg": _JPEG, ".webp": {"quality": 95}}


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
    tags = picture.tag_v2 if picture.format == "TIFF" else {}
    if tags.get(PHOTOMETRIC, 1) not in GREY_OR_RGB:
        raise ImageError("unreadable", "16 bit in other colours; save it as grey or RGB")
    if tags.get(PLANAR) == 2 and len(picture.getbands()) > 1:
        raise ImageError("unreadable", "16 bit in separate planes; save it with interleaved channels")
    if picture.format == "PNG":
        with Image.open(path) as again:  # libpng would print what it finds
            again.verify()
    array = _decoded(path, picture.tell())
    if array.dtype not in (np.uint8, np.uint16):
        raise ImageError("unreadable", f"{array.dtype} numbers; save it as unsigned 8 or 16 bit")
    if tags.get(PHOTOMETRIC) == 0:  # white is zero
        array = np.iinfo(array.dtype).max - array
    if array.ndim == 3:
        has_grey = array.shape[2] < 3 or (picture.format == "PNG" and header[25] == PNG_GREY_ALPHA)
        array = array[:, :, 0] if has_grey else array[:, :, 2::-1]
    turned = picture.format == "TIFF"  # OpenCV's TIFF decoder heeds the orientation itself
    orientation = 1 if turned else picture.getexif().get(ExifTags.Base.Orientation, 1)
    return np.ascontiguousarray(_UPRIGHT.get(orientation, lambda a: a)(array))


def _decoded(path: Path, index: int) -> np.ndarray:
    """Return a picture of a file as OpenCV has it, which keeps to itself what it finds there."""
    before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        _, decoded = cv2.imreadmulti(str(path), start=index, count=1, flags=cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(before)
    if not decoded:
        raise ImageError("truncated", "damaged or truncated")
    return decoded[0]


def _read_eight_bit(picture: Image.Image) -> np.ndarray:
    picture = ImageOps.exif_transpose(picture)
    mode = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    return np.asarray(picture.convert(mode))
