import numpy as np
import pytest
from skimage import data

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.sequence import AlignOptions, DifferentShapeError, align_shots
from defocus_core.io.write import write

SHOT = data.astronaut()[:60, 100:180]


def test_shots_come_from_the_reference_to_the_end_and_then_to_the_start():
    shots = [SHOT + np.uint8(index) for index in range(5)]
    found = [(shot.index, shot.neighbour) for shot in align_shots(shots, 2, AlignOptions(), {})]
    assert found == [(2, 2), (3, 2), (4, 3), (1, 2), (0, 1)]
    rest = align_shots(shots, 2, AlignOptions(), {2: Alignment(), 3: Alignment(), 4: None})
    assert [shot.index for shot in rest] == [1, 0]


def test_what_cannot_be_used_is_left_out_and_the_rest_goes_on(tmp_path):
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    write(tmp_path / "grey.png", SHOT[..., 0])
    shots = [SHOT, tmp_path / "torn.png", SHOT.astype(np.uint16) * 257, tmp_path / "grey.png", SHOT]
    found = list(align_shots(shots, 0, AlignOptions(), {}))
    reasons = [shot.left_out for shot in found]
    assert [bool(reason) for reason in reasons] == [False, True, True, True, False]
    assert "torn.png" in reasons[1]
    assert "differs in depth: uint16" in reasons[2]
    assert "it is grey, unlike the reference" in reasons[3]
    assert found[-1].neighbour == 0
    with pytest.raises(ValueError, match=r"^shot 2: .*torn\.png"):
        list(align_shots(shots, 0, AlignOptions(strict=True), {}))


def test_shots_of_other_size_are_refused_or_centred_where_they_are_cropped():
    smaller = np.ascontiguousarray(SHOT[10:-10, 4:-4])
    with pytest.raises(DifferentShapeError, match="--crop"):
        list(align_shots([SHOT, smaller, SHOT], 0, AlignOptions(), {}))
    second = list(align_shots([SHOT, smaller], 0, AlignOptions(crop=True), {}))[1]
    inner = np.s_[12:-12, 6:-6]
    np.testing.assert_array_equal(second.pixels[inner], SHOT[inner])
    assert second.shown.sum() <= 42 * 74
    assert second.shown[12:-12, 6:-6].all()


def test_alignments_given_are_used_and_their_exposure_is_found_anew():
    matrix = np.array([[1, 0, 5], [0, 1, -3.0]])
    options = AlignOptions(match_exposure=True, given=[Alignment(), Alignment(matrix)])
    second = list(align_shots([SHOT, SHOT], 0, options, {}))[1]
    np.testing.assert_array_equal(second.alignment.matrix, matrix)
    assert second.alignment.gains.shape == (3,)


@pytest.mark.parametrize(("match_exposure", "expected"), [(None, 2.0), (False, 2.0), (True, 1.0)])
def test_gains_that_are_given_stay_unless_others_are_asked_for(match_exposure, expected):
    dark = SHOT // 3
    given = [Alignment(None, np.float32([2, 2, 2]))] * 2
    for shot in align_shots([dark, dark], 0, AlignOptions(match_exposure=match_exposure, given=given), {}):
        gains = shot.alignment.gains
        assert (1.0 if gains is None else gains[0]) == pytest.approx(expected, abs=1e-3)
