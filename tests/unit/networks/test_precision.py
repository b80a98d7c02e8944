import pytest
import torch
from torch import nn

from defocus_core.networks import precision
from defocus_core.networks.precision import mixed_precision

DENSE, DEPTHWISE = nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, groups=4)


@pytest.mark.parametrize(
    ("network", "unit", "expected"),
    [
        (DENSE, "avx512_bf16", torch.bfloat16),
        (DENSE, "amx_bf16", torch.bfloat16),
        (DENSE, "avx2", torch.float32),
        (DEPTHWISE, "avx512_bf16", torch.float32),
    ],
)
def test_products_are_of_bfloat16_where_the_processor_multiplies_it(monkeypatch, network, unit, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {unit: True}, raising=False)
    with mixed_precision(network, torch.device("cpu")):
        assert network(torch.zeros(1, 4, 8, 8)).dtype == expected


def test_a_torch_that_tells_nothing_of_the_processor_keeps_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not precision._multiplies_bfloat16()
