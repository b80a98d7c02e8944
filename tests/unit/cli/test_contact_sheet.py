import numpy as np
import pytest

from defocus_core.cli.contact_sheet import OUTLINE, SIDE, Entry, contact_sheet, thumbnail


def test_a_thumbnail_has_an_outline_around_what_is_in_focus():
    focused = np.zeros((50, 100), bool)
    focused[10:40, 20:60] = True
    found = thumbnail(np.zeros((400, 800), np.uint8), focused)
    assert found.shape == (SIDE // 2, SIDE, 3)
    drawn = (found == OUTLINE).all(2)
    assert drawn.any()
    rows, columns = np.nonzero(drawn)
    assert (rows.min(), rows.max()) == pytest.approx((32, 127), abs=2)
    assert (columns.min(), columns.max()) == pytest.approx((64, 191), abs=2)
    assert not drawn[50:100, 90:160].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (40, 30, 3)])
def test_a_thumbnail_is_never_larger_than_its_image(shape):
    found = thumbnail(np.zeros(shape, np.float32), np.ones(shape[:2], bool))
    assert found.shape[0] <= shape[0]
    assert found.shape[1] <= shape[1]


def test_the_page_needs_no_other_file_and_escapes_names():
    page = contact_sheet([Entry("<a>.jpg", ["sigma 1"], np.zeros((4, 4, 3), np.uint8), best=True), Entry("b", ["bad"])])
    assert "&lt;a&gt;.jpg" in page
    assert "<a>" not in page
    assert page.count("<img") == 1
    assert page.count('class="best"') == 1
    assert "http" not in page
