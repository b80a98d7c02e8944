import pytest
import torch
from torch import nn

from defocus_core.training.descent import descend


def test_a_line_is_fitted_and_the_mean_of_every_hundred_numbers_told():
    torch.manual_seed(0)
    network, x = nn.Linear(1, 1), torch.linspace(-1, 1, 32)[:, None]

    def take_batch():
        loss = (network(x) - (2 * x + 1)).square().mean()
        return loss, loss.item()

    settings = {"peak_rate": 0.05, "last_fraction": 0.01, "warm_up": 10, "weight_decay": 0.0}
    told = list(descend(network, take_batch, steps=250, **settings))
    assert len(told) == 3
    assert told[0] > 10 * told[2]
    assert network.weight.item() == pytest.approx(2, abs=0.02)
    assert network.bias.item() == pytest.approx(1, abs=0.02)


def test_the_rate_rises_and_falls(monkeypatch):
    network, rates = nn.Linear(1, 1), []
    step = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self: (rates.append(self.param_groups[0]["lr"]), step(self)))
    batch = lambda: (network(torch.ones(1, 1)).sum(), 0.0)  # noqa: E731
    list(descend(network, batch, steps=100, peak_rate=1.0, last_fraction=0.1, warm_up=10, weight_decay=0.0))
    assert rates[0] == 0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.1, abs=0.001)
