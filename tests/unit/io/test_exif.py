"""One file's metadata leave no trace in the next one's."""

import logging
import struct
import tracemalloc
from datetime import datetime

import exiv2
import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, TiffImagePlugin

from defocus_core.io.errors import ImageError
from defocus_core.io.exif import exif_numbers, exif_time, library, say_once
from defocus_core.io.read import read
from defocus_core.io.write import write

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
XMP += b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'


def test_a_packet_of_foreign_prefixes_leaves_other_files_alone(tmp_path, colour):
    Image.fromarray(colour).save(tmp_path / "good.jpg")
    image = exiv2.ImageFactory.open(str(tmp_path / "good.jpg"))
    image.xmpData()["Xmp.xmp.Rating"] = "4"
    image.writeMetadata()
    strange = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    strange += b'<rdf:Description rdf:about="" xmlns:xmp="urn:other" xmp:Rating="1"/></rdf:RDF></x:xmpmeta>'
    Image.fromarray(colour).save(tmp_path / "strange.jpg", xmp=strange)
    for name in ("strange", "good"):
        write(tmp_path / f"{name}_out.jpg", colour, like=tmp_path / f"{name}.jpg")
    image = exiv2.ImageFactory.open(str(tmp_path / "good_out.jpg"))
    image.readMetadata()
    assert image.xmpData()["Xmp.xmp.Rating"].toString() == "4"


def test_numbers_that_are_none_are_left_out(tmp_path, colour):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x829D: 2.8, 0x920A: 0.0, 0xA434: "a lens"})
    Image.fromarray(colour).save(tmp_path / "a.jpg", exif=exif)
    numbers, size = exif_numbers(tmp_path / "a.jpg")
    assert numbers["FNumber"] == 2.8 or abs(numbers["FNumber"] - 2.8) < 1e-5
    assert not {"FocalLength", "LensModel"} & set(numbers)
    assert size == (30, 20)


def test_the_level_of_messages_is_given_back():
    before = exiv2.LogMsg.level()
    with library():
        assert exiv2.LogMsg.level() == exiv2.LogMsg.Level.mute
    assert exiv2.LogMsg.level() == before


def test_metadata_of_a_large_file_are_read_without_its_pixels(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (3000, 4000), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", noise)
    tracemalloc.start()
    exif_numbers(tmp_path / "a.tif")
    assert tracemalloc.get_traced_memory()[1] < noise.nbytes / 4
    tracemalloc.stop()


def big_tiff(path, grey):
    """Write a BigTIFF with EXIF, GPS and XMP; neither Pillow's nor tifffile's writer of files puts them into one."""
    head = b"II+\0" + struct.pack("<HHQ", 8, 0, 16)
    tags = TiffImagePlugin.ImageFileDirectory_v2(head)
    height, width = grey.shape
    layout = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: height, 279: grey.size}
    tags.update({**layout, 271: "Maker", 700: XMP})
    for tag, values in ((34665, {0x829D: 2.8, 0x927C: b"a note"}), (34853, {1: "N", 2: (48.0, 12.0, 1.0)})):
        tags[tag] = values
    tags.tagtype.update({700: 1, 34665: 4, 34853: 4})
    path.write_bytes(head + tags.tobytes(16) + grey.tobytes())


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_exif_place_and_xmp_of_a_bigtiff_are_kept(tmp_path, suffix):
    grey = np.arange(600, dtype=np.uint8).reshape(20, 30)
    big_tiff(tmp_path / "big.tif", grey)
    assert np.array_equal(read(tmp_path / "big.tif"), grey)
    write(tmp_path / f"out.{suffix}", grey, like=tmp_path / "big.tif")
    image = exiv2.ImageFactory.open(str(tmp_path / f"out.{suffix}"))
    image.readMetadata()
    found = {datum.key(): datum.toString() for datum in [*image.exifData(), *image.xmpData()]}
    assert found["Exif.Image.Make"] == "Maker"
    assert found["Exif.Photo.MakerNote"] == "97 32 110 111 116 101"
    assert found["Exif.GPSInfo.GPSLatitude"] == "48/1 12/1 1/1"
    assert found["Xmp.xmp.Rating"] == "4"


def test_a_bigtiff_whose_metadata_cannot_be_read_is_said_once(tmp_path, caplog):
    say_once.cache_clear()
    grey = np.arange(600, dtype=np.uint8).reshape(20, 30)
    tifffile.imwrite(tmp_path / "big.tif", grey, bigtiff=True, byteorder=">", software="theirs")
    with caplog.at_level(logging.WARNING, "defocus_core"):
        for name in ("a.tif", "b.tif"):
            write(tmp_path / name, grey, like=tmp_path / "big.tif")
            assert np.array_equal(read(tmp_path / name), grey)
    (said,) = [record.message for record in caplog.records]
    assert said.startswith("EXIF, IPTC and XMP of this BigTIFF cannot be read and are not kept")


def test_metadata_of_what_is_no_photograph_are_a_named_error(tmp_path, colour):
    (tmp_path / "a.txt").write_text("no picture")
    with pytest.raises(ImageError, match=r"a\.txt: not an image"):
        write(tmp_path / "b.png", colour, like=tmp_path / "a.txt")
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize(
    ("noted", "taken"),
    [
        ({"DateTimeOriginal": "2026:06:01 12:00:05"}, datetime(2026, 6, 1, 12, 0, 5)),
        (
            {"DateTimeOriginal": "2026:06:01 12:00:05", "SubsecTimeOriginal": "25"},
            datetime(2026, 6, 1, 12, 0, 5, 250000),
        ),
        ({"DateTimeOriginal": "0000:00:00 00:00:00"}, None),
        ({}, None),
    ],
)
def test_the_time_is_that_of_the_exposure(tmp_path, colour, noted, taken):
    exif = Image.Exif()
    for name, value in noted.items():
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base[name]] = value
    Image.fromarray(colour).save(tmp_path / "a.jpg", exif=exif)
    assert exif_time(tmp_path / "a.jpg") == taken
