"""Files of every writer, mode, depth, compression and orientation, read to the pixels that were written."""

import shutil
import struct
import subprocess

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from defocus_core.io.listing import list_images
from defocus_core.io.read import read, read_photograph
from defocus_core.io.write import write

SHAPE = (20, 30)
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.swapaxes(np.rot90(a, 2), 0, 1),
    8: np.rot90,
}


def pixels(channels, dtype):
    """Return smooth pixels with noise, so that lossless codecs have something to do."""
    shape = SHAPE if channels == 1 else (*SHAPE, channels)
    return np.random.default_rng(channels).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


CASES = {}


def case(name, write_file, expected, alpha=None):
    CASES[name] = write_file, expected, alpha


def of_tifffile(name, array, expected, alpha=None, **options):
    case(name, lambda path: tifffile.imwrite(path, array, **options), expected, alpha)


for bits in (8, 16):
    dtype = np.dtype(f"uint{bits}")
    for codec in (None, "zlib", "lzw", "zstd", "lzma", "packbits", "deflate"):
        for channels, photometric in ((1, "minisblack"), (2, "minisblack"), (3, "rgb"), (4, "rgb")):
            array = pixels(channels, dtype)
            with_alpha = channels in (2, 4)
            colour = array if not with_alpha else array[..., 0] if channels == 2 else array[..., :3]
            more = {"extrasamples": ["unassalpha"], "planarconfig": "contig"} if with_alpha else {}
            of_tifffile(
                f"{codec}_{channels}_{bits}.tif",
                array,
                colour,
                array[..., -1] if with_alpha else None,
                photometric=photometric,
                compression=codec,
                **more,
            )
    colour, grey = pixels(3, dtype), pixels(1, dtype)
    for codec in (None, "zlib"):
        planes = np.ascontiguousarray(np.moveaxis(colour, 2, 0))
        of_tifffile(
            f"planar_{codec}_{bits}.tif", planes, colour, photometric="rgb", planarconfig="separate", compression=codec
        )
        of_tifffile(
            f"predictor_{codec}_{bits}.tif", colour, colour, photometric="rgb", compression="lzw", predictor=True
        )
        of_tifffile(f"tiled_{codec}_{bits}.tif", colour, colour, photometric="rgb", tile=(16, 16), compression=codec)
    of_tifffile(f"big_{bits}.tif", colour, colour, photometric="rgb", bigtiff=True)
    of_tifffile(f"big_grey_{bits}.tif", grey, grey, bigtiff=True)
    of_tifffile(f"motorola_{bits}.tif", colour, colour, photometric="rgb", byteorder=">")
    of_tifffile(f"white_{bits}.tif", np.iinfo(dtype).max - grey, grey, photometric="miniswhite")
    of_tifffile(f"strips_{bits}.tif", colour, colour, photometric="rgb", rowsperstrip=3)
    for lossless in ("jpegxl", "jpeg2000"):
        of_tifffile(
            f"{lossless}_{bits}.tif",
            colour,
            colour,
            photometric="rgb",
            compression=lossless,
            compressionargs={"level": 0} if lossless == "jpeg2000" else {"lossless": True},
        )

