"""What files keep of the photograph that they were made of."""

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.read import read
from defocus_core.io.write import write


def test_metadata_survives_but_orientation_is_reset(tmp_path, colour):
    picture = Image.fromarray(colour)
    exif = picture.getexif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    picture.save(tmp_path / "in.jpg", exif=exif, icc_profile=b"profile")
    write(tmp_path / "out.jpg", read(tmp_path / "in.jpg"), like=tmp_path / "in.jpg")
    with Image.open(tmp_path / "out.jpg") as out:
        assert out.info["icc_profile"] == b"profile"
        assert out.getexif()[0x010F] == "maker"
        assert 0x0112 not in out.getexif()
        assert out.size == (20, 30)


@pytest.mark.parametrize("mode", ["RGBA", "P", "CMYK", "L"])
def test_what_is_written_like_any_tiff_can_be_read(tmp_path, colour, mode):
    Image.fromarray(colour).convert(mode).save(tmp_path / "in.tif", icc_profile=b"theirs")
    write(tmp_path / "out.tif", colour, like=tmp_path / "in.tif")
    assert np.array_equal(read(tmp_path / "out.tif"), colour)
    if mode in ("CMYK", "L"):
        with Image.open(tmp_path / "out.tif") as out:
            assert "icc_profile" not in out.info


@pytest.mark.parametrize("density", [(0, 0), (4_000_000_000, 1)])
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_a_resolution_that_is_none_does_not_matter(tmp_path, colour, density, suffix):
    tifffile.imwrite(tmp_path / "in.tif", colour, resolution=(300, 300), photometric="rgb")
    with tifffile.TiffFile(tmp_path / "in.tif", mode="r+") as file:
        for name in ("XResolution", "YResolution"):
            file.pages[0].tags[name].overwrite(density)
    write(tmp_path / f"out.{suffix}", colour, like=tmp_path / "in.tif")
    assert read(tmp_path / f"out.{suffix}").shape == colour.shape


@pytest.mark.parametrize(
    ("suffix", "depth"),
    [("jpg", np.uint8), ("png", np.uint8), ("png", np.uint16), ("tif", np.uint8), ("tif", np.uint16)],
)
@pytest.mark.parametrize("grey", [False, True])
def test_what_a_camera_wrote_survives_in_every_format(tmp_path, colour, suffix, depth, grey):
    tag = ExifTags.Base
    told = {tag.FNumber: 2.8, tag.FocalLength: 50.0, tag.DateTimeOriginal: "2024:05:06 07:08:09"}
    told |= {tag.LensModel: "a lens", tag.ISOSpeedRatings: 400, tag.UserComment: b"ASCII\0\0\0hello"}
    place = {1: "N", 2: (48.0, 12.0, 30.5), 3: "E", 4: (16.0, 22.0, 1.5), 5: b"\0", 6: 171.0}
    exif = Image.Exif()
    exif.update({tag.Make: "maker", tag.ImageDescription: "a scene", tag.Orientation: 6, tag.Copyright: "me"})
    exif.get_ifd(ExifTags.IFD.Exif).update(told | {tag.ExifImageWidth: 30, tag.ExifImageHeight: 20})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(place)
    picture = Image.fromarray(colour).convert("L" if grey else "RGB")
    picture.save(tmp_path / "in.jpg", exif=exif, icc_profile=b"profile", dpi=(300, 300))
    pixels = read(tmp_path / "in.jpg")
    pixels = to_dtype(as_float(pixels), depth)
    path = tmp_path / f"out.{suffix}"
    write(path, pixels, like=tmp_path / "in.jpg")
    again = read(path)
    assert again.dtype == depth
    assert again.shape == pixels.shape
    if suffix != "jpg":
        assert np.array_equal(again, pixels)
    with Image.open(path) as out:
        found = out.getexif()
        kept = found.get_ifd(ExifTags.IFD.Exif)
        assert out.info["icc_profile"] == b"profile"
        assert {k: kept[k] for k in told} == told
        assert (kept[tag.ExifImageWidth], kept[tag.ExifImageHeight]) == out.size == (20, 30)
        assert dict(found.get_ifd(ExifTags.IFD.GPSInfo)) == place
        assert out.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
        assert (found[tag.Make], found[tag.ImageDescription], found[tag.Copyright]) == (
            "maker",
            "a scene",
            "me",
        )
        assert found.get(tag.Orientation, 1) == 1


def density(path):
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        across, unit = tags["XResolution"].value, tags["ResolutionUnit"].value
        return across[0] / across[1], int(unit), file.pages[0].description


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_scale_of_a_microscope_survives(tmp_path, dtype):
    grey = np.arange(600).reshape(20, 30).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", grey, resolution=(100000, 100000), resolutionunit="CENTIMETER")
    write(tmp_path / "b.tif", grey, like=tmp_path / "a.tif")
    assert density(tmp_path / "b.tif")[:2] == (100000, 3)
    write(tmp_path / "b.png", grey, like=tmp_path / "a.tif")
    with Image.open(tmp_path / "b.png") as written:
        assert written.info["dpi"][0] == pytest.approx(254000, rel=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_of_the_description_of_a_stack_only_its_unit_travels(tmp_path, dtype):
    stack = np.zeros((4, 20, 30), dtype)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, resolution=(10, 10), metadata={"unit": "um"})
    write(tmp_path / "b.tif", stack[0], like=tmp_path / "a.tif")
    across, unit, described = density(tmp_path / "b.tif")
    assert (across, unit) == (10, 1)
    assert "unit=um" in described
    assert "images=" not in described
    tifffile.imwrite(tmp_path / "c.ome.tif", stack, ome=True)
    write(tmp_path / "d.tif", stack[0], like=tmp_path / "c.ome.tif")
    assert tifffile.imread(tmp_path / "d.tif").shape == (20, 30)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("unit", [0, 6])
