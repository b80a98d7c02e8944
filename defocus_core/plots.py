"""Figures: maps with their colour bar, curves, matrices, images side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from . import atomic

COLOURS = "magma"
DPI = 110


def save_map(
    sigma: np.ndarray, path: str | Path, *, top: float | None = None, label="sigma (pixels)"
) -> None:
    """Write a map as a colour picture with its colour bar.

    Parameters
    ----------
    sigma : (H, W) float32
    path : PNG file
    top : value of the brightest colour; None for the map's own maximum
    label : of the colour bar
    """
    height, width = sigma.shape
    across, bar, edge = (
        760,
        110,
        8,
    )  # in pixels of the picture: the map, what the colour bar takes, the margin
    down = int(np.clip(across * height / width, 160, 2600))
    scale = min(across / width, down / height)
    shown = sigma
    if scale < 1:  # an area mean here costs a tenth of the figure's own resampling
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        shown = cv2.resize(sigma, size, interpolation=cv2.INTER_AREA)
    full, tall = across + bar, down + 2 * edge
    figure = Figure((full / DPI, tall / DPI))
    axes = figure.add_axes((0, edge / tall, across / full, down / tall))
    picture = axes.imshow(shown, cmap=COLOURS, vmin=0, vmax=top or max(float(sigma.max()), 1e-6))
    axes.set_axis_off()
    beside = figure.add_axes(((across + 16) / full, 0.06, 18 / full, 0.88))
    figure.colorbar(picture, cax=beside, label=label)
    _write(figure, path)


def side_by_side(panels: Sequence[tuple[str, np.ndarray]], path: str | Path, *, columns: int = 3) -> None:
    """Write images and maps beside each other.

    Parameters
    ----------
    panels : title and array: (H, W, 3) is a picture, (H, W) a map with a colour bar of its own
    path : PNG file
    columns : panels in a row
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    height, width = panels[0][1].shape[:2]
    figure = Figure((4.2 * columns, (4.2 * height / width + 0.4) * rows), layout="constrained")
    for axes, (title, array) in zip(np.ravel(figure.subplots(rows, columns)), panels, strict=False):
        shown = axes.imshow(array, cmap=COLOURS)
        axes.set_title(title, fontsize=10)
        if array.ndim == 2:
            figure.colorbar(shown, ax=axes, shrink=0.8)
    for axes in figure.axes:
        if axes.images:
            axes.set_axis_off()
    for axes in np.ravel(figure.axes)[len(panels) :]:
        if not axes.has_data():
            axes.set_axis_off()
    _write(figure, path)


def curves(
    lines: dict[str, tuple[np.ndarray, np.ndarray]], path: str | Path, *, x: str, y: str, limits=None
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


def confusion(matrix: np.ndarray, path: str | Path, *, title: str) -> None:
    """Write a confusion matrix (true x predicted, counts) as shares of each row."""
    matrix = np.asarray(matrix, float)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    figure = Figure((6, 5.2), layout="constrained")
    axes = figure.subplots()
    figure.colorbar(
        axes.imshow(shares, cmap=COLOURS, vmin=0, vmax=1), ax=axes, label="share of the true level"
    )
    axes.set(xlabel="predicted level", ylabel="true level", title=title)
    _write(figure, path)


def scatter(points: dict[str, tuple[float, float]], path: str | Path, *, x: str, y: str) -> None:
    """Write named points, x on a logarithmic axis."""
    figure = Figure((6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    for name, (px, py) in points.items():
        axes.scatter(px, py)
        axes.annotate(name, (px, py), xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.set(xlabel=x, ylabel=y, xscale="log")
    axes.margins(x=0.2)
    axes.grid(alpha=0.3)
    _write(figure, path)


def _write(figure: Figure, path: str | Path) -> None:
    with atomic.replacing(path) as part:
        FigureCanvasAgg(figure).print_figure(
            part, dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 3}
        )
