"""What a photographer, a camera and an editor wrote, read again by libexiv2 after a picture was made."""

import logging

import exiv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from defocus_core.io.exif import say_once
from defocus_core.io.read import read
from defocus_core.io.write import write

EXIF = {
    "Exif.Image.Make": "Nikon",
    "Exif.Image.ImageDescription": "Beetle head",
    "Exif.Image.Rating": "5",
    "Exif.Image.XPTitle": "84 0 105 0 0 0",
    "Exif.Image.XPKeywords": "109 0 97 0 0 0",
    "Exif.Photo.FNumber": "28/5",
    "Exif.Photo.MakerNote": "78 105 107 111 110 0 2 3 4",
    "Exif.Photo.OffsetTimeOriginal": "+02:00",
    "Exif.Photo.LensModel": "a lens",
    "Exif.GPSInfo.GPSLatitudeRef": "N",
    "Exif.GPSInfo.GPSLatitude": "48/1 12/1 30/1",
}
IPTC = {"Iptc.Application2.ObjectName": "Beetle", "Iptc.Application2.Keywords": "macro"}
XMP = {"Xmp.xmp.Rating": "4", "Xmp.photoshop.City": "Vienna", "Xmp.lr.hierarchicalSubject": "animal|beetle"}
GONE = {"Exif.Image.Orientation": "6", "Exif.Image.Compression": "1", "Xmp.crs.Sharpness": "40"}
POINTERS = {"Exif.Image.ExifTag", "Exif.Image.GPSTag"}


@pytest.fixture
def colour():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def tag(path):
    """Write metadata into a file, by exiv2 alone."""
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    for data, values in ((image.exifData(), EXIF | GONE), (image.iptcData(), IPTC), (image.xmpData(), XMP | GONE)):
        family = type(data).__name__.removesuffix("Data")
        for key, value in values.items():
            if key.startswith(family):
                data[key] = value
    image.writeMetadata()


def tags(path):
    """Return what exiv2 finds in a file, without the layout of a TIFF."""
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    found = [(d.key(), d.toString()) for data in (image.exifData(), image.iptcData(), image.xmpData()) for d in data]
    return {(key, value) for key, value in found if key in EXIF | IPTC | XMP | GONE and key not in POINTERS}


@pytest.mark.parametrize("start", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "deep.png", "deep.tif"])
def test_the_list_of_metadata_is_the_same_but_for_what_must_change(tmp_path, colour, start, suffix):
    Image.fromarray(colour).save(tmp_path / f"in.{start}")
    tag(tmp_path / f"in.{start}")
    before = tags(tmp_path / f"in.{start}")
    pixels = read(tmp_path / f"in.{start}")
    assert pixels.shape == (30, 20, 3)
    deep = suffix.startswith("deep")
    write(tmp_path / f"out.{suffix}", pixels.astype(np.uint16) * 257 if deep else pixels, like=tmp_path / f"in.{start}")
    lost = {key for key in IPTC if "webp" in (start, suffix)}  # WebP holds no IPTC
    expected = {(key, value) for key, value in before if key not in GONE and key not in lost}
    assert {(k, v) for k, v in tags(tmp_path / f"out.{suffix}") if k != "Exif.Image.Compression"} == expected
    assert len(expected) >= len(EXIF) + len(XMP)
    assert read(tmp_path / f"out.{suffix}").shape == (30, 20, 3)


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_exif_and_xmp_survive_in_heic_and_avif(tmp_path, colour, suffix):
    pytest.importorskip("pillow_heif")
    Image.fromarray(colour).save(tmp_path / "in.jpg")
    tag(tmp_path / "in.jpg")
    write(tmp_path / f"out.{suffix}", colour, like=tmp_path / "in.jpg")
    found = dict(tags(tmp_path / f"out.{suffix}"))
    assert EXIF.items() <= found.items()
    assert XMP.items() <= found.items()
    write(tmp_path / "again.jpg", colour, like=tmp_path / f"out.{suffix}")
    assert EXIF.items() <= dict(tags(tmp_path / "again.jpg")).items()


@pytest.mark.parametrize("kind", [{"ome": True}, {"imagej": True}, {"metadata": {"axes": "ZYX"}}, {}])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_description_that_tells_a_layout_does_not_travel(tmp_path, kind, dtype):
    stack = np.zeros((3, 20, 30), dtype)
    tifffile.imwrite(tmp_path / "in.tif", stack, photometric="minisblack", **kind)
    write(tmp_path / "out.tif", stack[0], like=tmp_path / "in.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.series[0].shape == (20, 30)
        assert not any(word in file.pages[0].description for word in ("shape", "OME", "images", "slices"))


def test_what_cannot_be_kept_is_said_once(tmp_path, colour, caplog):
    say_once.cache_clear()
    Image.fromarray(colour).save(tmp_path / "in.jpg")
    tag(tmp_path / "in.jpg")
    with caplog.at_level(logging.WARNING, "defocus_core"):
        for name in "ab":
            write(tmp_path / f"{name}.webp", colour, like=tmp_path / "in.jpg")
    assert [record.message for record in caplog.records] == [".webp does not keep IPTC"]
