import numpy as np
import pytest

from defocus_core.cli.parser import main
from defocus_core.io.errors import ImageError
from defocus_core.io.pages import list_pages
from defocus_core.io.read import read
from defocus_core.io.video import is_film


def test_a_film_is_known_by_its_first_bytes():
    assert is_film(b"\0\0\0\x20ftypisom" + b"\0" * 20)
    assert is_film(b"\0\0\0\x14ftypqt  " + b"\0" * 20)
    assert is_film(b"\0\0\0\x08wide" + b"\0" * 24)
    assert not is_film(b"\0\0\0\x20ftypheic" + b"\0" * 20)
    assert not is_film(b"\x89PNG\r\n\x1a\n" + b"\0" * 24)


def write_film(path, shots):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = *shots[0].shape[:2], "yuv420p"
        stream.bit_rate = 10_000_000
        for shot in shots:
            for packet in stream.encode(av.VideoFrame.from_ndarray(shot, format="rgb24")):
                film.mux(packet)
        for packet in stream.encode():
            film.mux(packet)


def test_the_frames_of_a_film_are_the_shots_of_a_stack(tmp_path):
    shots = [np.full((64, 96, 3), 100 + 10 * index, np.uint8) for index in range(5)]
    write_film(tmp_path / "film.mp4", shots)
    pages = list_pages(tmp_path / "film.mp4")
    assert len(pages) == 5
    for index in (4, 0, 2):
        assert np.abs(read(pages[index]).astype(int) - 100 - 10 * index).mean() < 4
    assert main(["fuse", str(tmp_path / "film.mp4"), "--out", str(tmp_path / "out")]) == 0
    assert read(tmp_path / "out/film.png").shape == (64, 96, 3)


def test_a_film_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + b"\0" * 99)
    with pytest.raises(ImageError, match=r"film\.mp4: (a film, which needs av|damaged or truncated)"):
        list_pages(tmp_path / "film.mp4")
