import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from defocus_core.io.color import as_float, stretch_contrast, to_grey
from defocus_core.io.errors import ImageError
from defocus_core.io.listing import list_images
from defocus_core.io.pages import list_pages
from defocus_core.io.read import read
from defocus_core.io.write import write


@pytest.fixture
def colour():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_lossless_formats_come_back_as_they_were(tmp_path, colour, suffix):
    write(tmp_path / f"a{suffix}", colour)
    assert np.array_equal(read(tmp_path / f"a{suffix}"), colour)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_colour_keeps_its_levels_and_channel_order(tmp_path, suffix):
    deep = np.random.default_rng(0).integers(0, 2**16, (9, 7, 3), dtype=np.uint16)
    write(tmp_path / f"a{suffix}", deep)
    assert np.array_equal(read(tmp_path / f"a{suffix}"), deep)


def test_alpha_and_palette_are_read_as_colour(tmp_path, colour):
    alpha = np.dstack([colour, np.full(colour.shape[:2], 7, np.uint8)])
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    assert np.array_equal(read(tmp_path / "alpha.png"), colour)
    Image.fromarray(colour).convert("P").save(tmp_path / "palette.png")
    assert read(tmp_path / "palette.png").shape == (20, 30, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_exif_orientation_is_honoured(tmp_path, orientation, depth, suffix):
    upright = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    picture = Image.fromarray(upright)
    exif = picture.getexif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    picture.save(path, exif=exif)
    expected = np.asarray(_transposed(picture, orientation))
    if depth == 16:
        Image.fromarray(upright.astype(np.uint16) * 257).save(path, exif=exif)
        expected = expected.astype(np.uint16) * 257
    assert np.array_equal(read(path), expected)


def _transposed(picture, orientation):
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # as the EXIF standard pairs them
    return picture if orientation == 1 else picture.transpose(Image.Transpose(turns[orientation]))


def test_size_is_checked_before_decoding(tmp_path):
    Image.new("L", (4000, 4000)).save(tmp_path / "big.png")
    with pytest.raises(ImageError, match="4000x4000") as caught:
        read(tmp_path / "big.png", max_pixels=1_000_000)
    assert caught.value.reason == "huge"


def test_damaged_files_are_named_errors(tmp_path, colour):
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "text.png")
    assert caught.value.reason == "unreadable"
    write(tmp_path / "whole.jpg", np.kron(colour, np.ones((8, 8, 1), np.uint8)))
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:2000])
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "cut.jpg")
    assert caught.value.reason == "truncated"


def test_grey_uses_luma_weights():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    assert to_grey(red)[0, 0] == pytest.approx(0.299, abs=1e-3)


def test_floats_out_of_range_are_refused_and_nan_is_black():
    with pytest.raises(ValueError, match=r"\[0, 1\], this one in \[0, 200\]"):
        as_float(np.array([[0.0, 200.0]]))
    assert as_float(np.array([[np.nan, 1.0]])).tolist() == [[0, 1]]


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((2, 2, 5)), np.zeros((2, 2), int), np.zeros((0, 3))])
def test_what_is_no_image_is_refused(bad):
    with pytest.raises(ValueError, match="an image"):
        as_float(bad)


def test_grey_sixteen_bit_by_opencv_reads_alike(tmp_path):
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    cv2.imwrite(str(tmp_path / "a.png"), deep)
    assert np.array_equal(read(tmp_path / "a.png"), deep)


def test_floating_point_files_are_refused(tmp_path):
    Image.fromarray(np.full((40, 40), 0.5, np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(ImageError, match="floating-point"):
        read(tmp_path / "f.tif")


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_floating_point_colour_is_refused_by_name(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "f.tif", np.full((40, 40, 3), 0.5, dtype), photometric="rgb")
    with pytest.raises(ImageError, match="floating-point pixels; save it as 8 or 16 bit"):
        read(tmp_path / "f.tif")


def test_sixteen_bit_tiffs_of_other_layouts_are_read_right(tmp_path, colour):
    deep = colour.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "white.tif", 65535 - deep[:, :, 0], photometric="miniswhite")
    assert np.array_equal(read(tmp_path / "white.tif"), deep[:, :, 0])
    planes = np.moveaxis(deep, 2, 0)
    tifffile.imwrite(tmp_path / "planes.tif", planes, photometric="rgb", planarconfig="separate")
    assert np.array_equal(read(tmp_path / "planes.tif"), deep)


def test_grey_with_alpha_stays_grey_in_sixteen_bit(tmp_path):
    deep = np.random.default_rng(0).integers(0, 2**16, (20, 30, 2), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    header = struct.pack(">IIBBBBB", 30, 20, 16, 4, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    assert np.array_equal(read(tmp_path / "a.png"), deep[:, :, 0])


def test_jpeg_keeps_the_colour_of_every_pixel(tmp_path):
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::2, 0], stripes[:, 1::2, 2] = 200, 200
    write(tmp_path / "a.jpg", stripes)
    assert np.abs(read(tmp_path / "a.jpg").astype(int) - stripes).max() < 40


def test_a_cut_sixteen_bit_file_is_truncated(tmp_path):
    write(tmp_path / "a.png", np.random.default_rng(0).integers(0, 2**16, (64, 64), dtype=np.uint16))
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:3000])
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.png")
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_of_a_damaged_sixteen_bit_file_decoders_print_nothing(tmp_path, capfd, suffix):
    path = tmp_path / f"a.{suffix}"
    write(path, np.random.default_rng(0).integers(0, 2**16, (90, 70, 3), dtype=np.uint16))
    data = bytearray(path.read_bytes())
    data[3000] ^= 255
    path.write_bytes(data if suffix == "png" else data[:3000])
    with pytest.raises(ImageError, match=f"a.{suffix}: damaged or truncated"):
        read(path)
    assert capfd.readouterr() == ("", "")


