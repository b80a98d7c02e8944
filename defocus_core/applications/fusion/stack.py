"""Multi-focus fusion: take every pixel from the shot that is sharpest there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.blend import Shot, as_alpha, blend_seams, load_photograph
from defocus_core.applications.fusion.checkpoint import Checkpoint, FusionState
from defocus_core.applications.fusion.composite import Composite, Preference
from defocus_core.applications.fusion.decide import FusionConfig, decision_step, focus_measures, noise_level
from defocus_core.applications.fusion.frame import Frame, largest_frame, whole_frame
from defocus_core.applications.fusion.labels import MAX_SHOTS, check_labels
from defocus_core.applications.fusion.sequence import AlignedShot, AlignOptions, align_shots, in_file
from defocus_core.io.pages import Page
from defocus_core.io.photograph import to_srgb
from defocus_core.maps.pipeline import resolve_model
from defocus_core.memory import return_freed_memory
from defocus_core.networks.classifier import Classifier, tensor_digest

MAX_SHARP_SIGMA = 2.0  # pixels of sigma, in a copy of at most `SHARP_PIXELS`, from which nothing is sharp
SHARP_PIXELS = 4e6
Progress = Callable[[int, int], None]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Fusion:
    """A fused image and the shot of each pixel.

    Parameters
    ----------
    image : of the shots' dtype, and of the reference's shape or, where it is cropped, that of `frame`
    labels : (H, W) uint8, or uint16 of more than 255 shots: index of the shot that each pixel comes from, or of the
        sharpest of those that it is a mix of
    alpha : (H, W) of the image's dtype, 0 where no shot shows anything; None where shots have no alpha
    depth : (H, W) float32, where in the stack a pixel is sharpest, in shots from 0
    confidence : (H, W) float32 in [0, 1], how sure the depth is
    nowhere : (H, W) bool, where no shot is sharp by its defocus map
    doubt : (H, W) float32, by how much grey levels differ where the choice between two shots was close
    frame : what of the reference's frame is left
    alignments : of each shot; None of those left out
    """

    image: np.ndarray
    labels: np.ndarray
    alpha: np.ndarray | None
    depth: np.ndarray
    confidence: np.ndarray
    nowhere: np.ndarray
    doubt: np.ndarray
    frame: Frame
    alignments: tuple[Alignment | None, ...]


@dataclass(frozen=True)
class AlignedStack:
    """The alignment of every shot of a stack.

    Parameters
    ----------
    alignments : None of shots left out
    frame : what all the others share
    shape : height and width of the reference
    reference : index of the shot that the others are aligned to
    """

    alignments: tuple[Alignment | None, ...]
    frame: Frame
    shape: tuple[int, int]
    reference: int


def fuse(
    shots: Sequence[np.ndarray | str | Path | Page],
    *,
    model: Classifier | str | None = None,
    config: FusionConfig = FusionConfig(),
    register: bool = False,
    match_exposure: bool | None = None,
    strict: bool = False,
    reference: int = 0,
    crop: bool = False,
    alignments: Sequence[Alignment | None] | None = None,
    shape: tuple[int, int] | None = None,
    prefer: Preference | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> Fusion:
    """Fuse shots focused at different distances.

    Compare each shot with the choice so far (`decision_field`): the detail around a pixel votes, and so does a network
    that sees detail and the defocus maps. Where the choice is close, both are mixed, unless the config has a
    `seam_sigma`. Flat ground that shots of three or more have alike (`find_alike`) is their mean, unless seams are
    blended. No pixel comes from outside a shot's frame, or from where its alpha is 0. Each file is read once, the next
    one while a shot is decided; memory does not grow with their number.

    Parameters
    ----------
    shots : two or more arrays, (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1], all alike, or files
    model : as for `estimate`
    config : see `FusionConfig`
    register : align every shot to the reference first, by way of the shot beside it (`find_motion`); so give shots in
        the order of their focus
    match_exposure : match the exposure of every shot to the reference first; None does where it differs visibly
    strict : refuse a stack that has a bad shot; otherwise leave that shot out with a warning. A stack of two is
        always refused
    reference : index of the shot that the others are aligned to
    crop : crop to the frame that all shots share; shots of other sizes are then centred on the reference
    alignments : of each shot, found before; None of those to leave out, without a warning. Their gains, if any has,
        stay as they are unless `match_exposure` is True
    shape : height and width of the frame that `alignments` lead to; None is the reference's
    prefer : which shot wins where a blurred front veils a sharp background, `front` or `back`; give shots from front
        to back
    checkpoint : file that is written after every shot, and gone on from where it is of the same stack; removed at
        the end
    progress : called with the number of shots done and of all

    Raises
    ------
    ValueError
        If there are fewer than two shots, their shapes differ, or fewer than two are left: one that cannot be read,
        is of another depth or colour, far darker or brighter than the reference, or cannot be registered, is left
        out. If all are black.

    Warns
    -----
    UserWarning
        That names each shot left out. That all shots are alike. That shots which are not registered seem moved.

    References
    ----------
    Galetto & Deng, arXiv 2107.14443, choose the shot by the defocus map alone.

    Examples
    --------
    >>> from skimage import data
    >>> from defocus_core import fuse
    >>> from defocus_core.blur.kernels import gaussian_blur
    >>> from defocus_core.io.color import as_float
    >>> sharp = as_float(data.astronaut()[100:200, 150:250])
    >>> near, far = sharp.copy(), sharp.copy()
    >>> near[:, 50:] = gaussian_blur(sharp, 3)[:, 50:]
    >>> far[:, :50] = gaussian_blur(sharp, 3)[:, :50]
    >>> fused = fuse([near, far])
    >>> fused.image.shape, fused.labels[50, [10, 90]].tolist()
    ((100, 100, 3), [0, 1])
    """
    _check_count(shots, reference)
    if len(shots) > 2:
        config = replace(config, gather_sigma=2 * config.gather_sigma)
    options = AlignOptions(register, match_exposure, crop, strict, alignments, shape)
    network, saved = resolve_model(model), None
    if checkpoint:
        weights = tensor_digest(*network.state_dict().values())
        saved = Checkpoint(checkpoint, shots, (config, options, reference, prefer, weights))
    state = saved.load() if saved else FusionState([None] * len(shots))
    before = {index: state.alignments[index] for index in state.done}
    known = _left_out(alignments)
    for index, reason in state.left_out.items():
        if index not in known:
            warnings.warn(reason, stacklevel=2)
    for shot in _one_ahead(_measure(align_shots(shots, reference, options, before), network, config)):
        if shot.left_out and shot.index not in known:
            warnings.warn(shot.left_out, stacklevel=2)
        state.take(shot, config=config, prefer=prefer)
        return_freed_memory()
        if saved and state.composite:
            saved.save(state)
        if progress:
            progress(len(state.done), len(shots))
    _check_any_left(state.alignments, shots, reference)
    _warn_of_motion(state.moved, shots)
    fusion = _finish(state, shots, config, crop=crop)
    if saved:
        saved.remove()
    return fusion


def _measure(shots: Iterable[AlignedShot], model: Classifier, config: FusionConfig) -> Iterator[AlignedShot]:
    """Yield shots with their focus measures, and those left out as they are."""
    for shot in shots:
        if shot.left_out:
            yield shot
            continue
        seen, step = to_srgb(shot.pixels, shot.profile), decision_step(shot.shown.shape)
        yield replace(shot, measures=focus_measures(seen, model=model, config=config, step=step))


def _warn_of_motion(moved: Mapping[int, float], shots: Sequence[Shot]) -> None:
    """Warn of shots that seem to need registration, by the one that needs it most; `moved` is by their indices."""
    if not moved:
        return
    index = max(moved, key=lambda index: moved[index])
    name = f"shot {index + 1}{in_file(shots[index])}"
    if not np.isfinite(moved[index]):
        warnings.warn(f"{name} seems to show something else than its neighbour", stacklevel=3)
        return
    more = f", and {len(moved) - 1} more are moved" if len(moved) > 1 else ""
    said = f"{name} seems moved by {moved[index]:.0f} pixels beside its neighbour{more}"
    warnings.warn(f"{said}; registration (--register) aligns them", stacklevel=3)


def align_stack(
    shots: Sequence[Shot],
    *,
    register: bool = True,
    match_exposure: bool | None = None,
    strict: bool = False,
    reference: int = 0,
    crop: bool = True,
    alignments: Sequence[Alignment | None] | None = None,
    progress: Progress | None = None,
) -> AlignedStack:
    """Align the shots of a stack and fuse nothing; parameters, errors and warnings are those of `fuse`."""
    _check_count(shots, reference)
    options = AlignOptions(register, match_exposure, crop, strict, alignments)
    known = _left_out(alignments)
    found: list[Alignment | None] = [None] * len(shots)
    moved: dict[int, float] = {}
    shared: np.ndarray | None = None
    for done, shot in enumerate(_one_ahead(align_shots(shots, reference, options, {})), 1):
        if shot.left_out:
            if shot.index not in known:
                warnings.warn(shot.left_out, stacklevel=2)
        else:
            found[shot.index] = shot.alignment
            if shot.moved:
                moved[shot.index] = shot.moved
            shared = shot.shown if shared is None else shared & shot.shown
        if progress:
            progress(done, len(shots))
    _check_any_left(found, shots, reference)
    _warn_of_motion(moved, shots)
    assert shared is not None
    shape = (shared.shape[0], shared.shape[1])
    return AlignedStack(tuple(found), largest_frame(shared) if crop else whole_frame(shape), shape, reference)


def apply_labels(
    shots: Sequence[Shot],
    labels: np.ndarray,
    *,
    alignments: Sequence[Alignment | None] | None = None,
    reference: int = 0,
    seam: float = 0.0,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Take every pixel from the shot of its label, as of the same scene in another lighting or channel.

    Parameters
    ----------
    shots : arrays or files, in the order of the labels
    labels : (H, W) of integers, of the whole frame of the reference
    alignments : of each shot; None is none
    reference : index of the shot whose frame the labels have
    seam : sigma in pixels of the Gaussian that blends; 0 takes every pixel unchanged

    Returns
    -------
    The image, and where its shots show something, (H, W) bool; None if none has an alpha channel

    Raises
    ------
    ValueError
        If labels do not fit the shots.
    """
    first = load_photograph(shots[reference]).filled
    shape = (first.shape[0], first.shape[1])
    check_labels(labels, shape=shape, count=len(shots))
    given = alignments or [Alignment()] * len(shots)
    aligned = [(i, found, shot) for i, (found, shot) in enumerate(zip(given, shots, strict=True)) if found]
    missing = sorted(set(np.unique(labels).tolist()) - {index for index, *_ in aligned})
    if missing:
        raise ValueError(f"labels name shot {missing[0] + 1}, which the alignment leaves out")
    return blend_seams(aligned, labels, like=first, seam=seam)


