from dataclasses import replace

import numpy as np
import pytest

from defocus_core.training.scene_photographs import SegmentedPhotograph, draw_crop, draw_person, draw_silhouette


@pytest.fixture
def photograph():
    """Two white people on dark ground, one of 60x100 pixels, and a speck that is too small for one."""
    people = np.zeros((160, 240), bool)
    people[20:80, 30:130] = people[90:150, 140:230] = True
    speck = np.zeros_like(people)
    speck[5:10, 200:210] = True
    return SegmentedPhotograph.of(people.astype(np.float32), sigma=0.5, people=people | speck)


def test_pieces_too_small_for_a_person_count_as_none(photograph):
    assert len(np.unique(photograph.people)) == 3
    np.testing.assert_array_equal(photograph.people > 0, photograph.grey > 0)
    specks = np.zeros((160, 240), bool)
    specks[::40, ::40] = True
    assert SegmentedPhotograph.of(photograph.grey, people=specks).people is None
    assert SegmentedPhotograph.of(photograph.grey).people is None


def test_a_person_is_cut_with_its_silhouette(photograph):
    scales = set()
    for seed in range(20):
        crop, silhouette = draw_person(photograph, 64, np.random.default_rng(seed))
        assert crop.grey.shape == silhouette.shape == (64, 64)
        assert silhouette.any()
        assert np.mean((crop.grey > 0.5) == silhouette) > 0.95
        scales.add(round(crop.sigma / photograph.sigma, 2))
    assert max(scales) <= 1  # never enlarged where the photograph is large enough
    assert len(scales) > 5


def test_crops_take_regions_people_and_blur_along(photograph):
    crop = draw_crop(replace(photograph, regions=photograph.people), 64, np.random.default_rng(3))
    assert 0.4 <= crop.sigma / photograph.sigma <= 1
    assert np.mean((crop.grey > 0.5) == (crop.people > 0)) > 0.95
    np.testing.assert_array_equal(crop.regions, crop.people)


def test_silhouettes_are_blobs_or_regions_that_blobs_hold():
    regions = np.zeros((96, 96), np.int32)
    regions[:, 48:] = 1
    masks = [draw_silhouette(regions, np.random.default_rng(seed)) for seed in range(40)]
    halves = [mask for mask in masks if mask[:, 48:].all() and not mask[:, :48].any()]
    assert 2 < len(halves) < 38
    assert all(0 < mask.mean() < 1 for mask in masks)


def test_a_silhouette_of_another_size_is_an_error(photograph):
    with pytest.raises(ValueError, match=r"a silhouette of \(4, 4\) for a photograph of \(160, 240\)"):
        SegmentedPhotograph.of(photograph.grey, people=np.ones((4, 4), bool))
