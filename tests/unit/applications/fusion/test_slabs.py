import itertools

import pytest

from defocus_core.applications.fusion.slabs import split_slabs


def test_slabs_cover_the_stack_and_overlap():
    slabs = split_slabs(11, size=4, overlap=1)
    assert {index for slab in slabs for index in slab} == set(range(11))
    assert all(len(slab) == 4 for slab in slabs)
    assert all(len(set(one) & set(next_one)) >= 1 for one, next_one in itertools.pairwise(slabs))
    assert split_slabs(4, size=4) == [range(4)]


@pytest.mark.parametrize(("size", "overlap", "message"), [(1, 0, "not 1"), (5, 0, "2 to 4 shots"), (3, 3, "0 to 2")])
def test_slabs_that_cannot_be_are_refused(size, overlap, message):
    with pytest.raises(ValueError, match=message):
        split_slabs(4, size=size, overlap=overlap)
