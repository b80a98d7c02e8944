import numpy as np
import pytest

from defocus_core.maps.surroundings import follow_surroundings


def test_what_has_evidence_stays_as_it_is():
    values = np.random.default_rng(0).random((60, 200), np.float32)
    assert follow_surroundings(values, np.full_like(values, 0.2)) is values
    certainty = np.zeros_like(values)
    certainty[:, :40] = 0.5
    followed = follow_surroundings(values, certainty)
    np.testing.assert_allclose(followed[:, :24], values[:, :24], atol=1e-6)
    assert followed[:, 140:].std() < 0.1 * values.std()


def test_the_surer_neighbour_decides():
    values = np.full((96, 400), 5, np.float32)
    certainty = np.zeros_like(values)
    values[:, :100], certainty[:, :100] = 1, 0.9
    values[:, -100:], certainty[:, -100:] = 3, 0.1
    assert 1 <= follow_surroundings(values, certainty)[48, 200] < 1.5


def test_a_photograph_without_any_evidence_keeps_its_values():
    values = np.full((40, 50), 0.7, np.float32)
    np.testing.assert_allclose(follow_surroundings(values, np.zeros_like(values)), 0.7, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (7, 7)])
def test_any_size_is_taken(shape):
    values = np.random.default_rng(0).random(shape, np.float32)
    followed = follow_surroundings(values, np.zeros(shape, np.float32))
    assert followed.shape == shape
    assert (followed >= values.min()).all()
    assert (followed <= values.max()).all()


def test_a_certainty_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(4, 5\)"):
        follow_surroundings(np.ones((4, 6), np.float32), np.ones((4, 5), np.float32))
