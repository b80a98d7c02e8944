import numpy as np
import pytest

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.alignment_files import read_alignment, write_alignment
from defocus_core.applications.fusion.frame import Frame
from defocus_core.applications.fusion.stack import AlignedStack


def test_an_alignment_comes_back_as_it_was_written(tmp_path):
    found = (Alignment(), None, Alignment(np.eye(3) + 0.1, np.float32([1, 2, 3])))
    stack = AlignedStack(found, Frame(1, 20, 2, 30), (24, 32), 2)
    write_alignment(tmp_path / "a.json", stack, names=["a", "b", "c"])
    back = read_alignment(tmp_path / "a.json", names=["d", "e", "f"])
    assert (back.frame, back.shape, back.reference) == (stack.frame, stack.shape, 2)
    assert back.alignments[0].matrix is None
    assert back.alignments[1] is None
    np.testing.assert_array_equal(back.alignments[2].matrix, found[2].matrix)
    np.testing.assert_array_equal(back.alignments[2].gains, found[2].gains)


def test_a_file_that_is_no_alignment_or_of_another_stack_is_refused(tmp_path):
    path = tmp_path / "a.json"
    for text in ("no json", "{}", '{"format": "other"}', "[]"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"a\.json: not an alignment"):
            read_alignment(path, names=["a", "b"])
    write_alignment(path, AlignedStack((Alignment(),) * 2, Frame(0, 4, 0, 4), (4, 4), 0), names=["a", "b"])
    with pytest.raises(ValueError, match="alignment of 2 shots does not fit a stack of 3"):
        read_alignment(path, names=["a", "b", "c"])


def test_an_alignment_of_the_same_shots_in_another_order_is_refused(tmp_path):
    stack = AlignedStack((Alignment(),) * 3, Frame(0, 4, 0, 4), (4, 4), 0)
    write_alignment(tmp_path / "a.json", stack, names=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"a\.json: .* in another order: its shot 2 is b, not c"):
        read_alignment(tmp_path / "a.json", names=["a", "c", "b"])


@pytest.mark.parametrize("reference", [-1, 2])
def test_a_reference_beyond_the_stack_is_refused(tmp_path, reference):
    stack = AlignedStack((Alignment(), Alignment()), Frame(0, 20, 0, 30), (20, 30), reference)
    write_alignment(tmp_path / "a.json", stack, names=["a", "b"])
    with pytest.raises(ValueError, match=f"the reference is shot {reference + 1} of 2"):
        read_alignment(tmp_path / "a.json", names=["a", "b"])
