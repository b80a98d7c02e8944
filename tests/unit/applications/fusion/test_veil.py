import numpy as np

from defocus_core.applications.fusion.veil import prefer_back, prefer_front


def test_the_front_takes_the_ring_of_its_veil():
    front = np.zeros((40, 60), bool)
    front[:, :20] = True
    grown = prefer_front(front, np.full(front.shape, 0.5, np.float32))
    assert grown.sum(1).tolist() == [21] * 40
    assert prefer_front(front, np.full(front.shape, 99, np.float32)).sum(1).max() < 24  # not far
    assert np.array_equal(prefer_front(np.zeros_like(front), np.ones(front.shape, np.float32)), np.zeros_like(front))


def test_the_back_keeps_what_its_map_has_as_sharper():
    front, of_front = np.ones((4, 6), bool), np.ones((4, 6), np.float32)
    of_back = of_front.copy()
    of_back[:, 3:] = 0.5
    assert np.array_equal(prefer_back(front, of_front, of_back), np.arange(6)[None].repeat(4, 0) < 3)
