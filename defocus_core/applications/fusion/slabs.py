"""Slabs: runs of neighbouring shots that are fused each by themselves."""

from __future__ import annotations


def split_slabs(count: int, *, size: int, overlap: int = 0) -> list[range]:
    """Split a stack into slabs.

    Parameters
    ----------
    count : number of shots
    size : shots of a slab, 2 at least; the last slab has as many, and overlaps the one before further
    overlap : shots that a slab shares with the next

    Raises
    ------
    ValueError
        If size is not 2 to count, or overlap not 0 to size - 1.

    Examples
    --------
    >>> split_slabs(7, size=3, overlap=1)
    [range(0, 3), range(2, 5), range(4, 7)]
    >>> split_slabs(5, size=3)
    [range(0, 3), range(2, 5)]
    """
    if not 2 <= size <= count:
        raise ValueError(f"a slab has 2 to {count} shots, as many as the stack, not {size}")
    if not 0 <= overlap < size:
        raise ValueError(f"slabs of {size} shots overlap by 0 to {size - 1}, not {overlap}")
    starts = [*range(0, count - size, size - overlap), count - size]
    return [range(start, start + size) for start in starts]
