"""Convert a defocus map to distances by the thin lens equation."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from defocus_core.blur.rendering import thin_lens_sigma
from defocus_core.io.exif import exif_numbers

FULL_FRAME_DIAGONAL = float(np.hypot(36, 24))  # mm, the diagonal that 35 mm equivalents refer to
FAR = 1e6  # m, from which a focus is told as infinity; EXIF writes that as 2**32 - 1
_RESOLUTION_UNITS = {2: 25.4, 3: 10.0, 4: 1.0, 5: 1e-3}  # EXIF FocalPlaneResolutionUnit, in mm


@dataclass(frozen=True)
class Lens:
    """A focused thin lens and the pixel pitch of its sensor.

    Parameters
    ----------
    focal_length : mm
    f_number : focal length by diameter of the aperture
    focus_distance : m, from the lens to the plane in focus
    pixel_pitch : µm, from one pixel of the map to the next on the sensor

    Raises
    ------
    ValueError
        If a number is not positive and finite, or the focus lies within the focal length.
    """

    focal_length: float
    f_number: float
    focus_distance: float
    pixel_pitch: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{_field_label(field.name)} is a positive number, not {value:g}")
        if self.focus_distance * 1e3 <= self.focal_length:
            raise ValueError(
                f"focus distance is beyond the focal length of {self.focal_length:g} mm, "
                f"not {self.focus_distance:g} m; it is given in metres"
            )

    def __str__(self) -> str:
        focus = f"{self.focus_distance:g} m" if self.focus_distance < FAR else "infinity"
        return f"{self.focal_length:g} mm at f/{self.f_number:g}, focused at {focus}, {self.pixel_pitch:.3g} µm a pixel"

    @property
    def sigma_per_dioptre(self) -> float:
        """Sigma in pixels for one dioptre (1/m) between an object and the plane in focus.

        The circle of confusion is a disk of diameter A f |1/d - 1/d_f| / (1 - f / d_f) on the sensor, with
        A = f / N. A disk has the standard deviation, along each axis, of a quarter of its diameter.
        """
        magnified = 1 - self.focal_length * 1e-3 / self.focus_distance
        return self.focal_length**2 / (4 * self.f_number * self.pixel_pitch * magnified)

    def sigma(self, distance: np.ndarray) -> np.ndarray:
        """Return the blur, sigma in pixels, of objects at distances in m; infinity is allowed."""
        return thin_lens_sigma(
            1 / np.asarray(distance, np.float32),
            focus=1 / self.focus_distance,
            sigma_per_disparity=self.sigma_per_dioptre,
        )

    def distances(self, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the two distances that a blur allows, before and behind the plane in focus.

        Parameters
        ----------
        sigma : (H, W) float32 defocus map, pixels

        Returns
        -------
        near, far : (H, W) float32, m; far is infinite where no object behind could be so blurred
        """
        away = np.asarray(sigma, np.float32) / np.float32(self.sigma_per_dioptre)
        focus = np.float32(1 / self.focus_distance)
        behind = np.maximum(focus - away, 0)
        far = np.divide(1, behind, out=np.full_like(away, np.inf), where=behind > 0)
        return 1 / (focus + away), far


def depth(sigma: np.ndarray, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """Return the two distances that the blur of each pixel allows, before and behind the plane in focus.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels
    lens : that took the photograph; `resolve_lens` reads it from EXIF

    Returns
    -------
    near, far : (H, W) float32, m; far is infinite where no object behind could be so blurred

    Examples
    --------
    >>> import numpy as np
    >>> from defocus_core import Lens, depth
    >>> lens = Lens(focal_length=50, f_number=2, focus_distance=2, pixel_pitch=5)
    >>> near, far = depth(np.array([[0.0, 8.0]], np.float32), lens)
    >>> print(near.round(2), far.round(2))
    [[2.  1.6]] [[2.   2.67]]
    """
    return lens.distances(sigma)


def relative_defocus(sigma: np.ndarray) -> np.ndarray:
    """Return the relative distance of each pixel from the focal plane, for an unknown lens.

    Blur is proportional to the difference of the inverse distances, whatever the lens. It does not tell on which
    side of the focal plane a pixel is.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels

    Returns
    -------
    (H, W) float32: |1/d - 1/d_f| as a fraction of its maximum; 0 is in focus

    Examples
    --------
    >>> import numpy as np
    >>> relative_defocus(np.array([[0.0, 2.0, 4.0]], np.float32)).tolist()
    [[0.0, 0.5, 1.0]]
    """
    return sigma / max(float(sigma.max()), np.finfo(np.float32).tiny)


def lens_from_exif(path: str | Path, *, size: tuple[int, int] | None = None) -> dict[str, float]:
    """Read the parameters of `Lens` that a photograph's EXIF has.

    The pixel pitch comes from the focal plane resolution, corrected for a photograph that was scaled if its EXIF keeps
    the size that was taken, or else from the 35 mm equivalent of the focal length, for one that was not cropped.

    Parameters
    ----------
    path : image file
    size : width and height in pixels of what the blur is measured in, of a RAW photograph in half its size half the
        file's; None is the file's
    """
    read, own_size = exif_numbers(Path(path))
    known: dict[str, float | None] = {
        "focal_length": read.get("FocalLength"),
        "f_number": read.get("FNumber"),
        "focus_distance": read.get("SubjectDistance"),
        "pixel_pitch": _pixel_pitch(read, size=size or own_size, own_size=own_size),
    }
    if (known["focus_distance"] or np.inf) * 1e3 <= (known["focal_length"] or 0):
        known["focus_distance"] = None  # within the lens: some cameras write their own units
    return {name: value for name, value in known.items() if value}


def _pixel_pitch(exif: dict[str, float], *, size: tuple[int, int], own_size: tuple[int, int]) -> float | None:
    """Return the micrometres on the sensor of a pixel of what is read; None where EXIF or its size is not known."""
    if not max(size):
        return None
    if resolution := exif.get("FocalPlaneXResolution"):
        unit = _RESOLUTION_UNITS.get(int(exif.get("FocalPlaneResolutionUnit", 2)), 25.4)
        taken = max(exif.get("PixelXDimension", 0), exif.get("PixelYDimension", 0)) or max(own_size) or max(size)
        return unit * 1e3 / resolution * taken / max(size)
    focal_length, equivalent = exif.get("FocalLength"), exif.get("FocalLengthIn35mmFilm")
    if not (focal_length and equivalent):
        return None
    return FULL_FRAME_DIAGONAL * focal_length / equivalent * 1e3 / float(np.hypot(*size))


def resolve_lens(path: str | Path, *, size: tuple[int, int] | None = None, **given: float | None) -> Lens | None:
    """Return the lens of a photograph, from the given parameters, then from its EXIF.

    Parameters
    ----------
    path : image file
    size : see `lens_from_exif`
    given : parameters of `Lens`; None is not given

    Returns
    -------
    Lens, or None where nothing is given and the EXIF does not tell it all

    Raises
    ------
    ValueError
        If something is given and something else is missing.
    """
    told = {name: value for name, value in given.items() if value is not None}
    known = {**lens_from_exif(path, size=size), **told}
    missing = missing_fields(known)
    if not missing:
        return Lens(**known)
    if told:
        raise ValueError(f"{path}: {' and '.join(missing)} missing, and its EXIF does not tell; give them too")
    return None


def missing_fields(known: dict[str, float]) -> list[str]:
    """Return what `Lens` takes besides what is known, in words."""
    return [_field_label(field.name) for field in fields(Lens) if field.name not in known]


def _field_label(name: str) -> str:
    return name.replace("_", " ").replace("f number", "f-number")
