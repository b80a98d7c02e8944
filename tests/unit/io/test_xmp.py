"""What travels of an XMP packet from a photograph to a picture made of it."""

import numpy as np
import pytest
from PIL import Image

from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.read import read
from defocus_core.io.write import write
from defocus_core.io.xmp import descriptive_packet, write_rating

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


def test_the_scene_travels_and_what_is_of_the_file_does_not():
    left = descriptive_packet(PACKET).decode()
    assert 'xmp:Rating="4"' in left
    assert 'xmp:Label="Gr\u00fcn"' in left
    assert "<rdf:li>owl</rdf:li>" in left
    for word in ("Orientation", "Sharpness", "hdrgm", "Thumbnails", "pixels"):
        assert word not in left
    assert descriptive_packet(left.encode()) == left.encode()


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
def test_of_what_says_nothing_nothing_is_left(packet):
    assert descriptive_packet(packet) is None


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


def test_a_rating_goes_beside_the_photograph_and_keeps_what_is_there(tmp_path):
    photograph = tmp_path / "a.jpg"
    photograph.write_bytes(b"untouched")
    sidecar = write_rating(photograph, 3)
    assert sidecar == tmp_path / "a.jpg.xmp"
    sidecar.write_text(sidecar.read_text().replace('xmp:Rating="3"', 'xmp:Rating="3" xmp:Label="Red"'))
    text = write_rating(photograph, 5).read_text()
    assert 'Rating="5"' in text
    assert 'Label="Red"' in text
    assert photograph.read_bytes() == b"untouched"


def test_what_is_no_rating_or_no_sidecar_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a rating is 1 to 5 stars, not 0"):
        write_rating(tmp_path / "a.jpg", 0)
    (tmp_path / "a.jpg.xmp").write_bytes(b"notes")
    with pytest.raises(ValueError, match=r"a\.jpg\.xmp: not an XMP sidecar; move it away"):
        write_rating(tmp_path / "a.jpg", 1)
    assert (tmp_path / "a.jpg.xmp").read_bytes() == b"notes"
