import numpy as np
import pytest

from defocus_core.io.color import (
    as_float,
    as_opaque_float,
    divide_by_alpha,
    linear_to_srgb,
    srgb_to_linear,
    stretch_contrast,
    to_dtype,
    to_grey,
)


def test_light_and_picture_are_inverse():
    picture = np.linspace(0, 1, 256, dtype=np.float32)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(picture)), picture, atol=1e-5)
    assert srgb_to_linear(np.float32(0.5)) == pytest.approx(0.21404, abs=1e-4)


def test_grey_uses_luma_weights():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    assert to_grey(red)[0, 0] == pytest.approx(0.299, abs=1e-3)


def test_floats_out_of_range_are_refused_and_nan_is_black():
    with pytest.raises(ValueError, match=r"\[0, 1\], this one in \[0, 200\]"):
        as_float(np.array([[0.0, 200.0]]))
    assert as_float(np.array([[np.nan, 1.0]])).tolist() == [[0, 1]]


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((2, 2, 5)), np.zeros((2, 2), int), np.zeros((0, 3))])
def test_what_is_no_image_is_refused(bad):
    with pytest.raises(ValueError, match="an image"):
        as_float(bad)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_levels_that_fill_part_of_the_range_are_stretched_to_it(bits):
    full = np.random.default_rng(0).integers(0, 2**16, (100, 120), dtype=np.uint16)
    found = as_float(stretch_contrast(full >> (16 - bits)))
    np.testing.assert_allclose(found, as_float(full), atol=0.005)


def test_few_levels_of_8_bit_are_stretched_by_16_at_most():
    few = np.random.default_rng(0).integers(0, 9, (100, 120), dtype=np.uint8)
    assert stretch_contrast(few).max() == 16 * 8


def test_stretching_leaves_its_argument_as_it_was():
    image = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32) / 4
    before = image.copy()
    assert stretch_contrast(image).max() == 1
    assert np.array_equal(image, before)
    assert (stretch_contrast(np.full((4, 4), 0.3, np.float32)) == 0).all()


def test_a_stretched_image_keeps_its_dtype():
    image = np.random.default_rng(0).random((600, 30), dtype=np.float32) / 4
    for dtype in (np.uint8, np.uint16):
        stored = to_dtype(image, dtype)
        stretched = stretch_contrast(stored)
        assert stretched.dtype == dtype
        np.testing.assert_allclose(as_float(stretched), stretch_contrast(as_float(stored)), atol=0.5 / 255)


def test_an_image_that_is_float_already_is_not_copied():
    image = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    assert as_float(image) is image
    for other in (np.where(image > 0.5, np.nan, image), image * 1.0005):
        found = as_float(other)
        assert found is not other
        assert 0 <= found.min() <= found.max() <= 1


def test_grey_levels_of_many_rows_are_those_of_each_row():
    image = np.random.default_rng(0).integers(0, 255, (600, 20, 3), dtype=np.uint8)
    np.testing.assert_array_equal(to_grey(image), np.concatenate([to_grey(row[None]) for row in image]))


def test_colours_that_alpha_multiplies_are_divided_by_it():
    alpha = np.array([[0, 51, 255]], np.uint8)
    assert divide_by_alpha(np.array([[7, 20, 20]], np.uint8), alpha).tolist() == [[7, 100, 20]]
    assert divide_by_alpha(np.array([[7, 200, 20]], np.uint8), alpha).tolist() == [[7, 255, 20]]
    colours = np.full((1, 3, 3), 0.1, np.float32)
    straight = divide_by_alpha(colours, np.array([[0, 0.5, 1]], np.float32))
    np.testing.assert_allclose(straight[..., 1], [[0.1, 0.2, 0.1]])


def test_bytes_of_any_order_are_numbers_and_what_is_none_is_black():
    assert as_float(np.array([[65535, 0]], ">u2")).tolist() == [[1, 0]]
    assert to_dtype(np.array([np.nan, 1.0]), np.uint8).tolist() == [0, 255]


def test_alpha_is_not_sharpened_or_blurred_as_a_colour():
    with pytest.raises(ValueError, match=r"not \(2, 3, 4\); keep alpha apart"):
        as_opaque_float(np.zeros((2, 3, 4), np.uint8))
