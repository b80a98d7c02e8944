"""Files of every writer, mode, depth, compression and orientation, read to the pixels that were written."""

import io
import shutil
import struct
import subprocess
import sys

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from defocus_core.io.color import to_grey
from defocus_core.io.errors import ImageError
from defocus_core.io.listing import list_images
from defocus_core.io.pages import group_pages, list_all_pages, list_pages
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
    full = (small << (16 - bits)) if bits > 8 else (small * (255 // (2**bits - 1))).astype(np.uint8)
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


def test_what_is_hidden_by_alpha_is_filled_from_around(tmp_path):
    colour, alpha = np.full((20, 30, 3), 90, np.uint8), np.full((20, 30, 1), 255, np.uint8)
    colour[5:9], alpha[5:9] = 0, 0
    Image.fromarray(np.dstack([colour, alpha])).save(tmp_path / "a.png")
    photograph = read_photograph(tmp_path / "a.png")
    assert (photograph.pixels[5:9] == 0).all()
    assert photograph.empty[5:9].all()
    assert (photograph.filled() == 90).all()


def test_colours_multiplied_by_alpha_are_divided_by_it(tmp_path):
    array = np.zeros((4, 5, 4), np.uint16)
    array[..., :3], array[..., 3] = 10000, 20000
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["assocalpha"])
    assert (read(tmp_path / "a.tif") == 10000 * 65535 // 20000).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_alpha_is_written_and_read_again(tmp_path, dtype, suffix):
    if suffix == "webp" and dtype == np.uint16:
        pytest.skip("WebP has 8 bit")
    grey, alpha = pixels(1, dtype), pixels(1, dtype)[::-1].copy()
    write(tmp_path / f"a.{suffix}", grey if suffix != "webp" else np.dstack([grey] * 3), alpha=alpha)
    assert np.array_equal(read_photograph(tmp_path / f"a.{suffix}").alpha, alpha)


def test_blur_is_measured_in_one_grey_whatever_the_profile(tmp_path):
    srgb, adobe = imagecodecs.cms_profile("srgb"), imagecodecs.cms_profile("adobergb")
    colour = np.random.default_rng(0).integers(15000, 50000, (20, 30, 3), dtype=np.uint16)
    other = imagecodecs.cms_transform(colour, srgb, adobe, colorspace="rgb", outcolorspace="rgb")
    for name, array, profile in (("plain", colour, None), ("srgb", colour, srgb), ("adobe", other, adobe)):
        tifffile.imwrite(tmp_path / f"{name}.tif", array, photometric="rgb", iccprofile=profile)
    plain, same, far = (read_photograph(tmp_path / f"{name}.tif") for name in ("plain", "srgb", "adobe"))
    assert np.array_equal(far.pixels, other)
    assert same.for_measuring() is same.pixels
    np.testing.assert_allclose(to_grey(far.for_measuring()), to_grey(plain.for_measuring()), atol=2e-3)
    assert np.abs(to_grey(far.pixels) - to_grey(plain.pixels)).max() > 0.01
    Image.fromarray(colour.astype(np.uint8)).save(tmp_path / "odd.png", icc_profile=b"no profile")
    assert read_photograph(tmp_path / "odd.png").for_measuring().shape == colour.shape


@pytest.mark.parametrize("kind", [{"ome": True}, {"imagej": True}])
def test_axes_of_a_microscope_are_chosen(tmp_path, kind):
    stack = np.arange(12, dtype=np.uint16).reshape(2, 3, 2, 1, 1) + np.zeros(SHAPE, np.uint16)
    metadata = {"axes": "TZCYX", "unit": "um"} | ({"PhysicalSizeX": 0.5} if "ome" in kind else {})
    tifffile.imwrite(tmp_path / "a.tif", stack, metadata=metadata, resolution=(2, 2), **kind)
    (page,) = list_pages(tmp_path / "a.tif", channel=2, z=3, time=1)
    assert (read(page) == stack[0, 2, 1, 0, 0]).all()
    assert read_photograph(page).pixel_size == pytest.approx(0.5)
    groups = group_pages(list_all_pages(tmp_path / "a.tif"))
    assert [group.stem for group in groups] == ["a.t1.c1", "a.t1.c2", "a.t2.c1", "a.t2.c2"]
    assert all(len(slices) == 3 for slices in groups.values())
    with pytest.raises(ImageError, match=r"no channel 3; it has 1 to 2"):
        list_pages(tmp_path / "a.tif", channel=3)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"resolution": (100000, 100000), "resolutionunit": "CENTIMETER"}, 0.1),
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, None),
        ({"resolution": (4, 4), "imagej": True, "metadata": {"unit": "nm"}}, 0.00025),
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 80.0, "PhysicalSizeXUnit": "nm"}}, 0.08),
        ({}, None),
    ],
)
def test_the_size_of_a_pixel_is_known_where_a_microscope_noted_it(tmp_path, options, size):
    tifffile.imwrite(tmp_path / "a.tif", pixels(1, np.uint8), **options)
    assert read_photograph(tmp_path / "a.tif").pixel_size == (None if size is None else pytest.approx(size))


