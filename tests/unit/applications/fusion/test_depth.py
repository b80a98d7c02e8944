import numpy as np

from defocus_core.applications.fusion.depth import FocusPeak


def peak_of(details, order):
    peak = FocusPeak.of_first(order[0], details[order[0]])
    for index in order[1:]:
        peak.add(index, index - 1 if index > order[0] else index + 1, details[index], details[index] > peak.at)
    return peak


def test_the_depth_is_the_peak_of_the_detail_to_a_fraction_of_a_shot():
    true = np.linspace(0.6, 4.4, 50, dtype=np.float32)[None]
    details = [np.exp(-((true - index) ** 2) / 2).astype(np.float32) for index in range(6)]
    for order in ([0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 1, 0]):
        depth = peak_of(details, order).depth()
        inner = (true > 0.6) & (true < 4.4)
        np.testing.assert_allclose(depth[inner], true[inner], atol=0.02)


def test_the_depth_is_sure_where_detail_is_more_than_noise_and_a_peak():
    details = [np.float32([[0.001, 0.1]]), np.float32([[0.002, 0.5]]), np.float32([[0.001, 0.1]])]
    faint, clear = peak_of(details, [0, 1, 2]).confidence(0.002)[0]
    assert faint == 0
    assert clear > 0.99
