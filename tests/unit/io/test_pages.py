import numpy as np
import pytest
import tifffile
from PIL import Image

from defocus_core.io.errors import ImageError
from defocus_core.io.pages import family, group_pages, list_pages
from defocus_core.io.read import read
from defocus_core.io.write import write


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(3, 20, 30), (3, 20, 30, 3)])
def test_the_pictures_of_a_stack_in_one_file_are_read_one_by_one(tmp_path, dtype, shape):
    stack = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    photometric = "rgb" if len(shape) == 4 else "minisblack"
    tifffile.imwrite(tmp_path / "z.tif", stack, photometric=photometric)
    with pytest.raises(ImageError, match=r"z.tif: 3 pictures in one file; choose one by --z"):
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


@pytest.mark.parametrize("kind", [{"imagej": True}, {"ome": True}])
def test_channels_of_a_microscope_are_stacks_of_their_own(tmp_path, kind):
    stack = np.zeros((5, 2, 30, 40), np.uint16)
    tifffile.imwrite(tmp_path / "two.tif", stack, metadata={"axes": "ZCYX"}, **kind)
    groups = group_pages(list_pages(tmp_path / "two.tif"))
    assert [(page.stem, len(slices)) for page, slices in groups.items()] == [("two.c1", 5), ("two.c2", 5)]
    assert [str(page) for page in groups] == [f"{tmp_path / 'two.tif'}, channel {number}" for number in (1, 2)]


@pytest.mark.parametrize("kind", [{"imagej": True}, {"ome": True}])
def test_a_picture_of_a_microscope_is_named_with_its_place(tmp_path, kind):
    stack = np.zeros((3, 2, 30, 40), np.uint16)
    tifffile.imwrite(tmp_path / "two.tif", stack, metadata={"axes": "ZCYX"}, **kind)
    found = [str(page).removeprefix(str(tmp_path)) for page in list_pages(tmp_path / "two.tif", z=3)]
    assert found == ["/two.tif, picture 5 (z 3, channel 1)", "/two.tif, picture 6 (z 3, channel 2)"]


def test_a_damaged_stack_is_a_named_error(tmp_path):
    tifffile.imwrite(tmp_path / "z.tif", np.zeros((3, 20, 30), np.uint8), photometric="minisblack")
    (tmp_path / "z.tif").write_bytes((tmp_path / "z.tif").read_bytes()[:200])
    (tmp_path / "text.tif").write_text("no picture")
    for name in ("z.tif", "text.tif"):
        with pytest.raises(ImageError, match=name):
            list_pages(tmp_path / name)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"II*\0\x10\0\0\0CR\2\0", "raw"),  # Canon CR2
        (b"II*\0\x08\0\0\0IIII", "raw"),  # Phase One IIQ, whose first directory is a thumbnail
        (b"II\x1a\0\0\0HEAPCCDR", "raw"),  # Canon CRW
        (b"IIU\0\x18\0\0\0", "raw"),  # Panasonic RW2
        (b"FUJIFILMCCD-RAW 0201", "raw"),
        (b"\0\0\0\x18ftypcrx ", "raw"),  # Canon CR3
        (b"\0\0\0\x18ftypheic", "heif"),
        (b"\0\0\0\x18ftypavif", "pillow"),
        (b"MM\0+\0\x08\0\0", "tiff"),
        (b"\x76\x2f\x31\x01", "exr"),
        (b"\x89PNG\r\n\x1a\n", "pillow"),
        (b"", "pillow"),
    ],
)
def test_the_first_bytes_of_a_file_choose_its_reader(head, kind):
    assert family(head) == kind


def test_positions_of_a_stage_are_no_stack(tmp_path):
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as file:
        for _ in range(2):
            file.write(np.zeros((3, 20, 30), np.uint8), photometric="minisblack", metadata={"axes": "ZYX"})
    with pytest.raises(ImageError, match=r"two\.ome\.tif: 2 images \(positions\) in one OME-TIFF; save each"):
        list_pages(tmp_path / "two.ome.tif")