def test_the_pixel_size_of_ome_travels_as_resolution(tmp_path):
    grey = pixels(1, np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", grey, ome=True, metadata={"axes": "YX", "PhysicalSizeX": 0.5})
    write(tmp_path / "b.tif", grey, like=tmp_path / "a.tif")
    assert read_photograph(tmp_path / "b.tif").pixel_size == pytest.approx(0.5)


def test_the_xml_of_ome_leads_to_no_other_file(tmp_path):
    tifffile.imwrite(tmp_path / "secret.tif", pixels(1, np.uint8))
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYCZT" Type="uint8" SizeX="30" SizeY="20" SizeC="1" SizeZ="2" SizeT="1">'
        '<TiffData IFD="0" FirstZ="0" PlaneCount="1"/><TiffData IFD="0" FirstZ="1" PlaneCount="1">'
        '<UUID FileName="secret.tif">urn:uuid:0</UUID></TiffData></Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "a.tif", pixels(1, np.uint8), description=xml, metadata=None)
    assert all(page.path.name == "a.tif" for page in list_all_pages(tmp_path / "a.tif"))
    assert read(tmp_path / "a.tif").shape == SHAPE


@pytest.mark.parametrize("tag", ["tile", "size"])
def test_a_tiff_that_would_fill_the_memory_is_refused_by_its_header(tmp_path, tag):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64), np.uint8), tile=(16, 16), compression="zlib")
    names = ("TileWidth", "TileLength") if tag == "tile" else ("ImageWidth", "ImageLength")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        for name in names:
            file.pages[0].tags[name].overwrite(64000)
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.tif")
    assert caught.value.reason == "huge"


def test_a_compression_that_is_unknown_is_named(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", pixels(1, np.uint16))
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        file.pages[0].tags["Compression"].overwrite(32999)
    with pytest.raises(ImageError, match=r"a\.tif: .*32999"):
        read(tmp_path / "a.tif")


def dng(path):
    """Write a small RAW photograph, as a camera does, of one colour under an RGGB filter."""
    mosaic = np.zeros((64, 96), np.uint16)
    mosaic[0::2, 0::2], mosaic[0::2, 1::2], mosaic[1::2, 0::2], mosaic[1::2, 1::2] = 20000, 30000, 30000, 15000
    matrix = [n for row in np.eye(3, dtype=int) for value in row for n in (int(value), 1)]
    tags = [
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50708, "s", 0, "A camera", True),
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),
        (50717, "H", 1, 65535, True),
        (271, "s", 0, "Maker", True),
    ]
    tifffile.imwrite(path, mosaic, photometric="cfa", extratags=tags, metadata=None, software=False)


