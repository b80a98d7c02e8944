"""Train the network that votes between two shots of a focus stack, on rendered stacks of known truth."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch.nn import functional

from defocus_core.applications.fusion.decide import FusionConfig, decision_field, focus_measures, pair_noise
from defocus_core.applications.fusion.vote_network import VoteNetwork, pair_features, swap_shots
from defocus_core.blur.focus_stacks import NEARLY_SHARPEST, Camera, RenderedStack, expose, layered_scenes, render_stack
from defocus_core.blur.rendering import Scene, random_blob
from defocus_core.io.color import as_float
from defocus_core.training.descent import descend

MAX_COST, WRONG_COST = 40.0, 4.0  # grey levels: of a pixel at most, and in addition of one from a blurred shot
MAX_VEIL_COST = 15.0  # grey levels: of a pixel in focus under a veil at most, which is better than a blurred one
GAIN_DRIFT, OFFSET_DRIFT = 0.03, 0.01  # standard deviations of exposure and stray light from shot to shot
MAX_GAIN = 15.0  # grey levels of difference from which a pixel weighs no more
CONFIDENCE_COST = 0.002  # of the squared logits
PHOTOGRAPH_SIDE, CROP_SIDE, BATCH, WARM_UP = 320, 192, 6, 50  # pixels, pixels, crops, steps


@dataclass(frozen=True)
class Pair:
    """Two shots of a stack, the second of which may be a composite of several.

    Parameters
    ----------
    features : (8, H, W) float16, see `pair_features`
    gain : (H, W) float16, by how many grey levels the first is nearer to the truth
    """

    features: np.ndarray
    gain: np.ndarray


def swapped(pair: Pair) -> Pair:
    """Return a pair in the other order."""
    return Pair(swap_shots(pair.features), -pair.gain)


def random_camera(rng: np.random.Generator) -> Camera:
    """Draw a camera of 2 to 9 shots, a blur of 4 to 20 pixels, noise up to 5 grey levels and JPEG or none."""
    return Camera(
        shots=int(rng.integers(2, 10)),
        sigma_per_disparity=float(np.exp(rng.uniform(np.log(4), np.log(20)))),
        noise=float(rng.choice([0, 0.4, 1, 1.5, 2.5, 4, 5])),
        jpeg=int(rng.choice([0, 0, 80, 88, 92, 95, 97])) or None,
    )


def random_scene(photographs: Sequence[np.ndarray], rng: np.random.Generator) -> Scene:
    """Draw a scene: one of `layered_scenes`, or photographs and plain or slanted surfaces at one to five depths."""
    if rng.random() < 0.5:
        scenes = [scene for _, scene in layered_scenes(photographs, rng)]
        return scenes[int(rng.integers(len(scenes)))]
    shape, far = photographs[0].shape[:2], float(rng.choice([0, 0, 0, -0.3, -0.6]))
    scene = Scene(_surface(photographs, rng), _slope(shape, rng, far, rng.choice([0, 0, 0.5])))
    for depth in np.sort(rng.uniform(0.1, 1.1, rng.integers(1, 5))):
        mask, near = _mask(shape, rng), _slope(shape, rng, depth, rng.choice([0, 0, 0.2]))
        scene = Scene(
            np.where(mask[:, :, None], _surface(photographs, rng), scene.image).astype(np.float32),
            np.where(mask, np.maximum(near, scene.disparity), scene.disparity),
        )
    return scene


def _surface(photographs: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Draw a photograph, a blurred or a faint one, or plain ground, (H, W, 3) float32."""
    photograph, level = photographs[int(rng.integers(len(photographs)))], np.float32(rng.uniform(0.05, 0.95))
    contrast = np.float32(rng.choice([1, 1, 0.4, 0]))
    if contrast == np.float32(0.4) and rng.random() < 0.5:
        photograph = cv2.GaussianBlur(photograph, (0, 0), 8)
    return contrast * photograph + (1 - contrast) * level


def _slope(shape: tuple[int, int], rng: np.random.Generator, start: float, height: float) -> np.ndarray:
    """Return disparities that rise by a height in a random direction, (H, W) float32."""
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    turn = rng.uniform(0, 2 * np.pi)
    return (start + height * (np.cos(turn) * (x - 0.5) + np.sin(turn) * (y - 0.5))).astype(np.float32)


