"""What a microscope's TIFF says, and TIFFs that are refused."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from defocus_core.io.errors import ImageError
from defocus_core.io.pages import group_pages, list_pages
from defocus_core.io.read import read, read_photograph
from defocus_core.io.write import write

SHAPE = (20, 30)


def pixels(channels, dtype):
    """Return smooth pixels with noise, so that lossless codecs have something to do."""
    shape = SHAPE if channels == 1 else (*SHAPE, channels)
    return np.random.default_rng(channels).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def test_colours_multiplied_by_alpha_are_divided_by_it(tmp_path):
    array = np.zeros((4, 5, 4), np.uint16)
    array[..., :3], array[..., 3] = 10000, 20000
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["assocalpha"])
    assert (read(tmp_path / "a.tif") == 10000 * 65535 // 20000).all()
    of_floats, ends = np.float32([[[0.1, 0.1, 0.1, 0.5]]]), [(340, "f", 1, 0.0, True), (341, "f", 1, 1.0, True)]
    tifffile.imwrite(tmp_path / "a.tif", of_floats, photometric="rgb", extrasamples=["assocalpha"], extratags=ends)
    np.testing.assert_allclose(read(tmp_path / "a.tif"), 0.2)


@pytest.mark.parametrize("kind", [{"ome": True}, {"imagej": True}])
def test_axes_of_a_microscope_are_chosen(tmp_path, kind):
    stack = np.arange(12, dtype=np.uint16).reshape(2, 3, 2, 1, 1) + np.zeros(SHAPE, np.uint16)
    metadata = {"axes": "TZCYX", "unit": "um"} | ({"PhysicalSizeX": 0.5} if "ome" in kind else {})
    tifffile.imwrite(tmp_path / "a.tif", stack, metadata=metadata, resolution=(2, 2), **kind)
    (page,) = list_pages(tmp_path / "a.tif", channel=2, z=3, time=1)
    assert (read(page) == stack[0, 2, 1, 0, 0]).all()
    assert read_photograph(page).pixel_size == pytest.approx(0.5)
    groups = group_pages(list_pages(tmp_path / "a.tif"))
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


@pytest.mark.parametrize(
    ("unit", "across", "size"),
    [
        ("\\u00B5m", 4, 0.25),
        ("\\u00b5m", 4, 0.25),
        ("\\u03bcm", 4, 0.25),
        ("Microns", 4, 0.25),
        ("micrometers", 4, 0.25),
        ("Micrometer", 4, 0.25),
        ("MM", 100, 10),
        ("inch", 10160, 2.5),
        ("inch", 300, None),  # of a print
        ("pixel", 4, None),
    ],
)
def test_a_unit_of_imagej_is_known_however_it_is_written(tmp_path, unit, across, size):
    tifffile.imwrite(
        tmp_path / "a.tif", pixels(1, np.uint8), imagej=True, metadata={"unit": unit}, resolution=(across, across)
    )
    assert read_photograph(tmp_path / "a.tif").pixel_size == (None if size is None else pytest.approx(size))


def test_the_pixel_size_of_ome_travels_as_resolution(tmp_path):
    grey = pixels(1, np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", grey, ome=True, metadata={"axes": "YX", "PhysicalSizeX": 0.5})
    write(tmp_path / "b.tif", grey, like=tmp_path / "a.tif")
    assert read_photograph(tmp_path / "b.tif").pixel_size == pytest.approx(0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "kind",
    [
        {"imagej": True, "metadata": {"unit": "um"}, "resolution": (2, 4)},
        {"imagej": True, "metadata": {"unit": "nm"}, "resolution": (0.002, 0.004)},
        {"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 0.5}},
    ],
)
def test_the_pixel_size_of_a_microscope_travels_into_png(tmp_path, kind, dtype):
    grey = pixels(1, dtype)
    tifffile.imwrite(tmp_path / "a.tif", grey, **kind)
    write(tmp_path / "b.png", grey, like=tmp_path / "a.tif")
    with Image.open(tmp_path / "b.png") as picture:
        across, down = picture.info["dpi"]
    assert across == pytest.approx(25400 / 0.5)
    assert down == pytest.approx(across * (2 if "imagej" in kind else 1))


def test_the_pixel_size_of_imagej_stays_in_tiff(tmp_path):
    grey = pixels(1, np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", grey, imagej=True, metadata={"unit": "um"}, resolution=(2, 2))
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
    assert all(page.path.name == "a.tif" for page in list_pages(tmp_path / "a.tif"))
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


OME = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
OME += (
    'DimensionOrder="XYZCT" Type="uint8" SizeX="30" SizeY="20" SizeC="2" SizeZ="2" SizeT="1">%s</Pixels></Image></OME>'
)


def test_planes_that_ome_leaves_out_move_no_other_one(tmp_path):
    places = [(0, 0), (1, 0), (1, 1)]  # z and channel
    data = (f'<TiffData IFD="{i}" FirstZ="{z}" FirstC="{c}" PlaneCount="1"/>' for i, (z, c) in enumerate(places))
    planes = np.arange(3, dtype=np.uint8)[:, None, None] + np.zeros(SHAPE, np.uint8)
    xml = OME % "".join(data)
    tifffile.imwrite(tmp_path / "a.tif", planes, description=xml, metadata=None, photometric="minisblack")
    found = {page.position: read(page)[0, 0] for page in list_pages(tmp_path / "a.tif")}
    assert found == {(("C", c), ("Z", z)): i for i, (z, c) in enumerate(places)}
    (page,) = list_pages(tmp_path / "a.tif", channel=2)
    assert page.stem == "a.c2.z2"


def test_a_stack_of_one_directory_is_no_single_picture(tmp_path):
    stack = np.zeros((2, 3, *SHAPE), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    with tifffile.TiffFile(tmp_path / "a.tif") as file:  # ImageJ writes those of more than 4 GB so
        first = file.pages[0]
        place = first.offset + 2 + 12 * len(first.tags)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place : place + 4] = bytes(4)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match="2 Z x 3 C are named and 1 pictures there; save it as OME-TIFF"):
        read(tmp_path / "a.tif")


def test_signed_numbers_are_refused(tmp_path):
    for dtype in (np.int8, np.int16, np.int32):
        tifffile.imwrite(tmp_path / "a.tif", np.zeros(SHAPE, dtype))
        with pytest.raises(ImageError, match=r"int(8|16|32) numbers; save it as unsigned 8 or 16 bit"):
            read(tmp_path / "a.tif")