def test_a_raw_photograph_is_developed_by_its_own_white_balance(tmp_path):
    pytest.importorskip("rawpy")
    dng(tmp_path / "a.dng")
    shutil.copy(tmp_path / "a.dng", tmp_path / "named_otherwise.tif")
    found = read(tmp_path / "a.dng")
    assert found.dtype == np.uint16
    assert found.shape == (64, 96, 3)
    assert found[20:40, 20:40].std((0, 1)).max() < 600
    assert np.array_equal(read(tmp_path / "named_otherwise.tif"), found)
    assert read(tmp_path / "a.dng", half_size=True).shape == (32, 48, 3)
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.dng", max_pixels=1000)
    assert caught.value.reason == "huge"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_heic_is_written_and_read(tmp_path, dtype):
    pytest.importorskip("pillow_heif")
    ramp = np.linspace(0, np.iinfo(dtype).max, 64 * 48).reshape(48, 64)
    colour = np.dstack([ramp, ramp[::-1], ramp]).astype(dtype)
    write(tmp_path / "a.heic", colour)
    found = read(tmp_path / "a.heic")
    assert found.dtype == dtype
    assert np.abs(found.astype(float) - colour).max() < 0.03 * np.iinfo(dtype).max
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.heic", max_pixels=100)
    assert caught.value.reason == "huge"


@pytest.mark.parametrize(("suffix", "module"), [("dng", "rawpy"), ("heic", "pillow_heif")])
def test_a_reader_that_is_not_installed_is_named(tmp_path, monkeypatch, suffix, module):
    path = tmp_path / f"a.{suffix}"
    if suffix == "dng":
        dng(path)
    else:
        path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(40))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImageError, match=r"pip install 'defocus-core\["):
        read(path)


def test_light_of_openexr_is_read_as_srgb_and_written_back(tmp_path):
    colour = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    write(tmp_path / "a.exr", colour, alpha=np.ones(SHAPE, np.float32))
    found = read_photograph(tmp_path / "a.exr")
    np.testing.assert_allclose(found.pixels, colour, atol=1e-4)
    assert (found.alpha == 1).all()
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.exr", max_pixels=100)
    assert caught.value.reason == "huge"


def test_of_a_damaged_exr_nothing_is_printed(tmp_path, capfd):
    write(tmp_path / "a.exr", np.random.default_rng(0).random((60, 80, 3), dtype=np.float32))
    (tmp_path / "a.exr").write_bytes((tmp_path / "a.exr").read_bytes()[:2000])
    with pytest.raises(ImageError, match=r"a\.exr: damaged or truncated"):
        read(tmp_path / "a.exr")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_is_lossless_where_it_was(tmp_path, lossless):
    colour = pixels(3, np.uint8)
    Image.fromarray(colour).save(tmp_path / "in.webp", lossless=lossless)
    write(tmp_path / "out.webp", colour, like=tmp_path / "in.webp")
    assert np.array_equal(read(tmp_path / "out.webp"), colour) == lossless


def test_a_palette_with_transparency_has_alpha(tmp_path):
    stream = io.BytesIO()
    picture = Image.new("P", (30, 20))
    picture.putpalette([0, 0, 0, 250, 200, 100])
    picture.putpixel((3, 3), 1)
    picture.save(stream, "PNG", transparency=0)
    (tmp_path / "a.png").write_bytes(stream.getvalue())
    photograph = read_photograph(tmp_path / "a.png")
    assert photograph.alpha[3, 3] == 255
    assert (photograph.alpha > 0).sum() == 1


def test_a_raw_file_beside_its_photograph_is_not_listed(tmp_path):
    for name in ("a.NEF", "a.jpg", "b.nef", "c.heic", "d.exr"):
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ["a.jpg", "b.nef", "c.heic", "d.exr"]


def test_importing_the_readers_loads_none_of_the_optional_ones():
    code = "import sys, defocus_core.io.read, defocus_core.io.write; "
    code += "assert not {'rawpy', 'pillow_heif', 'OpenEXR', 'exiv2', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
