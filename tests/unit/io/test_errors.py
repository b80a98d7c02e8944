import errno
import os

import pytest
from PIL import UnidentifiedImageError

from defocus_core.io.errors import ImageError, check_size, decoder_errors


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


def test_what_the_system_refuses_is_not_called_damaged(tmp_path):
    with pytest.raises(ImageError, match=r"a\.png: cannot be read: Permission denied$") as caught:  # noqa: SIM117
        with decoder_errors(tmp_path / "a.png"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    assert caught.value.reason == "unreadable"


def test_a_file_that_is_no_image_is_said_so(tmp_path):
    with (
        pytest.raises(ImageError, match=r"a\.txt: not an image this can read") as caught,
        decoder_errors(tmp_path / "a.txt"),
    ):
        raise UnidentifiedImageError
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize(("limit", "refused"), [(12, False), (11, True)])
def test_more_pixels_than_the_limit_are_refused(limit, refused):
    if not refused:
        check_size(3, 4, limit)
        return
    with pytest.raises(ImageError, match="3x4 pixels, more than the limit of 11"):
        check_size(3, 4, limit)


def test_out_of_memory_is_not_called_damaged(tmp_path):
    with pytest.raises(MemoryError), decoder_errors(tmp_path / "a.png"):
        raise MemoryError


def test_without_an_error_nothing_happens_and_an_interrupt_passes(tmp_path):
    with decoder_errors(tmp_path / "a.png"):
        pass
    with pytest.raises(KeyboardInterrupt), decoder_errors(tmp_path / "a.png"):
        raise KeyboardInterrupt
