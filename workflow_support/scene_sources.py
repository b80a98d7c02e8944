"""Choose the photographs that training scenes are cut from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from defocus_core.io.color import to_grey
from defocus_core.io.read import read_for_measuring
from defocus_core.maps.focus import is_all_in_focus, own_blur
from defocus_core.maps.pipeline import estimate
from defocus_core.networks.classifier import Classifier
from defocus_core.training.scene_photographs import SegmentedPhotograph


def read_sharp_photographs(
    paths: Sequence[Path], *, judge: Classifier, min_sharp_fraction: float, min_side: int, silhouettes: Iterable[Path]
) -> list[SegmentedPhotograph]:
    """Read those photographs that are in focus nearly all over.

    Parameters
    ----------
    paths : photographs
    judge : network whose maps tell what is in focus
    min_sharp_fraction : least fraction of a photograph in focus
    min_side : pixels; smaller photographs are left out, since to enlarge one blurs it
    silhouettes : pictures that are white where people are; FOLDER/NAME.png is that of a photograph FOLDER/NAME.*

    Raises
    ------
    ValueError
        If a silhouette does not fit its photograph.
    """
    people_of = {(path.parent.name, path.stem): path for path in silhouettes}
    sharp = []
    for path in paths:
        image = read_for_measuring(path)
        if min(image.shape[:2]) < min_side:
            continue
        sigma = estimate(image, model=judge)
        if not is_all_in_focus(sigma, min_fraction=min_sharp_fraction):
            continue
        silhouette = people_of.get((path.parent.name, path.stem))
        people = to_grey(read_for_measuring(silhouette)) > 0.5 if silhouette else None
        try:
            sharp.append(SegmentedPhotograph.of(to_grey(image), own_blur(sigma), people))
        except ValueError as error:
            raise ValueError(f"{silhouette}: {error} ({path})") from error
    return sharp
