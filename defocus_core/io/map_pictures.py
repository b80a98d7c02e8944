"""Pictures of maps with their colour bar."""

from __future__ import annotations

from pathlib import Path

import cv2
import matplotlib
import numpy as np
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageDraw, ImageFont

from defocus_core.io import atomic
from defocus_core.io.write import PNG_LEVEL

COLORMAP = "magma"
SHOWN_FRACTION = 0.98  # share of the finite distances that the colours of a picture tell apart
ACROSS, TALLEST, EDGE = 760, 2600, 8  # pixels of a map's picture: its width, most height, margin


def write_map_picture(
    sigma: np.ndarray, path: str | Path, *, top: float | None = None, label: str = "sigma (pixels)"
) -> None:
    """Write a map as a colour picture with its colour bar.

    Without matplotlib's canvas, which takes several times as long and one thread at a time.

    Parameters
    ----------
    sigma : (H, W) float32
    path : PNG file
    top : value of the brightest colour; None for the map's own maximum
    label : of the colour bar
    """
    top = top or max(float(sigma.max()), 1e-6)
    picture = _apply_colormap(_fit_to_picture(sigma), top)
    tall = max(picture.shape[0], 160) + 2 * EDGE
    canvas = np.full((tall, ACROSS + 110, 3), 255, np.uint8)
    left, above = (ACROSS - picture.shape[1]) // 2, (tall - picture.shape[0]) // 2
    canvas[above : above + picture.shape[0], left : left + picture.shape[1]] = picture
    bar = slice(round(0.06 * tall), round(0.94 * tall))
    down = np.linspace(top, 0, bar.stop - bar.start, dtype=np.float32)
    canvas[bar, ACROSS + 16 : ACROSS + 34] = _apply_colormap(down[:, None], top)
    drawn = Image.fromarray(canvas)
    _label(drawn, [(float(v), bar.stop - 1 - v / top * (len(down) - 1)) for v in _ticks(top)], label)
    with atomic.replacing(path) as part:
        drawn.save(part, format="PNG", compress_level=PNG_LEVEL)


def write_distance_picture(values: np.ndarray, path: str | Path, *, label: str) -> None:
    """Write distances as `write_map_picture` does; the farthest, to infinity, share the last colour.

    Where all are infinite, the label says so.

    Parameters
    ----------
    values : (H, W) float32, not negative; infinite distances among them
    path : PNG file
    label : of the colour bar
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        label, finite = f"{label}: infinite everywhere", np.ones(1)
    top = max(float(np.quantile(finite, SHOWN_FRACTION)), 1e-6)
    write_map_picture(np.minimum(values, top), path, top=top, label=label)


def _fit_to_picture(sigma: np.ndarray) -> np.ndarray:
    """Bring a map to the size at which it is shown."""
    height, width = sigma.shape
    scale = min(ACROSS / width, TALLEST / height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(sigma, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _apply_colormap(values: np.ndarray, top: float) -> np.ndarray:
    table = np.rint(matplotlib.colormaps[COLORMAP](np.arange(256))[:, :3] * 255).astype(np.uint8)
    return table[np.clip(values * (255 / top) + 0.5, 0, 255).astype(np.uint8)]


def _ticks(top: float) -> list[float]:
    return [tick for tick in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(0, top) if 0 <= tick <= top]


def _label(drawn: Image.Image, ticks: list[tuple[float, float]], label: str) -> None:
    """Write the values of a colour bar at their rows, and what they are along it."""
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(13)
    for value, row in ticks:
        pen.line((ACROSS + 34, row, ACROSS + 38, row), fill="black")
        pen.text((ACROSS + 42, row), f"{value:g}", fill="black", font=font, anchor="lm")
    along = Image.new("RGB", (drawn.height, 22), "white")
    ImageDraw.Draw(along).text((drawn.height / 2, 11), label, fill="black", font=font, anchor="mm")
    drawn.paste(along.transpose(Image.Transpose.ROTATE_90), (ACROSS + 84, 0))
