"""Other programs that fuse files, run where they are installed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from defocus_core.io.color import as_float
from defocus_core.io.read import read
from defocus_core.io.write import write


class ExternalProgram:
    """Another program that fuses files.

    Parameters
    ----------
    template : its command line, in which `{shots}` stands for the shots' files, in order, and
        `{fused}` for the PNG file that it writes
    """

    def __init__(self, template: str):
        self._words = shlex.split(template)
        if "{shots}" not in self._words or not any("{fused}" in word for word in self._words):
            raise ValueError(f"a fusion command names {{shots}} and {{fused}}, not {template!r}")

    @property
    def installed(self) -> bool:
        """Whether the program is there to be run."""
        return shutil.which(self._words[0]) is not None

    def __call__(self, shots: Sequence[np.ndarray]) -> np.ndarray:
        """Fuse (H, W, 3) RGB shots, uint8 or float in [0, 1]; raise RuntimeError if the program fails."""
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"{index}.png" for index in range(len(shots))]
            for file, shot in zip(files, shots, strict=True):
                write(file, shot)
            fused = Path(folder) / "fused.png"
            words = [word.replace("{fused}", str(fused)) for word in self._words]
            place = words.index("{shots}")
            words[place : place + 1] = map(str, files)
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode or not fused.is_file():
                said = (done.stderr or done.stdout)[-500:]
                raise RuntimeError(f"{words[0]} failed ({done.returncode}): {said}")
            return as_float(read(fused))


def installed_programs(templates: dict[str, str]) -> dict[str, ExternalProgram]:
    """Return those of some programs that are there to be run.

    Parameters
    ----------
    templates : name -> command line, see `ExternalProgram`
    """
    programs = {name: ExternalProgram(template) for name, template in templates.items()}
    return {name: program for name, program in programs.items() if program.installed}
