import numpy as np
import pytest
from PIL import ExifTags, Image

from defocus_core.applications import depth
from defocus_core.applications.depth import Lens, lens_from_exif, relative_defocus, resolve_lens

LENS = Lens(focal_length=50, f_number=2, focus_distance=1, pixel_pitch=10)


def test_the_blur_is_the_textbooks():
    """50 mm, f/2, focused at 1 m: an object at 2 m has a circle of 25 * 50 * 1000 / (2000 * 950) mm."""
    circle = 25 * 50 * 1000 / (2000 * 950) / 0.010
    assert LENS.sigma(2.0) == pytest.approx(circle / 4, rel=1e-5)
    assert LENS.sigma(1.0) == pytest.approx(0, abs=1e-4)
    assert LENS.sigma(np.inf) == pytest.approx(LENS.sigma_per_dioptre, rel=1e-5)


def test_blur_and_distances_are_inverse():
    distance = np.float32([[0.5, 0.8, 1.0, 1.5, 4.0]])
    near, far = LENS.distances(LENS.sigma(distance))
    np.testing.assert_allclose(np.where(distance < 1, near, far), distance, rtol=1e-4)
    assert (near <= 1).all()
    assert (far >= 1).all()


def test_more_blur_than_infinity_has_no_distance_behind():
    near, far = LENS.distances(np.float32([[LENS.sigma_per_dioptre * 1.01]]))
    assert np.isinf(far).all()
    assert near[0, 0] == pytest.approx(1 / 2.01, rel=1e-4)


def test_relative_depth_is_proportional_to_the_dioptres_away():
    sigma = LENS.sigma(np.float32([[1, 1.25, 2, 5]]))
    np.testing.assert_allclose(relative_defocus(sigma), [[0, 0.25, 0.625, 1]], atol=1e-4)
    assert not relative_defocus(np.zeros((2, 2), np.float32)).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f_number": 0}, "f-number is a positive number, not 0"),
        ({"pixel_pitch": float("nan")}, "pixel pitch is a positive number, not nan"),
        ({"focus_distance": 0.05}, "beyond the focal length of 50 mm, not 0.05 m"),
    ],
)
def test_impossible_lenses_are_refused(change, message):
    given = {"focal_length": 50, "f_number": 2, "focus_distance": 1, "pixel_pitch": 10}
    with pytest.raises(ValueError, match=message):
        Lens(**{**given, **change})


def photograph(path, size=(60, 40), **tags):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update({ExifTags.Base[name]: value for name, value in tags.items()})
    Image.new("RGB", size).save(path, exif=exif)
    return path


def test_exif_tells_the_lens(tmp_path):
    tags = {"FocalLength": 50.0, "FNumber": 2.0, "SubjectDistance": 1.0}
    # 1000 pixels a centimetre on a sensor of 120 pixels, of which the photograph keeps every other one
    plane = {"FocalPlaneXResolution": 1000.0, "FocalPlaneResolutionUnit": 3, "ExifImageWidth": 120}
    path = photograph(tmp_path / "a.jpg", **tags, **plane)
    assert resolve_lens(path) == Lens(50, 2, 1, 20)
    assert resolve_lens(path, focus_distance=3.0).focus_distance == 3
    known = lens_from_exif(photograph(tmp_path / "b.jpg", size=(36, 24), FocalLength=10.0, FocalLengthIn35mmFilm=50))
    assert known == {"focal_length": 10, "pixel_pitch": pytest.approx(200)}


def test_a_pixel_of_a_smaller_copy_is_larger_on_the_sensor(tmp_path):
    path = photograph(tmp_path / "a.jpg", FocalPlaneXResolution=1000.0, FocalPlaneResolutionUnit=3)
    assert [lens_from_exif(path, size=size)["pixel_pitch"] for size in (None, (60, 40), (30, 20))] == [10, 10, 20]
    path = photograph(tmp_path / "b.jpg", size=(36, 24), FocalLength=10.0, FocalLengthIn35mmFilm=50)
    assert lens_from_exif(path, size=(18, 12))["pixel_pitch"] == pytest.approx(400)


@pytest.mark.parametrize("size", [None, (36, 24)])
def test_a_file_whose_size_is_not_told_has_the_pitch_of_what_is_read(tmp_path, monkeypatch, size):
    numbers = {"FocalLength": 10.0, "FocalLengthIn35mmFilm": 50.0}
    monkeypatch.setattr(depth, "exif_numbers", lambda _: (numbers, (0, 0)))
    known = lens_from_exif(tmp_path / "big.tif", size=size)
    assert known == {"focal_length": 10} | ({"pixel_pitch": pytest.approx(200)} if size else {})


def test_a_lens_half_known_is_refused_and_an_unknown_one_is_none(tmp_path):
    path = photograph(tmp_path / "a.jpg", FNumber=2.0, SubjectDistance=0.0)
    assert resolve_lens(path) is None
    within = photograph(tmp_path / "b.jpg", FocalLength=50.0, SubjectDistance=0.04)
    assert lens_from_exif(within) == {"focal_length": 50}
    with pytest.raises(ValueError, match="focus distance and pixel pitch missing"):
        resolve_lens(path, focal_length=50)


def test_a_focus_at_infinity_is_told_so():
    assert "focused at infinity" in str(Lens(50, 2, 2**32 - 1, 6))