def _mask(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw a blob, lines or ellipses, (H, W) bool."""
    kind, mask = rng.integers(3), np.zeros(shape, np.uint8)
    if kind == 0:
        return random_blob(shape, rng, share=rng.uniform(0.05, 0.4))
    for _ in range(rng.integers(1, 10)):
        (x, y), (x2, y2) = (rng.uniform(0, 1, (2, 2)) * shape[::-1]).astype(int).tolist()
        if kind == 1:
            cv2.line(mask, (x, y), (x2, y2), 1, int(rng.integers(1, 12)))
        else:
            cv2.ellipse(mask, (x, y), tuple(rng.integers(2, 40, 2).tolist()), rng.uniform(0, 180), 0, 360, 1, -1)
    return mask.astype(bool)


def stack_costs(stack: RenderedStack) -> np.ndarray:
    """Return how far every shot is from the truth, (shots, H, W) float32, in grey levels; more where it is blurred."""
    least = stack.sigmas.min(0)
    blurred, in_focus = stack.sigmas > least + NEARLY_SHARPEST, least < NEARLY_SHARPEST
    apart = np.stack([np.abs(as_float(shot) - stack.truth).max(2) * 255 for shot in stack.shots])
    costs = np.minimum(apart, MAX_COST) + WRONG_COST * np.clip((apart - 3) / 2, 0, 1) * blurred
    return np.where(in_focus & ~blurred, np.minimum(costs, MAX_VEIL_COST), costs).astype(np.float32)


def drift(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a picture with another exposure, white balance and stray light, as shots of a real stack have."""
    gain = np.exp(rng.normal(0, GAIN_DRIFT) + rng.normal(0, GAIN_DRIFT / 3, 3))
    return (picture * gain + rng.normal(0, OFFSET_DRIFT)).astype(np.float32)


def stack_pairs(scene: Scene, camera: Camera, rng: np.random.Generator) -> Iterator[Pair]:
    """Yield each shot of a rendered stack with the choice of those before it.

    The choice is that of the votes without the network, or a smoothed true one, so that it errs as fusion does.
    """
    clean = render_stack("", scene, replace(camera, noise=0.0, jpeg=None), rng)
    config = FusionConfig(network_weight=0)
    if camera.shots > 2:
        config = replace(config, gather_sigma=2 * config.gather_sigma)
    drifts = rng.random() < 0.5
    pictures = (drift(as_float(shot), rng) if drifts else as_float(shot) for shot in clean.shots)
    measures = [focus_measures(expose(picture, camera, rng), config=config) for picture in pictures]
    costs = [*stack_costs(clean)]
    if rng.random() < 0.5:
        measures, costs = measures[::-1], costs[::-1]
    best, best_cost = measures[0], costs[0]
    for shot, cost in zip(measures[1:], costs[1:], strict=True):
        features = pair_features(shot, best, pair_noise(shot, best, config))
        yield Pair(features.astype(np.float16), (best_cost - cost).astype(np.float16))
        if rng.random() < 0.5:
            better = decision_field(shot, best, config=config) > 0
        else:
            better = cv2.GaussianBlur(best_cost - cost, (0, 0), rng.uniform(0.5, 6)) > 0
        best, best_cost = np.where(better, shot, best), np.where(better, cost, best_cost)


def train_votes(
    photographs: Sequence[np.ndarray],
    *,
    stacks: int,
    steps: int,
    peak_rate: float = 3e-3,
    seed: int = 0,
    start: VoteNetwork | None = None,
) -> Iterator[tuple[VoteNetwork, float]]:
    """Train a network; yield it after every hundred steps, and the share of the cost that its votes left to gain.

    Parameters
    ----------
    photographs : (320, 320, 3) float32 RGB in [0, 1], sharp; two at least
    stacks : how many are rendered, each of another scene and camera; their pairs take 2 MB of memory each
    steps : of AdamW on six crops of 192 pixels, by a cosine schedule
    peak_rate : largest learning rate
    seed : of the scenes, the crops and the weights
    start : network to go on from
    """
    rng = np.random.default_rng(seed)
    pairs: list[list[Pair]] = []
    for _ in range(stacks):
        chosen = [photographs[i] for i in rng.choice(len(photographs), 2, replace=False)]
        pairs.append([*stack_pairs(random_scene(chosen, rng), random_camera(rng), rng)])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = (copy.deepcopy(start) or VoteNetwork()).to(memory_format=torch.channels_last)

    def take_batch() -> tuple[torch.Tensor, float]:
        features, gain = _draw_crops(pairs, rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = network(features)
        logits, weight = logits.float(), gain.abs().clamp(max=MAX_GAIN)
        wrong = functional.softplus(-logits * gain.sign())
        loss = (weight * wrong).mean() + CONFIDENCE_COST * logits.square().mean()
        return loss, float((weight * (logits * gain < 0)).sum() / weight.sum().clamp(min=1))

    for left in descend(
        *(network, take_batch), steps=steps, peak_rate=peak_rate, last_fraction=0.02, warm_up=WARM_UP, weight_decay=1e-4
    ):
        yield network, left


def _draw_crops(pairs: Sequence[Sequence[Pair]], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw crops, mirrored, turned and in either order: (N, 8, side, side) features and (N, side, side) gains."""
    crops = []
    for _ in range(BATCH):
        stack = pairs[int(rng.integers(len(pairs)))]
        pair = stack[int(rng.integers(len(stack)))]
        pair = swapped(pair) if rng.random() < 0.5 else pair
        both = np.concatenate([pair.features, pair.gain[None]])
        side = min(CROP_SIDE, *both.shape[1:])
        top, left = (int(rng.integers(0, length - side + 1)) for length in both.shape[1:])
        crop = np.rot90(both[:, top : top + side, left : left + side], int(rng.integers(4)), axes=(1, 2))
        crops.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
    batch = torch.from_numpy(np.stack(crops).astype(np.float32))
    return batch[:, :-1].contiguous(memory_format=torch.channels_last), batch[:, -1]
