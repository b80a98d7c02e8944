"""What a photograph says beside its pixels: alpha and colour profile."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from defocus_core.io.color import to_grey
from defocus_core.io.read import read_photograph
from defocus_core.io.write import write


def test_what_is_hidden_by_alpha_is_filled_from_around(tmp_path):
    colour, alpha = np.full((20, 30, 3), 90, np.uint8), np.full((20, 30, 1), 255, np.uint8)
    colour[5:9], alpha[5:9] = 0, 0
    Image.fromarray(np.dstack([colour, alpha])).save(tmp_path / "a.png")
    photograph = read_photograph(tmp_path / "a.png")
    assert (photograph.pixels[5:9] == 0).all()
    assert photograph.empty[5:9].all()
    assert (photograph.filled == 90).all()


def test_blur_is_measured_in_one_grey_whatever_the_profile(tmp_path):
    srgb, adobe = imagecodecs.cms_profile("srgb"), imagecodecs.cms_profile("adobergb")
    colour = np.random.default_rng(0).integers(15000, 50000, (20, 30, 3), dtype=np.uint16)
    other = imagecodecs.cms_transform(colour, srgb, adobe, colorspace="rgb", outcolorspace="rgb")
    for name, array, profile in (("plain", colour, None), ("srgb", colour, srgb), ("adobe", other, adobe)):
        tifffile.imwrite(tmp_path / f"{name}.tif", array, photometric="rgb", iccprofile=profile)
    plain, same, far = (read_photograph(tmp_path / f"{name}.tif") for name in ("plain", "srgb", "adobe"))
    assert np.array_equal(far.pixels, other)
    assert same.for_measuring() is same.pixels
    np.testing.assert_allclose(to_grey(far.for_measuring()), to_grey(plain.for_measuring()), atol=2e-3)
    assert np.abs(to_grey(far.pixels) - to_grey(plain.pixels)).max() > 0.01
    Image.fromarray(colour.astype(np.uint8)).save(tmp_path / "odd.png", icc_profile=b"no profile")
    assert read_photograph(tmp_path / "odd.png").for_measuring().shape == colour.shape


def test_a_palette_with_transparency_has_alpha(tmp_path):
    stream = io.BytesIO()
    picture = Image.new("P", (30, 20))
    picture.putpalette([0, 0, 0, 250, 200, 100])
    picture.putpixel((3, 3), 1)
    picture.save(stream, "PNG", transparency=0)
    (tmp_path / "a.png").write_bytes(stream.getvalue())
    photograph = read_photograph(tmp_path / "a.png")
    assert photograph.alpha[3, 3] == 255
    assert (photograph.alpha > 0).sum() == 1


@pytest.mark.parametrize(("mode", "gamma", "expected"), [("RGB", 1.0, 152), ("L", 1.0, 152), ("RGB", 1 / 2.2, 80)])
def test_the_gamma_of_a_png_is_its_profile(tmp_path, mode, gamma, expected):
    plain, content = io.BytesIO(), struct.pack(">I", round(gamma * 100000))
    picture = Image.new(mode, (30, 20), (80, 80, 80) if mode == "RGB" else 80)
    picture.save(plain, "PNG")
    chunk = io.BytesIO()
    PngImagePlugin.putchunk(chunk, b"gAMA", content)
    data = plain.getvalue()
    (tmp_path / "a.png").write_bytes(data[:33] + chunk.getvalue() + data[33:])
    write(tmp_path / "b.png", np.asarray(picture), like=tmp_path / "a.png")
    for name in ("a.png", "b.png"):
        photograph = read_photograph(tmp_path / name)
        assert (photograph.pixels == 80).all()
        np.testing.assert_allclose(photograph.for_measuring(), expected, atol=1)