def test_a_unit_of_the_resolution_that_is_none_does_not_matter(tmp_path, colour, dtype, unit):
    deep = colour.astype(dtype)
    tifffile.imwrite(tmp_path / "in.tif", deep, resolution=(300, 300), photometric="rgb")
    with tifffile.TiffFile(tmp_path / "in.tif", mode="r+") as file:
        file.pages[0].tags["ResolutionUnit"].overwrite(unit)
    write(tmp_path / "out.tif", deep, like=tmp_path / "in.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].tags["ResolutionUnit"].value == 1
    assert np.array_equal(read(tmp_path / "out.tif"), deep)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_tags_of_a_wrong_type_are_left_out(tmp_path, colour, suffix):
    odd, depth = {0x010F: 7, 0x0110: 1.5}, np.uint8 if suffix == "jpg" else np.uint16
    tags = [(tag, "d", 1, value, True) for tag, value in odd.items()]
    tags.append((0x013B, "s", 0, "artist", True))
    tifffile.imwrite(tmp_path / "in.tif", colour, photometric="rgb", extratags=tags)
    write(tmp_path / f"out.{suffix}", colour.astype(depth), like=tmp_path / "in.tif")
    with Image.open(tmp_path / f"out.{suffix}") as out:
        assert out.getexif()[0x013B] == "artist"
        assert not odd.keys() & set(out.getexif())


@pytest.mark.parametrize(("maker", "date"), [(70_000, True), (40_000, True), (0, True)])
def test_exif_too_long_for_a_jpeg_is_shortened(tmp_path, colour, maker, date):
    exif = Image.Exif()
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.MakerNote] = bytes(maker)
    camera[ExifTags.Base.DateTimeOriginal] = "2026:01:02 03:04:05"
    camera[ExifTags.Base.UserComment] = bytes(0 if date else 70_000)
    Image.fromarray(colour).save(tmp_path / "in.png", exif=exif.tobytes())
    write(tmp_path / "out.jpg", colour, like=tmp_path / "in.png")
    with Image.open(tmp_path / "out.jpg") as out:
        found = out.getexif().get_ifd(ExifTags.IFD.Exif)
    assert (ExifTags.Base.DateTimeOriginal in found) == date
    assert (ExifTags.Base.MakerNote in found) == (maker == 40_000)


PACKET = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
  xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" xmp:Label="Gr\u00fcn"
  xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"
  xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Sharpness="40"
  xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0">
<xmp:Thumbnails><rdf:Alt><rdf:li>pixels</rdf:li></rdf:Alt></xmp:Thumbnails>
<dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Bag><rdf:li>owl</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()

UNREADABLE = [b'<?xml version="1.0" encoding="%s"?><a/>' % name for name in (b"foo", b"shift_jis")]


def travelled(folder, packet):
    """Return the XMP of a picture written like a photograph that has a packet; None where it has none."""
    pixels = np.zeros((20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "with.webp", xmp=packet)
    write(folder / "made.png", pixels, like=folder / "with.webp")
    with Image.open(folder / "made.png") as picture:
        return picture.info.get("xmp")


def test_the_scene_travels_and_what_is_of_the_file_does_not(tmp_path):
    left = travelled(tmp_path, PACKET).decode()
    assert 'xmp:Rating="4"' in left
    assert 'xmp:Label="Gr\u00fcn"' in left
    assert "<rdf:li>owl</rdf:li>" in left
    for word in ("Orientation", "Sharpness", "hdrgm", "Thumbnails", "pixels"):
        assert word not in left


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no xml",
        *UNREADABLE,
        PACKET[:-200],
        b"<a/>",
        PACKET.replace(b"/xap/", b"/none/").replace(b"/dc/", b"/none/"),
    ],
)
def test_of_what_says_nothing_nothing_is_left(tmp_path, packet):
    assert travelled(tmp_path, packet) is None


@pytest.mark.parametrize("start", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize(
    ("suffix", "depth"),
    [(s, np.uint8) for s in ("jpg", "png", "tif", "webp")] + [("png", np.uint16), ("tif", np.uint16)],
)
def test_it_survives_in_every_format(tmp_path, start, suffix, depth):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    write(tmp_path / "plain.jpg", pixels)
    with Image.open(tmp_path / "plain.jpg") as picture:
        picture.save(tmp_path / "first.jpg", xmp=PACKET)
    write(tmp_path / f"in.{start}", pixels, like=tmp_path / "first.jpg")
    written = to_dtype(as_float(pixels), depth)
    write(tmp_path / f"out.{suffix}", written, like=tmp_path / f"in.{start}")
    assert read(tmp_path / f"out.{suffix}").dtype == depth
    with Image.open(tmp_path / f"out.{suffix}") as out:
        assert b'Rating="4"' in out.info["xmp"]


def test_a_packet_too_long_for_a_jpeg_is_left_out(tmp_path):
    pixels = np.zeros((20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.webp", xmp=PACKET.replace(b"owl", b"owl" * 30000))
    write(tmp_path / "out.jpg", pixels, like=tmp_path / "in.webp")
    with Image.open(tmp_path / "out.jpg") as out:
        assert "xmp" not in out.info
    write(tmp_path / "out.png", pixels, like=tmp_path / "in.webp")
    with Image.open(tmp_path / "out.png") as out:
        assert out.info["xmp"].count(b"owl") == 30000
