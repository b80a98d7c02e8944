import os
import struct
import tracemalloc
import zlib

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from defocus_core.io.errors import ImageError
from defocus_core.io.pages import list_pages
from defocus_core.io.read import read, read_for_measuring, read_photograph
from defocus_core.io.write import write


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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_a_tiff_that_pillow_turns_is_turned_once(tmp_path, orientation, mode):
    quarters = np.kron([[40, 90], [140, 240]], np.ones((8, 12))).astype(np.uint8)
    picture = Image.fromarray(np.dstack([quarters] * 3)).convert(mode)
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.tif", exif=exif, compression="jpeg" if mode == "YCbCr" else None)
    expected = np.asarray(_transposed(picture.convert("RGB"), orientation)).astype(int)
    found = read(tmp_path / "a.tif")
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 8


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


def test_what_is_measured_is_srgb_and_has_no_edge_where_alpha_ends(tmp_path):
    colour = np.full((20, 30, 4), 120, np.uint8)
    colour[..., 3] = 255
    colour[:5] = 0
    adobe = imagecodecs.cms_profile("adobergb")
    Image.fromarray(colour).save(tmp_path / "a.png", icc_profile=adobe)
    (level,) = np.unique(read_for_measuring(tmp_path / "a.png"))
    assert np.array_equal(np.unique(read(tmp_path / "a.png")), [0, 120])
    one, srgb = colour[10:11, :1, :3].copy(), imagecodecs.cms_profile("srgb")
    assert level == imagecodecs.cms_transform(one, adobe, srgb, colorspace="rgb", outcolorspace="rgb")[0, 0, 0]


def test_what_is_no_file_of_pixels_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "circle.png", "folder.png"):
        with pytest.raises(FileNotFoundError, match=f"no image file .*{name}"):
            read(tmp_path / name)
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match=r"empty\.png: not an image"):
        read(tmp_path / "empty.png")


@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif", "heic"])
def test_orientation_is_applied_once_whoever_turns(tmp_path, suffix):
    ramp = np.broadcast_to(np.arange(0, 240, 4, dtype=np.uint8)[:, None], (60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(np.dstack([ramp] * 3))
    if suffix == "heic":
        pytest.importorskip("pillow_heif").from_pillow(picture).save(tmp_path / "a.heic", exif=exif.tobytes())
    else:
        picture.save(tmp_path / f"a.{suffix}", exif=exif)
    upright = np.rot90(np.dstack([ramp] * 3), -1).astype(int)
    assert np.abs(read(tmp_path / f"a.{suffix}") - upright).mean() < 4
    write(tmp_path / f"b.{suffix}", upright.astype(np.uint8), like=tmp_path / f"a.{suffix}")
    assert np.abs(read(tmp_path / f"b.{suffix}") - upright).mean() < 4


def test_inks_of_a_jpeg_are_read_as_pillow_reads_them(tmp_path):
    inks = Image.fromarray(np.full((20, 30, 3), (200, 100, 50), np.uint8)).convert("CMYK")
    inks.save(tmp_path / "a.jpg", quality=95, icc_profile=imagecodecs.cms_profile("srgb"))
    photograph = read_photograph(tmp_path / "a.jpg")
    assert np.abs(photograph.pixels - np.array([200, 100, 50])).max() <= 3
    assert photograph.profile is None  # it is of the inks


@pytest.mark.parametrize("suffix", ["webp", "gif", "png", "avif"])
def test_the_frames_of_an_animation_are_pictures(tmp_path, suffix):
    frames = [Image.fromarray(np.full((20, 30, 3), level, np.uint8)) for level in (50, 200)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="2 pictures in one file"):
        read(tmp_path / f"a.{suffix}")
    assert [int(read(page).mean().round(-1)) for page in list_pages(tmp_path / f"a.{suffix}")] == [50, 200]


def test_the_second_picture_of_a_stereo_camera_is_left_out(tmp_path, colour):
    Image.fromarray(colour).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[Image.fromarray(colour)])
    assert read(tmp_path / "a.jpg").shape == colour.shape
    assert len(list_pages(tmp_path / "a.jpg")) == 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
def test_pixels_can_be_written_to(tmp_path, suffix):
    write(tmp_path / f"a{suffix}", np.full((8, 8, 3), 200, np.uint8))
    pixels = read(tmp_path / f"a{suffix}")
    pixels[:2] = 0
    assert pixels.max() > 190 > pixels[:2].max() == 0
