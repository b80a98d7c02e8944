"""A transform and a gain that align a shot to the reference of its stack."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.applications.fusion.homography import as_homography
from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear, to_dtype


@dataclass(frozen=True)
class Alignment:
    """A transform and a gain that align a shot to the reference.

    Parameters
    ----------
    matrix : (2, 3), or (3, 3) of a homography, from a pixel (column, row) of the reference to that of the shot; None
        leaves the geometry
    gains : (C,) float32, factor of the light in each channel; None leaves the exposure
    """

    matrix: np.ndarray | None = None
    gains: np.ndarray | None = None

    def inside(self, shape: tuple[int, int], shot_shape: tuple[int, int] | None = None) -> np.ndarray:
        """Return the pixels of the aligned shot whose centre lies on a pixel of its frame, (H, W) bool.

        Parameters
        ----------
        shape : height and width of the reference
        shot_shape : of the shot; None is the reference's
        """
        if self.matrix is None:
            return np.ones(shape, bool)
        first, second, third = as_homography(self.matrix)
        height, width = shot_shape or shape
        rows = np.arange(shape[0])
        low, high = np.zeros(shape[0]), np.full(shape[0], shape[1] - 1.0)
        for along, length in ((first, width), (second, height)):
            for across, down, shift in (along + third / 2, (length - 0.5) * third - along):  # -0.5 to length - 0.5
                rest = down * rows + shift
                if abs(across) < 1e-12:
                    high[rest < 0] = -1
                elif across > 0:
                    low = np.maximum(low, np.ceil(-rest / across))
                else:
                    high = np.minimum(high, np.floor(-rest / across))
        columns = np.arange(shape[1])
        return (columns >= low[:, None]) & (columns <= high[:, None])

    def apply(self, shot: np.ndarray, shape: tuple[int, int] | None = None) -> np.ndarray:
        """Return the aligned shot, in its own dtype; pixels from outside its frame are mirrored.

        Parameters
        ----------
        shot : (H, W) or (H, W, 3), uint8, uint16 or float in [0, 1]
        shape : height and width of the reference; None is the shot's
        """
        if self.matrix is not None:
            size = (shape or shot.shape[:2])[::-1]
            matrix, mirrored = np.asarray(self.matrix, np.float64), cv2.BORDER_REFLECT_101
            warp = cv2.warpAffine if matrix.shape == (2, 3) else cv2.warpPerspective
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            shot = _clip_to_range(np.asarray(warp(shot, matrix, size, flags=flags, borderMode=mirrored)))
        if self.gains is not None:
            shot = _expose(_clip_to_range(shot), self.gains)
        return _clip_to_range(shot)


def _expose(shot: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Multiply the light of a shot by a gain for each channel; integers go through a table."""
    if shot.dtype.kind == "f":
        return linear_to_srgb(srgb_to_linear(as_float(shot)) * gains).astype(shot.dtype)
    levels = np.arange(np.iinfo(shot.dtype).max + 1).astype(shot.dtype)
    tables = [to_dtype(linear_to_srgb(srgb_to_linear(as_float(levels[None])) * gain), shot.dtype)[0] for gain in gains]
    if shot.ndim == 2:
        return tables[0][shot]
    return np.dstack([table[shot[..., channel]] for channel, table in enumerate(tables)])


def _clip_to_range(image: np.ndarray) -> np.ndarray:
    """Clip what a cubic interpolation puts outside [0, 1]; integers saturate by themselves."""
    return np.clip(image, 0, 1) if image.dtype.kind == "f" else image