def _left_out(alignments: Sequence[Alignment | None] | None) -> set[int]:
    return {index for index, found in enumerate(alignments or ()) if found is None}


def _check_count(shots: Sequence[Shot], reference: int) -> None:
    if isinstance(shots, str | Path) or not hasattr(shots, "__getitem__"):
        raise ValueError(f"fusion needs a list of shots, such as sorted(Path(folder).iterdir()), not {shots!r}")
    if not 2 <= len(shots) <= MAX_SHOTS:
        raise ValueError(f"fusion needs 2 to {MAX_SHOTS} shots, not {len(shots)}")
    if not 0 <= reference < len(shots):
        raise ValueError(f"the reference is one of shots 1 to {len(shots)}, not {reference + 1}")


def _check_any_left(alignments: Sequence[Alignment | None], shots: Sequence[Shot], reference: int) -> None:
    if len(shots) - alignments.count(None) < 2:
        raise ValueError(f"none of the other shots goes with shot {reference + 1}{in_file(shots[reference])}")


def _one_ahead(values: Iterable[Value]) -> Iterator[Value]:
    """Yield values, the next of which is made on another thread meanwhile."""
    values, end = iter(values), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, values, end)
        while (value := coming.result()) is not end:
            coming = pool.submit(next, values, end)
            yield value  # type: ignore[misc]


