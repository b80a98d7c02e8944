import cv2
import numpy as np
import pytest

from defocus_core import blur, images, patches, store


@pytest.fixture
def photograph():
    return np.random.default_rng(1).random((100, 140), dtype=np.float32)


def test_sharpness_is_the_variance_of_the_smoothed_laplacian(photograph):
    smooth = cv2.GaussianBlur(photograph * 255, (3, 3), 0.8)
    laplacian = cv2.Laplacian(smooth, cv2.CV_32F).astype(np.float64)
    phi = patches.sharpness(photograph, stride=16)
    assert phi.shape == (5, 7)
    assert phi[2, 3] == pytest.approx(laplacian[32:64, 48:80].var(), rel=1e-4)


def test_small_images_have_no_patches():
    assert patches.sharpness(np.zeros((31, 200), np.float32)).size == 0


def test_only_sharp_windows_are_taken_and_the_cap_holds(photograph):
    photograph[:, 64:] = 0.5
    corners = patches.positions(photograph, patches.Recipe(stride=16), np.random.default_rng(0))
    assert len(corners) == 20
    assert corners[:, 1].max() <= 48
    capped = patches.positions(photograph, patches.Recipe(stride=16, cap=4), np.random.default_rng(0))
    assert len(capped) == 4
    flat = patches.Recipe(stride=16, flat_share=0.2)
    assert len(patches.positions(photograph, flat, np.random.default_rng(0))) == 24


def test_patch_domain_sees_the_patchs_own_border_and_image_domain_its_surroundings(photograph):
    corners = np.array([[32, 32]], np.int32)
    alone = dict(patches.synthesize(photograph, corners, patches.Recipe()))
    true = dict(patches.synthesize(photograph, corners, patches.Recipe(domain="image", kernel="full")))
    assert np.array_equal(alone[0], true[0])
    isolated = cv2.GaussianBlur(photograph[32:64, 32:64], (11, 11), 5, borderType=cv2.BORDER_REFLECT_101)
    assert np.abs(alone[5][0] - np.rint(isolated * 255)).max() <= 1
    whole = blur.blur(photograph, 5)[32:64, 32:64]
    assert np.abs(true[5][0] - np.rint(whole * 255)).max() <= 1


def test_the_same_seed_gives_the_same_bytes(tmp_path, photograph):
    images.write(tmp_path / "a.png", photograph)
    members = [("0123456789abcdef", tmp_path / "a.png")]
    recipe = patches.Recipe(stride=16, cap=3)
    for name in ("one.h5", "two.h5"):
        count = patches.write_split(members, tmp_path / name, recipe=recipe, seed=5, parameters={})
        assert count == 60
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    columns = store.read(tmp_path / "one.h5")
    assert np.bincount(columns["level"]).tolist() == [3] * 20
    assert columns["sigmas"][1] == pytest.approx(blur.true_sigma(1, "paper"))


def test_no_sharp_patch_at_all_is_an_error_that_leaves_no_file(tmp_path):
    images.write(tmp_path / "flat.png", np.full((64, 64), 99, np.uint8))
    with pytest.raises(ValueError, match=r"lower patches\.sharpness"):
        patches.write_split(
            [("00", tmp_path / "flat.png")], tmp_path / "x.h5", recipe=patches.Recipe(), seed=0, parameters={}
        )
    assert not list(tmp_path.glob("x.h5*"))
