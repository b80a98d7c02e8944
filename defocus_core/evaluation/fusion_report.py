"""A fused stack at a glance: one HTML file without others beside it."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np

from defocus_core import __version__
from defocus_core.applications.fusion.stack import Fusion
from defocus_core.io import atomic
from defocus_core.io.arrays import shrunken_size
from defocus_core.io.color import as_float, to_dtype

OVERVIEW_SIDE, CROP_SIDE, CROPS = 900, 240, 6
STYLE = (
    "body{font:14px sans-serif;margin:1.5em;background:#222;color:#eee}figure{display:inline-block;margin:.4em}"
    "img{max-width:100%}table{border-collapse:collapse}td,th{padding:.1em .8em;text-align:right}"
)


def write_report(path: str | Path, fusion: Fusion, *, names: Sequence[str]) -> None:
    """Write a contact sheet: the result, the shot of each pixel, the depth, and the most doubtful seams at 1:1.

    Parameters
    ----------
    path : .html file
    fusion : of `fuse`
    names : of the shots
    """
    share = np.bincount(fusion.labels.ravel(), minlength=len(names)) / fusion.labels.size
    rows = "".join(
        f"<tr><td>{index + 1}</td><td>{html.escape(name)}</td><td>{100 * part:.1f} %</td>"
        f"<td>{'left out' if found is None else ''}</td></tr>"
        for index, (name, part, found) in enumerate(zip(names, share, fusion.alignments, strict=True))
    )
    count = max(len(names) - 1, 1)
    depth = _coloured(fusion.depth / count)
    depth = (depth * (0.25 + 0.75 * fusion.confidence[..., None])).astype(np.uint8)
    figures = [
        _figure("fused", _shrunken(_eight_bit(fusion.image))),
        _figure("shot of each pixel", _shrunken(_coloured(fusion.labels / count), nearest=True)),
        _figure("depth in the stack, dark where it is not sure", _shrunken(depth)),
        _figure("sharp in no shot", _shrunken(fusion.nowhere.astype(np.uint8) * 255)),
    ]
    crops = [
        _figure(f"row {row}, column {column}: fused and shots", np.hstack([_eight_bit(fusion.image)[window], marked]))
        for row, column, window, marked in _doubtful(fusion, count)
    ]
    page = (
        f"<!doctype html><meta charset=utf-8><title>{html.escape(Path(path).stem)}</title><style>{STYLE}</style>"
        f"<h1>{len(names)} shots fused</h1>{''.join(figures)}"
        f"<h2>The most doubtful seams, pixel by pixel</h2>{''.join(crops) or '<p>none</p>'}"
        f"<h2>Shots</h2><table><tr><th>shot<th>file<th>pixels<th></tr>{rows}</table><p>defocus-core {__version__}</p>"
    )
    atomic.write_text(path, page)


def doubtful_seams(doubt: np.ndarray, labels: np.ndarray, *, count: int, side: int) -> list[tuple[int, int]]:
    """Return the places, row and column, where labels change and the choice matters most, the worst first.

    Parameters
    ----------
    doubt : (H, W) float32, see `Fusion`
    labels : (H, W) of integers
    count : places at most
    side : pixels by which they lie apart
    """
    borders = cv2.morphologyEx(labels.astype(np.uint16), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    score, places = cv2.GaussianBlur(np.where(borders, doubt, 0).astype(np.float32), (0, 0), side / 16), []
    for _ in range(count):
        row, column = np.unravel_index(int(score.argmax()), score.shape)
        if score[row, column] <= 0:
            break
        places.append((int(row), int(column)))
        score[max(0, row - side) : row + side, max(0, column - side) : column + side] = 0
    return places


def _doubtful(fusion: Fusion, count: int) -> Iterator[tuple[int, int, tuple[slice, slice], np.ndarray]]:
    height, width = fusion.labels.shape
    for row, column in doubtful_seams(fusion.doubt, fusion.labels, count=CROPS, side=CROP_SIDE):
        top, left = (
            int(np.clip(at - CROP_SIDE // 2, 0, max(0, length - CROP_SIDE)))
            for at, length in ((row, height), (column, width))
        )
        window = (slice(top, top + CROP_SIDE), slice(left, left + CROP_SIDE))
        yield row, column, window, _coloured(fusion.labels[window] / count)


def _coloured(values: np.ndarray) -> np.ndarray:
    return (255 * matplotlib.colormaps["turbo"](np.clip(values, 0, 1))[..., :3]).astype(np.uint8)


def _eight_bit(image: np.ndarray) -> np.ndarray:
    if image.dtype != np.uint8:
        image = to_dtype(as_float(image), np.uint8)
    return image if image.ndim == 3 else np.dstack([image] * 3)


def _shrunken(image: np.ndarray, *, nearest: bool = False) -> np.ndarray:
    factor = max(image.shape[:2]) / OVERVIEW_SIDE
    if factor <= 1:
        return image
    return cv2.resize(
        image, shrunken_size(image.shape, factor), interpolation=cv2.INTER_NEAREST if nearest else cv2.INTER_AREA
    )


def _figure(caption: str, image: np.ndarray) -> str:
    encoded = cv2.imencode(".png", image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1]))[1]
    data = base64.b64encode(encoded.tobytes()).decode()
    return f'<figure><img src="data:image/png;base64,{data}" alt=""><figcaption>{caption}</figcaption></figure>'
