"""Several processes train one network: each takes a part of every batch, and all end with the same weights.

Batch statistics and gradients are those of the whole batch, so that the number of processes changes results
by rounding only; but for dropout, whose masks repeat from part to part. Processes are called ranks, as torch does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import distributed, nn


def launch_ranks(module: str, *arguments: str, count: int, threads: int) -> None:
    """Run `python -m module` in several processes by torchrun; what they print goes to `sys.stdout`.

    They import this installation, wherever the working folder is.

    Parameters
    ----------
    module : its main part joins the ranks, see `joined_ranks`
    arguments : of its command line
    count : processes
    threads : of all of them together; each has at least one

    Raises
    ------
    subprocess.CalledProcessError
        If one of them fails.
    """
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    places = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(max(threads // count, 1))),
        "PYTHONPATH": os.pathsep.join(places),
    }
    command = [*torchrun, "--module", module, *arguments]
    subprocess.run(command, check=True, stdout=sys.stdout, stderr=subprocess.STDOUT, env=environment)


@contextmanager
def joined_ranks() -> Iterator[None]:
    """Join the processes that torchrun started, by NCCL on graphics processors, else by gloo.

    Without torchrun this process is alone.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank_count() -> int:
    """Return the number of processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank_index() -> int:
    """Return this process's place among them, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def part_of_batch(batch: torch.Tensor) -> torch.Tensor:
    """Return this process's members of a batch, every `rank_count()`-th.

    Raises
    ------
    ValueError
        If the batch cannot be divided evenly.
    """
    count = rank_count()
    if len(batch) % count:
        raise ValueError(f"{len(batch)} patches a step for {count} processes; make train.batch a multiple of them")
    return batch[rank_index() :: count]


def average_over_ranks(tensors: Sequence[torch.Tensor]) -> None:
    """Replace tensors by their means over all processes."""
    count = rank_count()
    if count == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    for tensor, mean in zip(tensors, flat.div_(count).split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def values_of_first_rank(values: Mapping[str, float]) -> dict[str, float]:
    """Return what the first process found, so that all decide alike on it."""
    found = [dict(values)]
    if rank_count() > 1:
        distributed.broadcast_object_list(found)
    return found[0]


@contextmanager
def joint_batch_norms(network: nn.Module) -> Iterator[nn.Module]:
    """Let a network's batch norms take the statistics of all parts of a batch inside the `with` block."""
    norms = [layer for layer in network.modules() if type(layer) is nn.BatchNorm2d and rank_count() > 1]
    for norm in norms:
        norm.__class__ = JointBatchNorm
    try:
        yield network
    finally:
        for norm in norms:
            norm.__class__ = nn.BatchNorm2d


class JointBatchNorm(nn.BatchNorm2d):
    """A batch norm over the parts of all processes; `nn.SyncBatchNorm` is for graphics processors only."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if not self.training:
            return super().forward(images)
        variance, mean = torch.var_mean(images.float(), (0, 2, 3), correction=0)
        variances, means = _AllParts.apply(torch.stack((variance, mean))).unbind(1)
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        self._update_statistics(mean.detach(), variance.detach(), images.numel() // images.shape[1] * rank_count())
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return (images * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)).to(images.dtype)

    def _update_statistics(self, mean: torch.Tensor, variance: torch.Tensor, members: int) -> None:
        running = (self.num_batches_tracked, self.running_mean, self.running_var)
        batches, running_mean, running_var = (cast("torch.Tensor", value) for value in running)
        momentum = cast("float", self.momentum)
        batches += 1
        running_mean.lerp_(mean, momentum)
        running_var.lerp_(variance * (members / (members - 1)), momentum)


class _AllParts(torch.autograd.Function):
    """(...) of each process -> (count, ...) in all of them."""

    @staticmethod
    def forward(ctx: Any, own: torch.Tensor) -> torch.Tensor:
        every = own.new_zeros(rank_count(), *own.shape)
        every[rank_index()] = own
        distributed.all_reduce(every)
        return every

    @staticmethod
    def backward(ctx: Any, slopes: torch.Tensor) -> torch.Tensor:
        slopes = slopes.contiguous()
        distributed.all_reduce(slopes)
        return slopes[rank_index()]
