"""A contact sheet in one HTML file, what is in focus outlined."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.io.arrays import shrunken_size
from defocus_core.io.color import as_float, to_dtype

SIDE = 320  # pixels of the longer side of a thumbnail
OUTLINE = (255, 200, 0)
_STYLE = """
body { margin: 24px; background: #1c1c1c; color: #ddd; font: 14px/1.4 system-ui, sans-serif; }
h1 { font-size: 18px; font-weight: 600; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 16px; }
figure { margin: 0; padding: 10px; background: #2a2a2a; border-radius: 6px; }
figure.best { outline: 2px solid #ffc800; }
img { display: block; margin: 0 auto 8px; max-width: 100%; }
figcaption { overflow-wrap: anywhere; }
b { color: #fff; }
p { margin: 0 0 16px; color: #aaa; }
"""


@dataclass(frozen=True)
class Entry:
    """A photograph on the sheet.

    Parameters
    ----------
    title : its name
    lines : what is said below it
    picture : (h, w, 3) uint8, None where it could not be read
    best : whether it is the best of its burst
    """

    title: str
    lines: Sequence[str]
    picture: np.ndarray | None = None
    best: bool = False


def thumbnail(image: np.ndarray, focused: np.ndarray) -> np.ndarray:
    """Return a small copy of an image with an outline around what is in focus.

    Parameters
    ----------
    image : as for `estimate`
    focused : (h, w) bool, of the image on any grid

    Returns
    -------
    (h, w, 3) uint8 RGB, the longer side at most 320 pixels
    """
    size = shrunken_size(image.shape, max(1.0, max(image.shape[:2]) / SIDE))
    small = to_dtype(cv2.resize(as_float(image), size, interpolation=cv2.INTER_AREA), np.uint8)
    small = cv2.cvtColor(small, cv2.COLOR_GRAY2RGB) if small.ndim == 2 else np.ascontiguousarray(small[:, :, :3])
    inside = cv2.resize(focused.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inside = cv2.morphologyEx((inside > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    contours = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    return cv2.drawContours(small, [contour for contour in contours if cv2.contourArea(contour) > 20], -1, OUTLINE, 1)


def contact_sheet(entries: Sequence[Entry]) -> str:
    """Return a page that needs no other file."""
    figures = "\n".join(_figure(entry) for entry in entries)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Sharpness</title>\n'
        f"<style>{_STYLE}</style>\n"
        f"<h1>{len(entries)} photographs, the sharpest first</h1>\n"
        "<p>Outlined in yellow: what is in focus. A yellow frame: the best of a burst. Sigma in pixels.</p>\n"
        f"<main>\n{figures}\n</main>\n</html>\n"
    )


def _figure(entry: Entry) -> str:
    title, lines = html.escape(entry.title), "<br>".join(map(html.escape, entry.lines))
    kind = ' class="best"' if entry.best else ""
    return f"<figure{kind}>{_img(entry.picture, title)}<figcaption><b>{title}</b><br>{lines}</figcaption></figure>"


def _img(picture: np.ndarray | None, title: str) -> str:
    if picture is None:
        return ""
    data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    source = base64.b64encode(data.tobytes()).decode()
    size = f'width="{picture.shape[1]}" height="{picture.shape[0]}"'
    return f'<img src="data:image/jpeg;base64,{source}" alt="{title}" {size}>'
