import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from skimage import data

from defocus_core.applications.fusion import decide
from defocus_core.applications.fusion.decide import FusionConfig
from defocus_core.applications.fusion.homography import as_homography, corner_distance
from defocus_core.applications.fusion.stack import align_stack, apply_labels, fuse
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation import metrics
from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.write import write
from defocus_core.networks.classifier import build_classifier

WHITE, PRIMARIES = (0.3127, 0.329, 1), (0.64, 0.33, 1, 0.3, 0.6, 1, 0.15, 0.06, 1)  # of sRGB, as xyY


def test_fusion_takes_each_half_from_its_sharp_shot(image):
    left, right = image.copy(), image.copy()
    soft = gaussian_blur(image, 4)
    left[:, 75:], right[:, :75] = soft[:, 75:], soft[:, :75]
    fusion = fuse([left, right])
    shots = max(metrics.psnr(left, image), metrics.psnr(right, image))
    assert metrics.psnr(fusion.image, image) > shots + 4
    assert (fusion.labels[:, :55] == 0).mean() > 0.8
    assert (fusion.labels[:, 95:] == 1).mean() > 0.8


def test_three_shots_fuse_with_the_same_code(image):
    soft = gaussian_blur(image, 4)
    shots = []
    for part in range(3):
        shot = soft.copy()
        columns = slice(part * 50, part * 50 + 50)
        shot[:, columns] = image[:, columns]
        shots.append(shot)
    fusion = fuse(shots)
    assert metrics.psnr(fusion.image, image) > max(metrics.psnr(s, image) for s in shots) + 2
    assert set(np.unique(fusion.labels)) == {0, 1, 2}


