"""Average the weights of two networks."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from defocus_core.networks.classifier import Classifier
from defocus_core.training.config import TrainConfig
from defocus_core.training.datasets import PatchDataset, SceneDataset


@torch.no_grad()
def interpolate_weights(
    start: Classifier,
    end: Classifier,
    data: PatchDataset | SceneDataset,
    *,
    config: TrainConfig,
    seed: int = 0,
    start_weight: float = 0.5,
    count: int = 1024,
) -> Classifier:
    """Return the network between where a training started and where it ended.

    On photographs unlike the training data the mean of the weights answers better than either end. The
    statistics of its batch norms are not the mean of theirs: they are measured anew.

    Parameters
    ----------
    start, end : trained classifiers of one kind
    data : what the second was trained on; its first `count` members give the statistics
    config, seed : of the training: batch, augmentation, random numbers
    start_weight : fraction of the start in the weights, 0 to 1

    Returns
    -------
    the classifier, in eval mode

    References
    ----------
    Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022; Izmailov et al., Averaging weights
    leads to wider optima, UAI 2018 (statistics).
    """
    model = copy.deepcopy(end).train()
    theirs, state = start.state_dict(), model.state_dict()
    for key, value in state.items():
        if value.is_floating_point():
            value.lerp_(theirs[key].to(value), start_weight)
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
    device = data.level.device
    generator = torch.Generator(device).manual_seed(seed)
    members = torch.arange(min(count, len(data)), device=device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # of stochastic depth
        for rows in members.tensor_split(math.ceil(len(members) / config.batch)):  # none of a single member
            data.logits(model, data.batch(rows, config.augment, generator)[0])
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model.eval()
