import cv2
import numpy as np
import pytest

from defocus_core.blur.kernels import effective_sigma, gaussian_blur
from defocus_core.blur.levels import Levels
from defocus_core.io.write import write
from defocus_core.training.patch_store import COLUMNS, join_shards, read_patches
from defocus_core.training.patches import (
    PatchConfig,
    blur_patches,
    patch_sharpness,
    select_corners,
    write_patches,
)


def test_sharpness_is_the_variance_of_the_smoothed_laplacian(photograph):
    smooth = cv2.GaussianBlur(photograph * 255, (3, 3), 0.8)
    laplacian = cv2.Laplacian(smooth, cv2.CV_32F).astype(np.float64)
    phi = patch_sharpness(photograph, stride=16)
    assert phi.shape == (5, 7)
    assert phi[2, 3] == pytest.approx(laplacian[32:64, 48:80].var(), rel=1e-4)


def test_small_images_have_no_patches():
    assert patch_sharpness(np.zeros((31, 200), np.float32)).size == 0


def test_only_sharp_windows_are_taken_and_the_cap_holds(photograph):
    photograph[:, 64:] = 0.5
    corners = select_corners(photograph, PatchConfig(stride=16), np.random.default_rng(0))
    assert len(corners) == 20
    assert corners[:, 1].max() <= 48
    capped = select_corners(photograph, PatchConfig(stride=16, max_per_image=4), np.random.default_rng(0))
    assert len(capped) == 4
    flat = PatchConfig(stride=16, flat_fraction=0.2)
    assert len(select_corners(photograph, flat, np.random.default_rng(0))) == 24


def test_patch_domain_sees_the_patchs_own_border_and_image_domain_its_surroundings(photograph):
    corners = np.array([[32, 32]], np.int32)
    alone = dict(blur_patches(photograph, corners, PatchConfig()))
    true = dict(blur_patches(photograph, corners, PatchConfig(domain="image", kernel="full")))
    assert np.array_equal(alone[0], true[0])
    isolated = cv2.GaussianBlur(photograph[32:64, 32:64], (11, 11), 5, borderType=cv2.BORDER_REFLECT_101)
    assert np.abs(alone[5][0] - np.rint(isolated * 255)).max() <= 1
    whole = gaussian_blur(photograph, 5)[32:64, 32:64]
    assert np.abs(true[5][0] - np.rint(whole * 255)).max() <= 1


def test_some_photographs_are_blurred_by_a_disk(tmp_path, photograph):
    write(tmp_path / "a.png", photograph)
    levels = Levels(spacing="geometric", count=3, min_sigma=0.5, max_sigma=6)
    made = {}
    for disk in (0.0, 1.0):
        config = PatchConfig(
            levels=levels, domain="image", kernel="full", min_sharpness=50, max_per_image=4, disk_fraction=disk
        )
        file = tmp_path / f"{disk}.h5"
        write_patches([("ab" * 32, tmp_path / "a.png")], file, config=config, seed=0, parameters={})
        made[disk] = read_patches(file)
    last = made[0.0]["level"] == 2
    assert np.abs(made[1.0]["patches"][last].astype(int) - made[0.0]["patches"][last]).mean() > 0.2
    np.testing.assert_array_equal(made[1.0]["position"], made[0.0]["position"])


def test_disk_and_patch_domain_do_not_go_together():
    with pytest.raises(ValueError, match="asks for the image domain"):
        PatchConfig(disk_fraction=0.5)


def test_the_same_seed_gives_the_same_bytes(tmp_path, photograph):
    write(tmp_path / "a.png", photograph)
    members = [("0123456789abcdef", tmp_path / "a.png")]
    config = PatchConfig(stride=16, max_per_image=3)
    for name in ("one.h5", "two.h5"):
        count = write_patches(members, tmp_path / name, config=config, seed=5, parameters={})
        assert count == 60
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    columns = read_patches(tmp_path / "one.h5")
    assert np.bincount(columns["level"]).tolist() == [3] * 20
    assert columns["sigmas"][1] == pytest.approx(effective_sigma(1, "paper"))


def test_shards_joined_are_the_whole(tmp_path, photograph):
    members = []
    for index in range(3):
        write(tmp_path / f"{index}.png", np.roll(photograph, 7 * index, 1))
        members.append((f"{index}123456789abcdef", tmp_path / f"{index}.png"))
    options = {"config": PatchConfig(stride=16, max_per_image=3), "seed": 5, "parameters": {"k": 1}}
    write_patches(members, tmp_path / "whole.h5", **options)
    parts = [tmp_path / "shards" / f"{k}.h5" for k in range(2)]
    for k, part in enumerate(parts):
        write_patches(members, part, **options, shard=(k, 2))
    assert join_shards(parts, tmp_path / "joined.h5") == 180
    whole, joined = (read_patches(tmp_path / name) for name in ("whole.h5", "joined.h5"))
    order = [np.lexsort((c["position"][:, 1], c["position"][:, 0], c["level"], c["image"])) for c in (whole, joined)]
    for name in COLUMNS:
        assert np.array_equal(whole[name][order[0]], joined[name][order[1]])
    parts[1].unlink()
    with pytest.raises(FileNotFoundError, match=r"1\.h5"):
        read_patches(tmp_path / "joined.h5")