def test_noise_decides_nothing_in_a_deep_stack(image):
    """What no shot has in focus is not cut to pieces by the shots' noise."""
    rng = np.random.default_rng(0)
    image = image.copy()
    image[:, 100:] = gaussian_blur(image, 12)[:, 100:]
    shots = []
    for focus in range(8):
        distance = np.abs(np.arange(150) // 15 - focus)
        softs = [image, *(gaussian_blur(image, 1.5 * step) for step in range(1, 10))]
        shot = np.stack([softs[step][:, column] for column, step in enumerate(distance)], 1)
        shots.append(np.clip(shot + rng.normal(0, 0.01, shot.shape), 0, 1).astype(np.float32))
    labels = fuse(shots).labels
    assert (labels[:, :100] == np.arange(100) // 15).mean() > 0.85
    regions = sum(cv2.connectedComponents((labels == label).astype(np.uint8))[0] - 1 for label in range(8))
    assert regions < 20


def test_files_fuse_as_their_pixels(image, tmp_path):
    shots = [to_dtype(shot, np.uint8) for shot in (image, gaussian_blur(image, 3))]
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, shot in zip(paths, shots, strict=True):
        write(path, shot)
    assert np.array_equal(fuse(paths).image, fuse(shots).image)


def test_shots_are_compared_in_srgb_whatever_their_profile(image, tmp_path):
    left, right = image.copy(), image.copy()
    soft = gaussian_blur(image, 4)
    left[:, 75:], right[:, :75] = soft[:, 75:], soft[:, :75]
    srgb = imagecodecs.cms_profile("srgb")
    linear = imagecodecs.cms_profile("rgb", whitepoint=WHITE, primaries=PRIMARIES, gamma=1.0)
    shots = {"srgb": [], "linear": []}
    for name, shot in (("left", left), ("right", right)):
        plain = to_dtype(np.dstack([shot] * 3) if shot.ndim == 2 else shot, np.uint16)
        other = imagecodecs.cms_transform(plain, srgb, linear, colorspace="rgb", outcolorspace="rgb")
        for kind, array, profile in (("srgb", plain, srgb), ("linear", other, linear)):
            shots[kind].append(tmp_path / f"{name}_{kind}.tif")
            tifffile.imwrite(shots[kind][-1], array, photometric="rgb", iccprofile=profile)
    srgb_fused, linear_fused = fuse(shots["srgb"]), fuse(shots["linear"])
    assert (srgb_fused.labels == linear_fused.labels).mean() > 0.999
    taken = [tifffile.imread(shot) for shot in shots["linear"]]
    assert np.array_equal(linear_fused.image[:, :20], taken[0][:, :20])


def test_shots_that_cannot_be_fused_are_refused(image):
    with pytest.raises(ValueError, match="2 to 65535 shots, not 1"):
        fuse([image])
    with pytest.raises(ValueError, match="differ in shape"):
        fuse([image, image[:50]])
    with pytest.raises(ValueError, match="shot 2: it differs in depth: uint8, the reference float32"):
        fuse([image, to_dtype(image, np.uint8)])


@pytest.fixture(scope="module")
def focused():
    """Three shots of one photograph, focused left, in the middle and right."""
    image = as_float(data.astronaut()[:192, 100:340])
    soft = gaussian_blur(image, 4)
    shots = []
    for third in range(3):
        shot = soft.copy()
        shot[:, third * 80 : (third + 1) * 80] = image[:, third * 80 : (third + 1) * 80]
        shots.append(to_dtype(shot, np.uint8))
    return shots


def test_a_flash_that_did_not_fire_is_left_out_by_name(focused, tmp_path):
    files = [tmp_path / f"shot_{index}.png" for index in range(4)]
    for file, shot in zip(files, [focused[0], focused[0] // 8, focused[1], focused[2]], strict=True):
        write(file, shot)
    with pytest.warns(
        UserWarning, match=r"^shot 2 is left out: it has 0\.\d+ times the light of the reference.*shot_1\.png\)$"
    ):
        labels = fuse(files).labels
    assert set(np.unique(labels)) == {0, 2, 3}
    with pytest.raises(ValueError, match=r"^shot 2: it has 0\.\d+ times the light of the reference.*shot_1\.png\)$"):
        fuse(files, strict=True)


def test_a_shot_of_something_else_is_left_out_of_a_registered_stack(focused):
    other = np.ascontiguousarray(data.coffee()[:192, :240])
    with pytest.warns(UserWarning, match=r"^shot 2 is left out: (its registration cannot|the shots could not)"):
        labels = fuse([focused[0], other, focused[1], focused[2]], register=True).labels
    assert 1 not in labels


def test_a_pair_of_which_one_is_bad_is_refused(focused):
    with pytest.raises(ValueError, match=r"^shot 2: it has"):
        fuse([focused[0], focused[1] // 8])


def test_a_killed_run_goes_on_from_the_shot_where_it_was(focused, tmp_path):
    files = [tmp_path / f"{index}.png" for index in range(3)]
    for file, shot in zip(files, focused, strict=True):
        write(file, shot)
    whole, state = fuse(files), tmp_path / "state.npz"

    def killed(done, _):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuse(files, checkpoint=state, progress=killed)
    seen = []
    resumed = fuse(files, checkpoint=state, progress=lambda done, count: seen.append((done, count)))
    assert seen == [(3, 3)]
    assert not state.exists()
    for name in ("image", "labels", "depth", "confidence", "doubt"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(whole, name))
    with pytest.raises(KeyboardInterrupt):
        fuse(files, checkpoint=state, progress=killed)
    seen.clear()
    other = build_classifier("blurnet", [0.5, 2.0, 4.0]).eval()
    fuse(files, checkpoint=state, model=other, progress=lambda done, count: seen.append((done, count)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_any_shot_can_be_the_reference(focused):
    labels = fuse(focused, reference=1).labels
    for third in range(3):
        assert (labels[:, third * 80 + 10 : third * 80 + 70] == third).mean() > 0.9
    with pytest.raises(ValueError, match="one of shots 1 to 3, not 4"):
        fuse(focused, reference=3)


def test_labels_and_an_alignment_serve_another_lighting(focused):
    moved = [np.roll(shot, (2 * index, 3 * index), (0, 1)) for index, shot in enumerate(focused)]
    aligned = align_stack(moved)
    fusion = fuse(moved, alignments=aligned.alignments)
    darker = [shot // 2 for shot in moved]
    other, shown = apply_labels(darker, fusion.labels, alignments=aligned.alignments)
    inside = aligned.frame.crop
    assert shown is None
    assert metrics.psnr(as_float(inside(other)), as_float(inside(fusion.image // 2))) > 40
    with pytest.raises(ValueError, match="labels name shot 3 of a stack of 2"):
        apply_labels(darker[:2], fusion.labels)


def test_a_cropped_result_has_the_frame_that_all_shots_share(focused):
    moved = [np.roll(shot, 5 * index, 1) for index, shot in enumerate(focused)]
    fusion = fuse(moved, register=True, crop=True)
    height, width = focused[0].shape[:2]
    assert fusion.frame.bottom - fusion.frame.top >= height - 2
    assert width - 12 <= fusion.frame.right - fusion.frame.left <= width - 8
    assert fusion.image.shape[:2] == fusion.labels.shape == fusion.depth.shape == fusion.nowhere.shape
    assert fusion.image.shape[1] == fusion.frame.right - fusion.frame.left


def test_the_depth_and_what_no_shot_has_in_focus_are_told():
    image = as_float(data.brick()[:192, :240])
    image = np.dstack([image] * 3)
    softs = [gaussian_blur(image, 1.5 * step) for step in range(6)]
    shots = []
    for focus in range(3):
        shot = softs[5].copy()
        for part in range(3):
            shot[:, part * 60 : part * 60 + 60] = softs[abs(focus - part)][:, part * 60 : part * 60 + 60]
        shots.append(shot)
    fusion = fuse(shots)
    for part in range(3):
        inner = np.s_[20:-20, part * 60 + 15 : part * 60 + 45]
        assert np.abs(np.median(fusion.depth[inner]) - part) < 0.5
        assert fusion.nowhere[inner].mean() < 0.2
    assert fusion.nowhere[:, 205:].mean() > 0.8


def test_a_stack_of_more_than_255_shots_has_labels_of_16_bit(monkeypatch):
    monkeypatch.setattr(decide, "estimate", lambda image, **_: np.ones(image.shape[:2], np.float32))
    texture = gaussian_blur(np.random.default_rng(0).uniform(0, 1, (32, 32)).astype(np.float32), 0.7)
    shots = [to_dtype(gaussian_blur(texture, 4), np.uint8)] * 299 + [to_dtype(texture, np.uint8)]
    labels = fuse(shots).labels
    assert labels.dtype == np.uint16
    assert (labels == 299).mean() > 0.9


def test_a_black_stack_is_refused_and_equal_shots_are_told(focused):
    with pytest.raises(ValueError, match="every shot is black"):
        fuse([np.zeros((40, 40), np.uint8)] * 2)
    with pytest.warns(UserWarning, match="all 3 shots are alike"):
        fuse([focused[0]] * 3)


@pytest.mark.parametrize("match_exposure", [None, False])
def test_flat_ground_of_unevenly_exposed_shots_has_no_patches(match_exposure):
    """A shelf whose edges two shots have sharp; the first is darker, of another tone curve, noisier and blurred."""
    rng = np.random.default_rng(0)
    board = np.tile(np.linspace(0.3, 0.65, 300, dtype=np.float32), (200, 1))
    board[90:102] = board[:, 140:150] = 0.1
    soft = gaussian_blur(board, 6)
    first = np.clip(soft**2 + rng.normal(0, 0.008, board.shape), 0, 1)
    others = [np.clip(image + rng.normal(0, 0.006, board.shape), 0, 1) for image in (gaussian_blur(board, 3), board)]
    shots = [to_dtype(np.repeat(shot[..., None], 3, 2).astype(np.float32), np.uint8) for shot in (first, *others)]
    labels = fuse(shots, match_exposure=match_exposure).labels
    assert (labels == 0).mean() < 0.02  # half to three quarters, where all that is flat votes


@pytest.mark.parametrize("done", [fuse, lambda shots: align_stack(shots, register=False)])
def test_a_moved_shot_that_is_not_registered_is_told(focused, recwarn, done):
    done(focused)
    assert not [warning for warning in recwarn if "seem" in str(warning.message)]
    shifted = [focused[0], np.roll(focused[1], 9, 1), np.roll(focused[2], 18, 1)]
    with pytest.warns(UserWarning, match=r"^shot [23] seems moved by \d+ pixels beside its neighbour, and 1 more"):
        done(shifted)


def test_a_shot_of_something_else_is_told(focused):
    other = cv2.resize(data.coffee(), (240, 192))
    with pytest.warns(UserWarning, match="^shot 2 seems to show something else than its neighbour$"):
        fuse([focused[0], other])


@pytest.mark.parametrize("seam", [None, 0, 1])
def test_nan_pixels_stay_out_of_the_result(focused, seam):
    shots = [as_float(shot) for shot in focused]
    shots[0][10:20, 100:110] = np.nan
    fusion = fuse(shots, config=FusionConfig(seam_sigma=seam))
    assert np.isfinite(fusion.image).all()
    assert np.isfinite(apply_labels(shots, fusion.labels)[0]).all()


def test_shots_of_one_bit_fuse_as_black_and_white(focused):
    bits = [shot[..., 0] > 128 for shot in focused]
    fusion, other = fuse(bits), fuse([shot.astype(np.uint8) * np.uint8(255) for shot in bits])
    np.testing.assert_array_equal(fusion.image, other.image)


def test_a_killed_fusion_goes_on_as_it_would_have_and_tells_again_what_was_left_out(focused, tmp_path):
    moved = [np.roll(shot, (index, 2 * index), (0, 1)) for index, shot in enumerate([*focused, focused[-1]])]
    moved[2] //= 9

    def kill(done, _):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="shot 3 is left out"):
        whole = fuse(moved, register=True)
    with pytest.warns(UserWarning, match="shot 3 is left out"), pytest.raises(KeyboardInterrupt):
        fuse(moved, register=True, checkpoint=tmp_path / "state.npz", progress=kill)
    with pytest.warns(UserWarning, match="shot 3 is left out"):
        resumed = fuse(moved, register=True, checkpoint=tmp_path / "state.npz")
    np.testing.assert_array_equal(resumed.alignments[3].matrix, whole.alignments[3].matrix)
    np.testing.assert_array_equal(resumed.image, whole.image)


@pytest.mark.parametrize("levels", [16, 4])
def test_a_dark_file_is_registered_and_exposed_as_a_full_one(focused, levels):
    """12 or 10 bit in a 16-bit file."""
    moved = [np.roll(shot, (2 * index, 3 * index), (0, 1)).astype(np.uint16) for index, shot in enumerate(focused)]
    moved[1] = np.rint(0.8 * moved[1]).astype(np.uint16)
    full, dark = (align_stack([shot * np.uint16(factor) for shot in moved]) for factor in (257, levels))
    for one, other in zip(full.alignments[1:], dark.alignments[1:], strict=True):
        assert corner_distance(as_homography(one.matrix), as_homography(other.matrix), full.shape) < 1
    assert full.alignments[1].gains is not None
    assert dark.alignments[1].gains is not None
    assert full.alignments[2].gains is dark.alignments[2].gains is None


def test_a_misfire_in_a_dark_file_is_left_out(focused):
    dark = [shot.astype(np.uint16) * np.uint16(16) for shot in focused]
    dark[1] //= 20
    with pytest.warns(UserWarning, match="shot 2 is left out: it has .* times the light"):
        fuse(dark)


@pytest.mark.parametrize("shots", ["folder", (shot for shot in ())])
def test_what_is_no_list_of_shots_is_said(shots):
    with pytest.raises(ValueError, match="fusion needs a list of shots"):
        fuse(shots)


def test_shots_may_lie_in_one_array():
    sharp = data.camera()[100:164, 200:264]
    halves = np.arange(64) < 32
    soft = to_dtype(gaussian_blur(as_float(sharp), 3), np.uint8)
    shots = np.stack([np.where(halves, sharp, soft), np.where(halves, soft, sharp)])
    np.testing.assert_array_equal(fuse(shots).image, fuse(list(shots)).image)
