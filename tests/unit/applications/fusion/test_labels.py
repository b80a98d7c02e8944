import numpy as np
import pytest

from defocus_core.applications.fusion.labels import check_labels, label_dtype


def test_labels_are_of_16_bit_beyond_255_shots():
    assert label_dtype(255) == np.uint8
    assert label_dtype(256) == np.uint16


def test_labels_of_another_stack_are_refused():
    labels = np.full((4, 5), 2, np.uint8)
    check_labels(labels, shape=(4, 5), count=3)
    with pytest.raises(ValueError, match="shot 3 of a stack of 2"):
        check_labels(labels, shape=(4, 5), count=2)
    with pytest.raises(ValueError, match=r"labels of \(4, 5\) do not fit shots of \(5, 5\)"):
        check_labels(labels, shape=(5, 5), count=3)
    with pytest.raises(ValueError, match="whole numbers"):
        check_labels(labels.astype(float), shape=(4, 5), count=3)


def test_labels_below_the_first_shot_are_refused():
    with pytest.raises(ValueError, match="shot 0 of a stack of 3"):
        check_labels(np.array([[-1, 2]]), shape=(1, 2), count=3)
