"""One file's metadata leave no trace in the next one's."""

from datetime import datetime

import exiv2
import pytest
from PIL import ExifTags, Image

from defocus_core.io.exif import exif_numbers, exif_time, library
from defocus_core.io.write import write


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
