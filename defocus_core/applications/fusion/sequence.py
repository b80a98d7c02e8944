"""Read and align the shots of a stack, one after the other."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.blend import Shot, find_shown, load_photograph
from defocus_core.applications.fusion.exposure import find_gains
from defocus_core.applications.fusion.registration import find_motion, seeming_motion
from defocus_core.applications.fusion.view import View, make_view
from defocus_core.io.photograph import Photograph

MAX_EXPOSURE_RATIO = 6.0  # of the light of two shots of one stack
MIN_LIGHT = 0.01  # mean, of 0..1: darker stacks are not judged


def _nothing() -> np.ndarray:
    return np.zeros((0, 0), np.uint8)


@dataclass(frozen=True)
class AlignOptions:
    """How shots are brought together, as of `fuse`; `given` are alignments found before, to a frame of a `shape`."""

    register: bool = False
    match_exposure: bool | None = None
    crop: bool = False
    strict: bool = False
    given: Sequence[Alignment | None] | None = None
    shape: tuple[int, int] | None = None


@dataclass(frozen=True)
class AlignedShot:
    """A shot that is read and aligned, or the reason why it is left out.

    Parameters
    ----------
    index, neighbour : of the shot, and of the one beside it that came before
    pixels : aligned
    shown : (H, W) bool, where it shows something
    alignment : of it
    checksum : of its pixels as they were read
    has_alpha : whether it has an alpha channel
    profile : ICC profile of its pixels
    measures : its `focus_measures`
    moved : see `seeming_motion`, against the one beside it; 0 where it is aligned
    left_out : why it is; empty where it is not
    """

    index: int
    neighbour: int
    pixels: np.ndarray = field(default_factory=_nothing)
    shown: np.ndarray = field(default_factory=_nothing)
    alignment: Alignment = Alignment()
    checksum: int = 0
    has_alpha: bool = False
    profile: bytes | None = None
    measures: np.ndarray | None = None
    moved: float = 0.0
    left_out: str = ""


class DifferentShapeError(ValueError):
    """Shots of different size, which may all be cropped."""


def align_shots(
    shots: Sequence[Shot], reference: int, options: AlignOptions, done: Mapping[int, Alignment | None]
) -> Iterator[AlignedShot]:
    """Yield the shots read and aligned, from the reference to the end and then to the start.

    Parameters
    ----------
    shots : arrays or files
    reference : index of the shot that the others are aligned to
    options : see `AlignOptions`
    done : shots to leave out, as they were seen before, and their alignments

    Raises
    ------
    ValueError
        If the reference cannot be read; if a shot is bad and the stack is of two, or all are asked for; if a shot is
        of another size and none is cropped.
    """
    sequence = _Sequence(shots, reference, options)
    if reference not in done:
        yield sequence.first()
    sequence.release()
    beside = {reference: reference}  # the last shot not left out, on the way to each
    for index, previous in _order(len(shots), reference):
        neighbour = beside[index] = beside[previous]
        if index in done:
            if done[index] is not None:
                beside[index] = index
            continue
        if neighbour != reference and neighbour in done:
            sequence.remember(neighbour, done[neighbour] or Alignment())
        shot = sequence.read(index, neighbour)
        if not shot.left_out:
            beside[index] = index
        yield shot


def _order(count: int, reference: int) -> Iterator[tuple[int, int]]:
    """Yield each shot and the one beside it that came before: from the reference to the end, then to the start."""
    yield from ((index, index - 1) for index in range(reference + 1, count))
    yield from ((index, index + 1) for index in range(reference - 1, -1, -1))


class _Sequence:
    """The shots of a stack, each aligned by way of the one beside it."""

    def __init__(self, shots: Sequence[Shot], reference: int, options: AlignOptions):
        self._shots, self._reference, self._options = shots, reference, options
        self._photograph: Photograph | None = load_photograph(shots[reference])
        pixels = self._photograph.filled
        self._shape = options.shape or (pixels.shape[0], pixels.shape[1])
        self._dtype, self._colours = pixels.dtype, pixels.shape[2:]
        view = _view(self._photograph)
        self._gain = view.gain
        self._view = view.brightened(self._gain)
        self._match_exposure = _exposure_wanted(options)
        self._last: tuple[int, View, Alignment] | None = None

    def first(self) -> AlignedShot:
        """Return the reference."""
        photograph, index, given = self._photograph, self._reference, self._options.given
        assert photograph is not None
        found = Alignment() if given is None else given[index]
        if found is None:
            raise ValueError(f"the alignment leaves out the reference, shot {index + 1}{in_file(self._shots[index])}")
        if self._match_exposure:
            found = replace(found, gains=None)
        pixels = photograph.filled
        return AlignedShot(
            *(index, index, found.apply(pixels, self._shape), find_shown(photograph, found, self._shape), found),
            checksum=_checksum(pixels),
            has_alpha=photograph.alpha is not None,
            profile=photograph.profile,
        )

    def release(self) -> None:
        """Forget the pixels of the reference."""
        self._photograph = None

    def remember(self, index: int, found: Alignment) -> None:
        """Let a shot seen before lead to the next."""
        self._last = index, self._look(load_photograph(self._shots[index])), found

    def read(self, index: int, neighbour: int) -> AlignedShot:
        """Return a shot, or why it is left out."""
        shot = self._shots[index]
        try:
            return self._read(index, neighbour)
        except DifferentShapeError:
            raise
        except (ValueError, OSError) as error:
            reason = str(error) if str(error).startswith(str(shot)) else f"{error}{in_file(shot)}"
            if self._options.strict or len(self._shots) == 2:
                raise ValueError(f"shot {index + 1}: {reason}") from error
            return AlignedShot(index, neighbour, left_out=f"shot {index + 1} is left out: {reason}")

    def _read(self, index: int, neighbour: int) -> AlignedShot:
        given = self._options.given
        if given is not None and given[index] is None:
            raise ValueError("the alignment leaves it out")
        photograph = load_photograph(self._shots[index])
        pixels = photograph.filled
        self._check(pixels, index)
        view = self._look(photograph)
        moved = self._seeming_motion(view, neighbour)
        found = self._align(view, neighbour) if given is None else given[index] or Alignment()
        if found.matrix is None and view.shape != self._shape:
            found = replace(found, matrix=_centred(view.shape, self._shape))
        if self._match_exposure is not False:
            found = replace(found, gains=find_gains(view, self._view, found.matrix, self._match_exposure))
        self._last = index, view, found
        return AlignedShot(
            *(index, neighbour, found.apply(pixels, self._shape), find_shown(photograph, found, self._shape), found),
            checksum=_checksum(pixels),
            has_alpha=photograph.alpha is not None,
            profile=photograph.profile,
            moved=moved,
        )

    def _look(self, photograph: Photograph) -> View:
        """Return the view of a shot, in the light of the reference's."""
        return _view(photograph).brightened(self._gain)

    def _seeming_motion(self, view: View, neighbour: int) -> float:
        """Return by how much a shot that nobody aligns seems moved; 0 where the one beside it is not at hand."""
        beside = self._view if neighbour == self._reference else None
        if self._last and self._last[0] == neighbour:
            beside = self._last[1]
        aligned = self._options.register or self._options.given is not None
        return 0.0 if aligned or beside is None or beside.shape != view.shape else seeming_motion(view, beside)

    def _align(self, view: View, neighbour: int) -> Alignment:
        _check_exposure(view, self._view)
        if not self._options.register:
            return Alignment()
        before = None
        if self._last and self._last[0] == neighbour and self._last[2].matrix is not None:
            before = self._last[1], self._last[2].matrix
        return Alignment(find_motion(view, self._view, before=before))

    def _check(self, pixels: np.ndarray, index: int) -> None:
        own = (pixels.shape[0], pixels.shape[1])
        given = self._options.given[index] if self._options.given else None
        laid = given is not None and given.matrix is not None
        if own != self._shape and not self._options.crop and not laid:
            raise DifferentShapeError(
                f"the shots differ in shape: {self._shape}, shot {index + 1} {own}{in_file(self._shots[index])}; "
                "--crop takes the frame that they share"
            )
        if pixels.shape[2:] != self._colours:
            raise ValueError(f"it is {'in colour' if pixels.ndim == 3 else 'grey'}, unlike the reference")
        if pixels.dtype != self._dtype:
            raise ValueError(f"it differs in depth: {pixels.dtype}, the reference {self._dtype}")


