import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.checkpoint import Checkpoint, FusionState
from defocus_core.applications.fusion.composite import Composite


def test_a_state_comes_back_for_the_same_shots_and_settings_alone(tmp_path):
    shots = [np.full((8, 9), value, np.uint8) for value in range(3)]
    composite = Composite.of_first(0, shots[0], np.ones((3, 8, 9), np.float32), np.ones((8, 9), bool), count=3, step=1)
    composite.same_exposure = False
    found = [Alignment(), None, Alignment(np.eye(2, 3), np.float32([1.5]))]
    saved = Checkpoint(tmp_path / "state.npz", shots, "settings")
    nothing = FusionState([None] * 3)
    assert saved.load() == nothing
    saved.save(FusionState(found, composite, [0, 1], [7], True))
    state = saved.load()
    back, same = state.alignments, state.composite
    assert back[0].matrix is None
    assert back[1] is None
    np.testing.assert_array_equal(back[2].matrix, np.eye(2, 3))
    assert back[2].gains == 1.5
    np.testing.assert_array_equal(same.image, shots[0])
    np.testing.assert_array_equal(same.peak.at, composite.peak.at)
    assert (same.step, same.same_exposure) == (1, False)
    assert (state.done, state.checksums, state.has_alpha) == ([0, 1], [7], True)
    assert Checkpoint(tmp_path / "state.npz", shots, "others").load() == nothing
    assert Checkpoint(tmp_path / "state.npz", shots[::-1], "settings").load() == nothing
    (tmp_path / "state.npz").write_bytes(b"damaged")
    assert saved.load() == nothing
    saved.remove()
    assert not list(tmp_path.iterdir())
