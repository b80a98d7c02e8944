"""Figures: maps with their colour bar, curves, matrices, images side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator, ScalarFormatter
from PIL import Image, ImageDraw, ImageFont

from defocus_core.io import atomic
from defocus_core.io.color import as_float

if TYPE_CHECKING:
    import pandas as pd

COLORMAP = "magma"
DPI = 110
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
        drawn.save(part, format="PNG", compress_level=3)


def write_distance_picture(values: np.ndarray, path: str | Path, *, label: str) -> None:
    """Write distances as `write_map_picture` does; the farthest, to infinity, share the last colour.

    Parameters
    ----------
    values : (H, W) float32, not negative; infinite distances among them
    path : PNG file
    label : of the colour bar
    """
    finite = values[np.isfinite(values)]
    top = max(float(np.quantile(finite, SHOWN_FRACTION)), 1e-6) if finite.size else 1.0
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


def plot_panels(panels: Sequence[tuple[str, np.ndarray]], path: str | Path, *, columns: int = 3) -> None:
    """Write images and maps beside each other.

    Parameters
    ----------
    panels : title and array: uint8, uint16 or (H, W, 3) is a picture, (H, W) float a map with a colour
        bar of its own
    path : PNG file
    columns : panels in a row
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    height, width = panels[0][1].shape[:2]
    figure = Figure((4.2 * columns, (4.2 * height / width + 0.4) * rows), layout="constrained")
    for axes, (title, array) in zip(np.ravel(figure.subplots(rows, columns)), panels, strict=False):
        is_map = array.ndim == 2 and array.dtype.kind == "f"
        picture = array if is_map else as_float(array)
        look = {"cmap": COLORMAP} if is_map else {"cmap": "gray", "vmin": 0, "vmax": 1}
        shown = axes.imshow(picture, **look)
        axes.set_title(title, fontsize=10)
        if is_map:
            figure.colorbar(shown, ax=axes, shrink=0.8)
    for axes in figure.axes:
        if axes.images:
            axes.set_axis_off()
    for axes in figure.axes[len(panels) :]:
        if not axes.has_data():
            axes.set_axis_off()
    _write(figure, path)


def plot_curves(
    lines: dict[str, tuple[np.ndarray, np.ndarray]],
    path: str | Path,
    *,
    x: str,
    y: str,
    limits: tuple[float, float] | None = None,
) -> None:
    """Write lines by name, each an x and a y array, in one diagram."""
    figure = Figure((6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    for name, (xs, ys) in lines.items():
        axes.plot(xs, ys, label=name)
    axes.set(xlabel=x, ylabel=y)
    if limits:
        axes.set(xlim=limits, ylim=limits)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    _write(figure, path)


def plot_confusion(matrix: np.ndarray, path: str | Path, *, title: str) -> None:
    """Write a confusion matrix (true x predicted, counts) as shares of each row."""
    matrix = np.asarray(matrix, float)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    figure = Figure((6, 5.2), layout="constrained")
    axes = figure.subplots()
    figure.colorbar(axes.imshow(shares, cmap=COLORMAP, vmin=0, vmax=1), ax=axes, label="share of the true level")
    axes.set(xlabel="predicted level", ylabel="true level", title=title)
    _write(figure, path)


def plot_trade(table: pd.DataFrame, path: str | Path, *, y: str, costs: dict[str, str]) -> None:
    """Write one panel a cost, with each model's score against it.

    Parameters
    ----------
    table : a row a model, with the columns `model`, `y` and those of the costs
    path : PNG to write
    y : column of the score
    costs : column of a cost -> what its axis says
    """
    figure = Figure((4.8 * len(costs), 4.2), layout="constrained")
    panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
    for axes, (column, label) in zip(panels, costs.items(), strict=True):
        least, most = table[column].min(), table[column].max()
        if most > 10 * least:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(EngFormatter(sep="") if least > 10 else ScalarFormatter())
        for model, cost, score in zip(table["model"], table[column], table[y], strict=True):
            x, side = (-6, "right") if cost > np.sqrt(least * most) else (6, "left")
            axes.scatter(cost, score)
            axes.annotate(model, (cost, score), xytext=(x, 0), textcoords="offset points", ha=side, va="center")
        axes.set_xlabel(label)
        axes.margins(x=0.1)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel(y)
    _write(figure, path)


def _write(figure: Figure, path: str | Path) -> None:
    with atomic.replacing(path) as part:
        FigureCanvasAgg(figure).print_figure(
            part, dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 3}
        )
