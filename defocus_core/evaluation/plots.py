"""Figures: curves, matrices, images side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator, ScalarFormatter

from defocus_core.io import atomic
from defocus_core.io.color import as_float
from defocus_core.io.map_pictures import COLORMAP

if TYPE_CHECKING:
    import pandas as pd

SAME_LINE = 0.04  # of the range of scores, within which the name of the lower of two points goes below it
DPI = 110


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
            above = table[y] - score
            down = -10 if ((above > 0) & (above < SAME_LINE * np.ptp(table[y]))).any() else 0
            axes.scatter(cost, score)
            axes.annotate(model, (cost, score), xytext=(x, down), textcoords="offset points", ha=side, va="center")
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
