import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from defocus_core.training import ranks
from defocus_core.training.ranks import (
    JointBatchNorm,
    average_over_ranks,
    joined_ranks,
    joint_batch_norms,
    launch_ranks,
    part_of_batch,
    rank_count,
    rank_index,
    values_of_first_rank,
)


def test_alone_a_process_has_the_whole_batch_and_its_own_statistics():
    assert (rank_index(), rank_count()) == (0, 1)
    batch, own = torch.arange(5), torch.arange(3.0)
    assert torch.equal(part_of_batch(batch), batch)
    average_over_ranks([own])
    assert own.tolist() == [0, 1, 2]
    assert values_of_first_rank({"loss": 2.0}) == {"loss": 2.0}
    layer = nn.Sequential(nn.BatchNorm2d(2))
    with joint_batch_norms(layer), joined_ranks():
        assert type(layer[0]) is nn.BatchNorm2d


def test_the_joint_norm_is_torchs_where_there_is_one_part(monkeypatch):
    torch.manual_seed(0)
    images = 3 + torch.randn(8, 2, 4, 4)
    monkeypatch.setattr(ranks.distributed, "all_reduce", lambda tensor: None)
    found = []
    for kind in (nn.BatchNorm2d, JointBatchNorm):
        layer, given = kind(2), images.clone().requires_grad_()
        answers = layer(given)
        answers.square().mul(torch.arange(16.0).view(4, 4)).sum().backward()
        found.append([answers.detach(), given.grad, layer.weight.grad, *layer.state_dict().values()])
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-4)
    layer.eval()
    assert torch.equal(layer(images), nn.BatchNorm2d.forward(layer, images))


def test_the_norms_are_torchs_again_afterwards(monkeypatch):
    monkeypatch.setattr(ranks, "rank_count", lambda: 2)
    layer = nn.Sequential(nn.BatchNorm2d(2))
    with joint_batch_norms(layer) as network:
        assert network is layer
        assert type(layer[0]) is JointBatchNorm
    assert type(layer[0]) is nn.BatchNorm2d


def test_every_process_takes_its_own_part(monkeypatch):
    monkeypatch.setattr(ranks, "rank_count", lambda: 2)
    monkeypatch.setattr(ranks, "rank_index", lambda: 1)
    assert part_of_batch(torch.arange(6)).tolist() == [1, 3, 5]


def test_a_batch_that_cannot_be_divided_is_an_error(monkeypatch):
    monkeypatch.setattr(ranks, "rank_count", lambda: 2)
    with pytest.raises(ValueError, match=r"5 patches a step for 2 processes; make train.batch a multiple"):
        part_of_batch(torch.arange(5))


def test_processes_share_the_threads_and_print_to_the_log(monkeypatch):
    monkeypatch.setenv("MKL_NUM_THREADS", "5")  # as Snakemake sets it for a rule of five threads; torch goes by it too
    ran = []
    with monkeypatch.context() as patch:
        patch.setattr(ranks.subprocess, "run", lambda command, **how: ran.append((command, how)))
        launch_ranks("some.module", "argument", count=2, threads=5)
    ((command, how),) = ran
    assert command[-4:] == ["--nproc-per-node=2", "--module", "some.module", "argument"]
    assert how["check"]
    assert how["stdout"] is sys.stdout
    asked = [sys.executable, "-c", "import torch; print(torch.get_num_threads())"]
    assert subprocess.check_output(asked, env=how["env"], text=True) == "2\n"


@pytest.mark.parametrize("before", [None, "another"])
def test_processes_import_the_library_that_starts_them(monkeypatch, tmp_path, before):
    (tmp_path / "another/defocus_core").mkdir(parents=True)
    (tmp_path / "another/defocus_core/__init__.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before:
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / before))
    ran = []
    with monkeypatch.context() as patch:
        patch.setattr(ranks.subprocess, "run", lambda command, **how: ran.append(how["env"]))
        launch_ranks("some.module", count=2, threads=2)
    find = "import importlib.util; print(importlib.util.find_spec('defocus_core').origin)"
    done = subprocess.run([sys.executable, "-c", find], env=ran[0], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == Path(ranks.__file__).parents[1] / "__init__.py"
    assert ran[0]["PYTHONPATH"].split(os.pathsep)[1:] == ([str(tmp_path / before)] if before else [])