def _finish(state: FusionState, shots: Sequence[Shot], config: FusionConfig, *, crop: bool) -> Fusion:
    composite = state.composite
    assert composite is not None
    _check_content(composite, state.checksums)
    image, labels = composite.image, composite.labels
    shape = (labels.shape[0], labels.shape[1])
    if config.seam_sigma:
        aligned = [(index, alignment, shots[index]) for index, alignment in enumerate(state.alignments) if alignment]
        image, _ = blend_seams(aligned, labels, like=image, seam=config.seam_sigma)
    frame = largest_frame(composite.shared) if crop else whole_frame(shape)
    alpha = as_alpha(composite.shown, image.dtype) if state.has_alpha else None
    limit = MAX_SHARP_SIGMA * max(1.0, (shape[0] * shape[1] / SHARP_PIXELS) ** 0.5)

    def full(values: np.ndarray) -> np.ndarray:
        resized = values if composite.step == 1 else cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)
        return frame.crop(resized)

    noise = float(config.noise_factor * noise_level(composite.best[1]))
    return Fusion(
        frame.crop(image),
        frame.crop(labels),
        None if alpha is None else frame.crop(alpha),
        full(composite.peak.depth()),
        full(composite.peak.confidence(noise)),
        full(composite.least_sigma) > limit,
        full(composite.doubt),
        frame,
        tuple(state.alignments),
    )


def _check_content(composite: Composite, checksums: Sequence[int]) -> None:
    """Refuse a black stack, and warn of one whose shots are all alike."""
    if not composite.image.any():
        raise ValueError("every shot is black: there is nothing to fuse")
    if len(set(checksums)) == 1:
        warnings.warn(f"all {len(checksums)} shots are alike: nothing is gained by fusing them", stacklevel=3)
