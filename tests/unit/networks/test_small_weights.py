import pytest
import torch
from torch import nn

from defocus_core.applications.fusion import vote_network
from defocus_core.applications.score import motion
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


@pytest.mark.parametrize(
    ("made", "weights"), [(vote_network.VoteNetwork, vote_network.WEIGHTS), (motion.MotionNetwork, motion.WEIGHTS)]
)
def test_the_shipped_weights_are_small_have_a_card_and_come_back_as_saved(tmp_path, made, weights):
    shipped = load_half(made(), weights)
    save_half(shipped, tmp_path / "again.safetensors")
    again = load_half(made(), tmp_path / "again.safetensors").state_dict()
    assert all(torch.equal(value, again[name]) for name, value in shipped.state_dict().items())
    assert weights.stat().st_size < 300_000
    assert weights.with_suffix(".md").is_file()
