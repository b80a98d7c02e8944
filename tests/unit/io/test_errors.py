import numpy as np
import pytest
import tifffile
from PIL import UnidentifiedImageError

from defocus_core.io.errors import FLOATING_POINT, ImageError, decoder_errors


def test_an_image_error_keeps_its_reason_and_is_told_the_file(tmp_path):
    with pytest.raises(ImageError, match=r"a\.png: too large") as caught, decoder_errors(tmp_path / "a.png"):
        raise ImageError("huge", "too large")
    assert caught.value.reason == "huge"


@pytest.mark.parametrize("error", [OSError("broken stream"), KeyError("tag"), IndexError("of a table")])
def test_whatever_a_decoder_raises_means_a_damaged_file(tmp_path, error):
    with pytest.raises(ImageError, match=r"a\.png: damaged or truncated \(") as caught:  # noqa: SIM117
        with decoder_errors(tmp_path / "a.png"):
            raise error
    assert caught.value.reason == "truncated"
    assert caught.value.__cause__ is error


def test_a_file_that_is_no_image_is_told_from_one_of_floating_point_numbers(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4, 3), np.float16), photometric="rgb")
    for name, why in (("a.txt", "not an image this can read"), ("a.tif", FLOATING_POINT)):
        with pytest.raises(ImageError, match=f"{name}: {why}") as caught, decoder_errors(tmp_path / name):
            raise UnidentifiedImageError
        assert caught.value.reason == "unreadable"


def test_without_an_error_nothing_happens_and_an_interrupt_passes(tmp_path):
    with decoder_errors(tmp_path / "a.png"):
        pass
    with pytest.raises(KeyboardInterrupt), decoder_errors(tmp_path / "a.png"):
        raise KeyboardInterrupt
