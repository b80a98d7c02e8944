import pytest

from defocus_core.io.sidecar import write_rating


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
