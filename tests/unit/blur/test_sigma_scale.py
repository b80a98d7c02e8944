import numpy as np
import pytest
import torch

from defocus_core.blur.sigma_scale import SigmaScale, probability_below


def test_the_chance_of_being_below_a_limit_is_half_at_it_and_falls():
    got = probability_below(np.array([[0, 0.5, 2, 8]], np.float32), 2, slope=2)[0]
    np.testing.assert_allclose(got, [1, 16 / 17, 0.5, 1 / 17], rtol=1e-5)


@pytest.mark.parametrize("logarithmic", [True, False])
@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor], ids=["array", "tensor"])
def test_decoding_undoes_encoding(logarithmic, kind):
    scale, sigma = SigmaScale(logarithmic), kind(np.array([[0.0, 0.4, 12.0]], np.float32))
    encoded = scale.encode(sigma)
    assert type(encoded) is type(sigma)
    assert encoded.dtype == sigma.dtype
    np.testing.assert_allclose(scale.decode(encoded), sigma, atol=1e-5)


def test_arrays_and_tensors_have_the_logarithm_of_a_tenth_more():
    sigma = np.array([0.0, 0.9, 9.9], np.float32)
    for values in (sigma, torch.from_numpy(sigma)):
        np.testing.assert_allclose(SigmaScale().encode(values), np.log([0.1, 1, 10]), atol=1e-6)
        np.testing.assert_array_equal(SigmaScale(logarithmic=False).encode(values), sigma)


def test_the_chance_at_twice_the_limit_is_a_third_where_the_slope_is_one():
    """1 / (1 + exp(-log(1 / 2))) = 1 / 3; and a sigma of 0 is no division by it."""
    got = probability_below(np.float32([[2, 4, 0]]), 2, slope=1)
    np.testing.assert_allclose(got, [[1 / 2, 1 / 3, 1]], atol=1e-6)