def test_sixteen_bit_of_four_inks_is_refused_by_name(tmp_path):
    inks = np.zeros((20, 30, 4), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    with pytest.raises(ImageError, match=r"a\.tif: .* save it as grey or RGB"):
        read(tmp_path / "a.tif")


def test_a_folder_is_listed_by_the_numbers_in_its_names(tmp_path):
    for name in ("shot10.png", "shot2.png", "shot1.png", "2.png", "a.PNG", "shot02.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "._shot1.png").touch()  # as macOS leaves beside a photograph
    found = [path.name for path in list_images(tmp_path)]
    assert found == ["2.png", "a.PNG", "shot1.png", "shot02.png", "shot2.png", "shot10.png"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(3, 20, 30), (3, 20, 30, 3)])
def test_the_pictures_of_a_stack_in_one_file_are_read_one_by_one(tmp_path, dtype, shape):
    stack = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    photometric = "rgb" if len(shape) == 4 else "minisblack"
    tifffile.imwrite(tmp_path / "z.tif", stack, photometric=photometric)
    with pytest.raises(ImageError, match=r"z.tif: 3 pictures in one file; save one, or fuse them"):
        read(tmp_path / "z.tif")
    found = list_pages(tmp_path / "z.tif")
    assert str(found[1]) == f"{tmp_path / 'z.tif'}, picture 2"
    for page, pixels in zip(found, stack, strict=True):
        assert np.array_equal(read(page), pixels)


def test_a_thumbnail_in_a_file_is_no_second_picture(tmp_path, colour):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(colour, photometric="rgb")
        file.write(np.ascontiguousarray(colour[::2, ::2]), photometric="rgb", subfiletype=1)
    assert np.array_equal(read(tmp_path / "a.tif"), colour)
    assert len(list_pages(tmp_path / "a.tif")) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("flag", [0, 1])
def test_a_thumbnail_before_the_picture_is_left_out(tmp_path, colour, flag, dtype):
    picture = colour.astype(dtype) * (1 if dtype == np.uint8 else 257)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        thumbnail = np.ascontiguousarray(picture[::2, ::2])
        file.write(thumbnail, photometric="rgb", subfiletype=flag, software="of the thumbnail")
        file.write(picture, photometric="rgb", software="of the picture", resolution=(300, 300))
    assert np.array_equal(read(tmp_path / "a.tif"), picture)
    write(tmp_path / "b.tif", picture, like=tmp_path / "a.tif")
    with Image.open(tmp_path / "b.tif") as written:
        assert written.getexif()[0x0131] == "of the picture"
        assert written.info["dpi"] == (300, 300)


def test_pictures_of_different_size_in_one_file_are_refused(tmp_path, colour):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(colour, photometric="rgb")
        file.write(np.ascontiguousarray(colour[:-4]), photometric="rgb")
    with pytest.raises(ImageError, match=r"a.tif: 2 pictures of different size"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_levels_that_fill_part_of_the_range_are_stretched_to_it(bits):
    full = np.random.default_rng(0).integers(0, 2**16, (100, 120), dtype=np.uint16)
    found = stretch_contrast(full >> (16 - bits))
    gain = min(16, 2 ** (16 - bits))
    assert found.max() == pytest.approx(min(1, gain * 2**bits / 2**16), abs=0.01)
    if bits >= 12:
        np.testing.assert_allclose(found, as_float(full), atol=0.005)


def test_stretching_leaves_its_argument_as_it_was():
    image = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32) / 4
    before = image.copy()
    assert stretch_contrast(image).max() == 1
    assert np.array_equal(image, before)
    assert (stretch_contrast(np.full((4, 4), 0.3, np.float32)) == 0).all()


@pytest.mark.parametrize("kind", [{"imagej": True}, {"ome": True}])
def test_channels_of_a_microscope_are_no_slices(tmp_path, kind):
    stack = np.zeros((5, 2, 30, 40), np.uint16)
    tifffile.imwrite(tmp_path / "two.tif", stack, metadata={"axes": "ZCYX"}, **kind)
    with pytest.raises(ImageError, match="2 channels in one file; save the stack of one"):
        list_pages(tmp_path / "two.tif")
    tifffile.imwrite(tmp_path / "one.tif", stack[:, :1], metadata={"axes": "ZCYX"}, **kind)
    assert len(list_pages(tmp_path / "one.tif")) == 5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_of_a_stack_is_read_without_the_others(tmp_path, dtype):
    stack = np.zeros((40, 256, 256), dtype)
    tifffile.imwrite(tmp_path / "z.tif", stack, photometric="minisblack")
    pages = list_pages(tmp_path / "z.tif")
    read(pages[0])
    tracemalloc.start()
    read(pages[-1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < stack.nbytes / 4


def test_a_damaged_stack_is_a_named_error(tmp_path):
    tifffile.imwrite(tmp_path / "z.tif", np.zeros((3, 20, 30), np.uint8), photometric="minisblack")
    (tmp_path / "z.tif").write_bytes((tmp_path / "z.tif").read_bytes()[:200])
    (tmp_path / "text.tif").write_text("no picture")
    for name in ("z.tif", "text.tif"):
        with pytest.raises(ImageError, match=name):
            list_pages(tmp_path / name)


def test_an_image_that_is_float_already_is_not_copied():
    image = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    assert as_float(image) is image
    for other in (np.where(image > 0.5, np.nan, image), image * 1.0005):
        found = as_float(other)
        assert found is not other
        assert 0 <= found.min() <= found.max() <= 1
