import torch
from torch import nn

from defocus_core.networks.small_weights import load_half, save_half


def network():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))


def test_weights_come_back_in_16_bit_and_counts_whole(tmp_path):
    torch.manual_seed(0)
    trained = network()
    for _ in range(3000):
        trained[1].num_batches_tracked += 1
    save_half(trained, tmp_path / "a.safetensors")
    loaded = load_half(network(), tmp_path / "a.safetensors")
    assert not loaded.training
    assert loaded[1].num_batches_tracked == 3000
    assert torch.equal(loaded[0].weight, trained[0].weight.half().float())
    assert (tmp_path / "a.safetensors").stat().st_size < 1000


def test_the_same_network_gives_the_same_bytes(tmp_path):
    trained = network()
    for name in "ab":
        save_half(trained, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
