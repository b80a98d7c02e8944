import platform
import subprocess
import sys

import pytest

from defocus_core.memory import keep_freed_memory, return_freed_memory

FAULTS = """
import resource
import numpy as np
from defocus_core.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**23)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = min(faults() for _ in range(3))
assert keep_freed_memory()
faults()
print(given_back, min(faults() for _ in range(3)))
"""


HELD = """
import numpy as np
from defocus_core.memory import return_freed_memory

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

np.ones(3 * 2**20)  # 24 MB that were freed: from then on, blocks of this size are kept
blocks = [np.ones(3 * 2**20) for _ in range(8)]
pin = np.ones(2**18)  # above them on the heap
before = held()
blocks.clear()
kept = before - held()
assert return_freed_memory()
print(kept, before - held())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc")
def test_freed_memory_is_used_again_without_a_page_fault():
    run = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    given_back, kept = map(int, run.stdout.split())
    assert given_back > 20  # 64 MB, of pages of 2 MB at most
    assert kept < 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc")
def test_freed_memory_is_given_back():
    run = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    by_itself, when_asked = map(int, run.stdout.split())
    assert when_asked > 8 * 24e6 * 0.9
    assert by_itself < when_asked / 2


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert not keep_freed_memory()
    assert not return_freed_memory()
