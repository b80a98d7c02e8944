"""What breaks a run ends in a clear message, and a plain rerun ends as an unbroken run does.

MOMENTS (1 where unset) is the number of random moments at which each victim is killed in each stage;
`make test-faults` takes ten.
"""

import os
import random
import re
import signal
import subprocess
import time
from contextlib import suppress

import psutil
import pytest
from checkout import run

MOMENTS = int(os.environ.get("MOMENTS", "1"))
SHARD = "results/patches/shards/train_0.h5"
MODEL = "results/models/blurnet/model.safetensors"
MAPS = "results/maps/embedded/0"
STAGES = {"synthesize": SHARD, "train": MODEL, "maps": MAPS}
KILLS = [
    (stage, victim, moment)
    for stage in STAGES
    for victim in ("job", "snakemake")
    for moment in range(MOMENTS)
    if MOMENTS > 1 or (stage, victim) in (("synthesize", "snakemake"), ("train", "job"))
]


@pytest.fixture(scope="module")
def broken(ran, tmp_path_factory):
    """A copy of the checkout that ran, to break."""
    return ran.copy(tmp_path_factory.mktemp("broken"))


def contents(checkout, target):
    path = checkout.folder / target
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def script_of(main):
    """Return the process of the job's script, once there is one."""
    for _ in range(1200):
        for child in main.children(recursive=True):
            try:
                if any("/.snakemake/scripts/" in part for part in child.cmdline()):
                    return child
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.05)
    raise AssertionError("no job has started")


def started(checkout, target):
    """Start a run that makes a target anew, and go on without it."""
    silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    command = checkout.command("--force", target)
    return subprocess.Popen(command, cwd=checkout.folder, env=checkout.environment, **silent)


@pytest.mark.parametrize(("stage", "victim", "moment"), KILLS)
def test_a_killed_run_is_made_up_for_by_a_plain_one(ran, broken, stage, victim, moment):
    target = STAGES[stage]
    delay = random.Random(f"{stage} {victim} {moment}").uniform(0, 6)
    with started(broken, target) as process:
        main = psutil.Process(process.pid)
        script = script_of(main)
        family = main.children(recursive=True)
        time.sleep(delay)
        with suppress(psutil.NoSuchProcess):  # done before that moment: nothing may be lost all the same
            (script if victim == "job" else main).send_signal(signal.SIGKILL)
        process.wait(300)
    code, output = broken.snakemake(target, check=False)
    psutil.wait_procs(family, timeout=120)
    assert code == 0, output[-4000:]
    assert contents(broken, target) == contents(ran, target)
    if stage != "maps":  # of a folder Snakemake knows the time alone
        assert broken.pending() == ran.pending()


def test_a_second_run_in_one_folder_is_told_of_the_first(broken):
    with started(broken, SHARD) as first:
        main = psutil.Process(first.pid)
        script = script_of(main)
        script.suspend()
        code, output = broken.snakemake("--force", SHARD, check=False)
        script.resume()
        assert first.wait(300) == 0
    assert code != 0
    assert f"another run is at work in this folder (process {first.pid} on" in output


def test_a_damaged_patch_file_is_named_and_made_again_once_deleted(ran, broken):
    shard = broken.folder / SHARD
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    code, output = broken.snakemake("results/patches/train.h5", check=False)
    assert code != 0
    assert f"{SHARD}: damaged or cut off" in output
    shard.unlink()
    broken.snakemake("results/patches/train.h5")
    for target in (SHARD, "results/patches/train.h5", f"{SHARD}.provenance.json"):
        assert contents(broken, target) == contents(ran, target)


def test_a_corrupted_checkpoint_changes_nothing(ran, broken):
    folders = [path for path in (broken.folder / ".checkpoints").glob("*") if path.is_dir()]
    for folder in folders:
        (folder / MODEL).parent.mkdir(parents=True, exist_ok=True)
        (folder / MODEL).write_bytes(random.Random(0).randbytes(5000))
    assert folders
    broken.snakemake("--force", MODEL)
    assert contents(broken, MODEL) == contents(ran, MODEL)


@pytest.fixture
def small_disk(broken):
    """A disk of 64 kB over the patches; a function mounts it anew with other options."""
    folder = broken.folder / "results/patches"

    def mount(options, again="remount,"):
        return run(["mount", "-t", "tmpfs", "-o", again + options, "tmpfs", folder])[0]

    if os.geteuid() != 0 or mount("size=64k", again=""):
        pytest.skip("mounting a small disk needs root, and a machine that lets it")
    yield mount
    run(["umount", folder])


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_full_or_read_only_disk_is_named(ran, broken, small_disk, fault):
    if fault == "read-only":
        small_disk("ro,size=64k")
    code, output = broken.snakemake(SHARD, check=False)
    assert code != 0
    assert {"full": "No space left on device", "read-only": "Read-only file system"}[fault] in output
    assert not (broken.folder / SHARD).exists()
    small_disk("rw,size=100m")
    broken.snakemake(SHARD)
    assert contents(broken, SHARD) == contents(ran, SHARD)


LIMITED = """
import resource, sys

def limit(event, arguments):
    if event == "open" and "sets/embedded/images/" in str(arguments[0]):
        size = next(line for line in open("/proc/self/status") if line.startswith("VmSize"))
        size = 1024 * int(size.split()[1])
        resource.setrlimit(resource.RLIMIT_AS, (size, size))

if any("/.snakemake/scripts/" in part for part in sys.orig_argv):
    sys.addaudithook(limit)
"""


def test_a_job_out_of_memory_says_so_and_is_made_up_for(ran, broken):
    """From its first photograph on, the job gets no more address space than it has."""
    hook = broken.folder / "sitecustomize.py"  # which a job's own process reads before its script
    hook.write_text(LIMITED)
    code, output = broken.snakemake("--force", "--cores=1", MAPS, check=False)
    hook.unlink()
    assert code != 0
    said = r"[Mm]emory|could not create a primitive|can't start new thread"  # the latter two: oneDNN, a pool
    assert re.search(said, output), output[-3000:]
    assert "Error in rule maps" in output
    assert not (broken.folder / MAPS).exists()
    broken.snakemake(MAPS)
    assert contents(broken, MAPS) == contents(ran, MAPS)