RAMP = np.linspace(0, 1, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
for kind in ("float16", "float32", "float64"):
    declared = (RAMP * 4 - 1).astype(kind)
    ends = [(340, "f", 1, -1.0, True), (341, "f", 1, 3.0, True)]
    of_tifffile(f"{kind}.tif", declared, (declared.astype(np.float32) + 1) / 4, extratags=ends)


def packed(path, array, bits):
    """Write grey numbers of any bits, packed row by row."""
    data = b"".join(bytes(imagecodecs.packints_encode(np.ascontiguousarray(row), bits)) for row in array)
    tags = [(256, 30), (257, 20), (258, bits), (259, 1), (262, 1), (273, 8), (277, 1), (278, 20), (279, len(data))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", 9) + entries + bytes(4))


for bits in (1, 2, 4, 10, 12, 14):
    small = pixels(1, np.uint16) >> (16 - bits)
    dtype = np.uint16 if bits > 8 else np.uint8
    full = (small * (np.iinfo(dtype).max / (2**bits - 1))).astype(dtype)
    unpacked = small if bits > 8 else small.astype(np.uint8)
    case(f"packed_{bits}.tif", lambda path, array=unpacked, bits=bits: packed(path, array, bits), full)

for number, turn in UPRIGHT.items():
    colour = pixels(3, np.uint8)
    exif = Image.Exif()
    exif[0x0112] = number
    for suffix in ("tif", "png", "webp"):
        options = {"lossless": True} if suffix == "webp" else {}

        def turned(path, array=colour, exif=exif, options=options):
            Image.fromarray(array).save(path, exif=exif, **options)

        case(f"turned_{number}.{suffix}", turned, turn(colour))
    deep = pixels(3, np.uint16)
    tag = [(0x0112, "H", 1, number, True)]
    of_tifffile(f"turned_deep_{number}.tif", deep, turn(deep), photometric="rgb", extratags=tag)

for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"):
    picture = Image.fromarray(pixels(3, np.uint8)).convert(mode)
    target = picture.convert("L" if mode in ("1", "L", "LA") else "RGB")
    for suffix in ("png", "tif", "bmp", "gif"):
        unknown = {
            "png": ("CMYK",),
            "tif": (),
            "bmp": ("LA", "CMYK", "RGBA"),
            "gif": ("L", "LA", "RGB", "RGBA", "CMYK"),
        }
        if mode not in unknown[suffix]:
            case(f"pillow_{mode}.{suffix}", picture.save, np.asarray(target))

for channels, flag in ((1, "grey"), (3, "colour"), (4, "alpha")):
    for bits, suffixes in ((8, ("png", "tif", "bmp")), (16, ("png", "tif"))):
        bgr = pixels(channels, f"uint{bits}")
        rgb = bgr if channels == 1 else np.ascontiguousarray(bgr[..., 2::-1])
        alpha = bgr[..., 3] if channels == 4 else None
        for suffix in suffixes:
            if (suffix, channels) != ("bmp", 4):
                case(f"opencv_{flag}_{bits}.{suffix}", lambda path, a=bgr: cv2.imwrite(str(path), a), rgb, alpha)
    array = pixels(channels, np.uint16)
    shown = array if channels == 1 else array[..., :3]
    case(f"imagecodecs_{flag}.png", lambda path, a=array: path.write_bytes(imagecodecs.png_encode(a)), shown)

VIPS = shutil.which("vips")


def find_magick():
    """Return ImageMagick's program, None where it is not installed."""
    found = shutil.which("magick") or shutil.which("convert")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stdout if found else ""
    return found if "ImageMagick" in said else None


MAGICK = find_magick()
for option in ("None", "Zip", "LZW", "RLE"):
    for bits in (8, 16):
        array = pixels(3, f"uint{bits}")

        def by_magick(path, array=array, option=option):
            path.with_suffix(".png").write_bytes(imagecodecs.png_encode(array))
            subprocess.run([MAGICK, path.with_suffix(".png"), "-compress", option, path], check=True)

        def by_vips(path, array=array, option=option):
            path.with_suffix(".png").write_bytes(imagecodecs.png_encode(array))
            codec = {"None": "none", "Zip": "deflate", "LZW": "lzw", "RLE": "packbits"}[option]
            target = f"{path}[compression={codec}]"
            subprocess.run([VIPS, "copy", path.with_suffix(".png"), target], check=True)

        if MAGICK:
            case(f"magick_{option}_{bits}.tif", by_magick, array)
        if VIPS:
            case(f"vips_{option}_{bits}.tif", by_vips, array)


def test_there_are_120_files():
    assert len(CASES) >= 120


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_read_to_the_pixels_that_were_written(tmp_path, name):
    write_file, expected, alpha = CASES[name]
    write_file(tmp_path / name)
    found = read_photograph(tmp_path / name)
    assert found.pixels.dtype == expected.dtype
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found.pixels, expected, atol=1e-3)
    else:
        assert np.array_equal(found.pixels, expected)
    if alpha is not None:
        assert np.array_equal(found.alpha, alpha)


@pytest.mark.parametrize("form", ["jpg", "webp", "avif", "tif"])
def test_lossy_files_are_read_as_pillow_reads_them(tmp_path, form):
    options = {"compression": "jpeg", "quality": 90} if form == "tif" else {"quality": 90}
    smooth = cv2.GaussianBlur(pixels(3, np.uint8), (0, 0), 2)
    Image.fromarray(smooth).save(tmp_path / f"a.{form}", **options)
    with Image.open(tmp_path / f"a.{form}") as picture:
        assert np.array_equal(read(tmp_path / f"a.{form}"), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_alpha_is_written_and_read_again(tmp_path, dtype, suffix):
    if suffix == "webp" and dtype == np.uint16:
        pytest.skip("WebP has 8 bit")
    grey, alpha = pixels(1, dtype), pixels(1, dtype)[::-1].copy()
    write(tmp_path / f"a.{suffix}", grey if suffix != "webp" else np.dstack([grey] * 3), alpha=alpha)
    assert np.array_equal(read_photograph(tmp_path / f"a.{suffix}").alpha, alpha)


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_is_lossless_where_it_was(tmp_path, lossless):
    colour = pixels(3, np.uint8)
    Image.fromarray(colour).save(tmp_path / "in.webp", lossless=lossless)
    write(tmp_path / "out.webp", colour, like=tmp_path / "in.webp")
    assert np.array_equal(read(tmp_path / "out.webp"), colour) == lossless


def test_a_raw_file_beside_its_photograph_is_not_listed(tmp_path):
    for name in ("a.NEF", "a.jpg", "b.nef", "c.heic", "d.exr"):
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ["a.jpg", "b.nef", "c.heic", "d.exr"]