def _exposure_wanted(options: AlignOptions) -> bool | None:
    """Return `match_exposure`; gains that are given stay as they are unless others are asked for."""
    given = any(found is not None and found.gains is not None for found in options.given or ())
    return False if given and options.match_exposure is None else options.match_exposure


def in_file(shot: Shot) -> str:
    """Return the file of a shot in brackets, and nothing of an array."""
    return "" if isinstance(shot, np.ndarray) else f" ({shot})"


def _view(photograph: Photograph) -> View:
    return make_view(photograph.filled, None if photograph.empty is None else ~photograph.empty)


def _checksum(pixels: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(pixels).data)


def _centred(shape: tuple[int, int], reference: tuple[int, int]) -> np.ndarray:
    """Return the shift that lays a shot of another size on the middle of the reference."""
    down, right = ((own - other) // 2 for own, other in zip(shape, reference, strict=True))
    return np.array([[1, 0, right], [0, 1, down]], np.float64)


def _check_exposure(shot: View, reference: View) -> None:
    """Raise ValueError where a shot is far darker or brighter than the reference, as where a flash did not fire."""
    light, other = (float(view.grey.mean()) for view in (shot, reference))
    ratio = light / max(other, 1e-6)
    if not 1 / MAX_EXPOSURE_RATIO <= ratio <= MAX_EXPOSURE_RATIO and max(light, other) > MIN_LIGHT:
        raise ValueError(
            f"it has {ratio:.2g} times the light of the reference; shots of one stack differ by a factor of "
            f"{MAX_EXPOSURE_RATIO:g} at most"
        )
