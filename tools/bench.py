"""make bench: what is fast, as ratios to the plain way measured in the same run.

Every line names both times; machines are noisy, so only the ratios mean something.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import h5py
import numpy as np
import onnxruntime
import torch

from defocus_core.applications.depth import Lens
from defocus_core.applications.enhance import enhance, unsharp_mask
from defocus_core.applications.fusion.stack import fuse
from defocus_core.applications.magnify import magnify, magnify_published
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.blur.rendering import render_focus_stack
from defocus_core.blur.sigma_scale import MIN_SIGMA
from defocus_core.cli import parallel
from defocus_core.cli.parser import main
from defocus_core.evaluation import fusion_baselines
from defocus_core.evaluation.baselines.registry import METHODS
from defocus_core.evaluation.known_scenes import load_motorcycle
from defocus_core.io.color import to_grey
from defocus_core.io.read import read
from defocus_core.io.write import write
from defocus_core.maps.pipeline import estimate
from defocus_core.maps.refine.guided import PAPER_GUIDED
from defocus_core.maps.refine.refinement import refine_map
from defocus_core.maps.tiles import predict_tiled
from defocus_core.maps.windows import predict_windows
from defocus_core.memory import keep_freed_memory
from defocus_core.networks.classifier import build_classifier, fold_batch_norms
from defocus_core.networks.export import export_onnx
from defocus_core.networks.small_grids import fast_small_grids
from defocus_core.networks.storage import load_model, shipped_models
from defocus_core.training.patches import PatchConfig, select_corners, write_patches

REPEATS = 3


def timed(function):
    """Return the least of a few times in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(what, plain, ours):
    slow, fast = timed(plain), timed(ours)
    print(f"{what}: {fast:.3f} s, plain {slow:.3f} s, {slow / fast:.1f} times faster", flush=True)


def photograph(width, height):
    return cv2.resize(load_motorcycle().image, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)


def plain_patches(grey, corners, recipe, path):
    """A Python loop of cv2.GaussianBlur a patch, gzip HDF5 row by row."""
    with h5py.File(path, "w") as file:
        rows = file.create_dataset("patches", (0, 32, 32), np.uint8, maxshape=(None, 32, 32), compression="gzip")
        for sigma in recipe.levels.nominal():
            size = int(2 * sigma + 1)
            whole = gaussian_blur(grey, sigma) if recipe.domain == "image" else None
            for row, column in corners:
                window = (slice(row, row + 32), slice(column, column + 32))
                if recipe.domain == "image":
                    patch = whole[window]
                else:
                    patch = cv2.GaussianBlur(grey[window], (size, size), sigma) if sigma else grey[window]
                rows.resize(len(rows) + 1, axis=0)
                rows[-1] = np.rint(patch * 255)


def bench_patches(folder):
    write(folder / "p.png", photograph(741, 500))
    grey = to_grey(read(folder / "p.png"))
    for domain, kernel in (("patch", "paper"), ("image", "full")):
        recipe = PatchConfig(domain=domain, kernel=kernel, stride=16, min_sharpness=300, max_per_image=200)
        corners = select_corners(grey, recipe, np.random.default_rng(0))
        compare(
            f"{len(corners) * 20} patches to HDF5, {domain} domain",
            lambda r=recipe, c=corners: plain_patches(grey, c, r, folder / "plain.h5"),
            lambda r=recipe: write_patches(
                [("00", folder / "p.png")], folder / "ours.h5", config=r, seed=0, parameters={}
            ),
        )


def patch_loop(grey, model, step):
    views = torch.from_numpy(grey).unfold(0, 32, step).unfold(1, 32, step).reshape(-1, 1, 32, 32)
    with torch.inference_mode():
        for batch in views.split(128):
            model(batch)


def bench_maps():
    image = photograph(1000, 700)
    grey = to_grey(image)
    mobile = build_classifier("mobilenet_v2", np.arange(20)).eval()
    for name in shipped_models():
        model = load_model(name)
        for step in (16, 4) if model.stride else (4,):
            seconds = timed(lambda m=model, s=step: estimate(image, model=m, step=s))
            print(f"map of 1000x700, {name}, step {step}, refined: {seconds:.3f} s", flush=True)
        if model.stride:
            compare(
                f"windows of 1000x700 at step 16, {name} shared, MobileNetV2 in a loop of batches",
                lambda: patch_loop(grey, mobile, 16),
                lambda m=model: predict_windows(grey, m, step=16),
            )
    sigma = estimate(image, refine=False)
    seconds = timed(lambda: refine_map(sigma, image))
    print(f"refinement of 1000x700: {seconds:.3f} s", flush=True)
    published = timed(lambda: refine_map(sigma, image, PAPER_GUIDED))
    print(f"refinement of 1000x700, published setting: {published:.3f} s", flush=True)


def bench_onnx(folder):
    model = load_model()
    export_onnx(model, folder / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, ["CPUExecutionProvider"])
    grey = to_grey(photograph(1000, 704))

    def with_torch():
        return np.exp(predict_tiled(grey, model)[0]) - MIN_SIGMA

    def with_onnxruntime():
        return session.run(None, {"image": grey[None, None]})[0][0]

    apart = np.abs(with_onnxruntime() - with_torch()).max()
    compare(f"cells of 1000x704, onnxruntime ({apart:.1e} pixels apart), torch", with_torch, with_onnxruntime)


def bench_baselines():
    grey = to_grey(photograph(1000, 700))
    for name, method in METHODS.items():
        print(f"baseline {name} of 1000x700: {timed(lambda m=method: m(grey)):.3f} s", flush=True)


def bench_folder(folder):
    """`defocus map FOLDER` as it is, beside one core: one thread, one image at a time."""
    for index in range(8):
        write(folder / f"in/{index}.jpg", np.roll(photograph(1000, 700), 40 * index, 1))
    arguments = ["map", str(folder / "in"), "--out", str(folder / "out")]
    threads = torch.get_num_threads(), cv2.getNumThreads()

    def one_core():
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        main([*arguments, "--jobs", "1"])
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])

    what = f"folder of 8 photographs of 1000x700, {parallel.usable_cores()} cores, one core"
    compare(what, one_core, lambda: main(arguments))


LARGE = """
import re, sys, time
from pathlib import Path
from defocus_core.cli.parser import main
from defocus_core.maps import pipeline
start = time.perf_counter()
main(["map", sys.argv[1], "--out", sys.argv[2]])
peak = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024 / 1e9
seconds = time.perf_counter() - start
print(f"map of {sys.argv[3]} megapixels, file to file: {seconds:.1f} s, {peak:.2f} GB at most")
"""


def bench_large(folder):
    """Time and memory of `defocus map` on large photographs, each in a process of its own."""
    for width, height in ((3000, 2000), (4240, 2832), (6000, 4000)):
        path, megapixels = folder / f"{width}.jpg", f"{width * height / 1e6:.0f}"
        write(path, photograph(width, height))
        subprocess.run([sys.executable, "-c", LARGE, path, folder / "out", megapixels], check=True)


CONTRAST_ALONE = "--exposure-weight=0", "--saturation-weight=0", "--contrast-weight=1", "--hard-mask"
STACK = """
import re, sys, time
from pathlib import Path
from defocus_core.cli.parser import main
start, used = time.perf_counter(), time.process_time()
assert main(["fuse", sys.argv[1], "--out", sys.argv[2], *sys.argv[4:]]) == 0
peak = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024 / 1e9
count, seconds, used = int(sys.argv[3]), time.perf_counter() - start, time.process_time() - used
how = " ".join(["fuse", *sys.argv[4:]])
print(f"{how} of {count} shots of 24 megapixels, file to file: {seconds / count:.1f} s a shot, "
      f"{used / count:.1f} s of processor, {peak:.2f} GB at most")
"""


def run_quietly(*command):
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


def bench_stack(folder, count=6):
    """Time and memory of `defocus fuse` a shot of 24 megapixels, and of enfuse where it is installed."""
    sharp = photograph(6000, 4000)
    soft = gaussian_blur(sharp, 6)
    shots = [folder / f"stack/{index}.jpg" for index in range(count)]
    for index, path in enumerate(shots):
        here = slice(index * 6000 // count, (index + 1) * 6000 // count)
        shot = soft.copy()
        shot[:, here] = sharp[:, here]
        write(path, np.roll(shot, 3 * index, 1))
    for more in ([], ["--register"]):
        arguments = [folder / "stack", folder / "fused.jpg", str(count), *more]
        subprocess.run([sys.executable, "-c", STACK, *arguments], check=True)
    if shutil.which("enfuse"):
        seconds = timed(lambda: run_quietly("enfuse", *CONTRAST_ALONE, "-o", folder / "enfuse.jpg", *shots))
        print(f"enfuse of the same: {seconds / count:.1f} s a shot", flush=True)


def bench_breathing_stack(folder, count=7):
    """Time of `defocus fuse --register` on shots of 3 megapixels, beside align_image_stack and enfuse together."""
    sharp = photograph(2048, 1536)
    soft, shots = gaussian_blur(sharp, 4), []
    for index in range(count):
        shot = soft.copy()
        here = slice(index * 2048 // count, (index + 1) * 2048 // count)
        shot[:, here] = sharp[:, here]
        larger = cv2.getRotationMatrix2D((1024, 768), 0, 1 + 0.005 * index)
        shots.append(folder / f"breathing/{index}.jpg")
        write(shots[-1], cv2.warpAffine(shot, larger, (2048, 1536), borderMode=cv2.BORDER_REFLECT))
    defocus = [sys.executable, "-m", "defocus_core", "fuse", *shots, "--register", "--out", folder / "registered.jpg"]
    ours = timed(lambda: run_quietly(*defocus))
    print(f"fuse --register of {count} shots of 3 megapixels, with its start: {ours:.1f} s", flush=True)
    if shutil.which("align_image_stack") and shutil.which("enfuse"):
        aligned = [folder / f"aligned{index:04}.tif" for index in range(count)]

        def theirs():
            run_quietly("align_image_stack", "-m", "-a", folder / "aligned", *shots)
            run_quietly("enfuse", *CONTRAST_ALONE, "-o", folder / "theirs.jpg", *aligned)

        print(f"align_image_stack and enfuse of the same: {timed(theirs):.1f} s", flush=True)


def bench_networks():
    batch = torch.rand(128, 1, 32, 32)
    small, mobile = (build_classifier(n, np.arange(20)).eval() for n in ("blurnet", "mobilenet_v2"))
    small = fold_batch_norms(small)
    with torch.inference_mode():
        compare("128 patches, BlurNet, plain MobileNetV2", lambda: mobile(batch), lambda: small(batch))


def training_step(name, *, channels_last, small_grids):
    """Return a function that takes one step of training on 256 patches."""
    model = build_classifier(name, np.arange(20)).train()
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters())
    images, level = torch.rand(256, 1, 32, 32), torch.arange(256) % 20

    def step():
        with fast_small_grids(model) if small_grids else contextlib.nullcontext():
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(model(images), level).backward()
            optimizer.step()

    step()
    return step


def bench_training():
    """Patches a second in torch's layout, with channels last, and with small grids computed as products."""
    keep_freed_memory()
    ways = {
        "plain": {"channels_last": False, "small_grids": False},
        "channels last": {"channels_last": True, "small_grids": False},
        "small grids": {"channels_last": True, "small_grids": True},
    }
    for name in ("mobilenet_v2", "mnasnet", "shufflenet_v2", "nasnet_mobile", "efficientnet_b0"):
        rates = {way: 256 / timed(training_step(name, **how)) for way, how in ways.items()}
        listed = ", ".join(f"{way} {rate:.0f}" for way, rate in rates.items())
        gain = rates["small grids"] / rates["plain"]
        print(f"training {name}, patches a second: {listed}; {gain:.1f} times faster", flush=True)


def bench_applications():
    image = photograph(1000, 700)
    sigma = estimate(image)
    sharpened = timed(lambda: unsharp_mask(image))
    bilateral = timed(lambda: cv2.bilateralFilter(image, 33, 0.1, 16))
    for name, run, what, plain in (
        ("enhanced", lambda: enhance(image, sigma), "unsharp masking", sharpened),
        ("magnified as published", lambda: magnify_published(image, sigma), "a bilateral filter", bilateral),
        ("magnified by 3", lambda: magnify(image, sigma), "a bilateral filter", bilateral),
    ):
        seconds = timed(run)
        print(f"1000x700 {name}, map given: {seconds:.3f} s, {seconds / plain:.1f} times {what}", flush=True)
    lens = Lens(focal_length=50, f_number=2, focus_distance=2, pixel_pitch=6)
    print(f"1000x700 distances, map given: {timed(lambda: lens.distances(sigma)):.3f} s", flush=True)
    large = photograph(4000, 3000)
    blurred = 4 * cv2.resize(sigma, (4000, 3000))
    seconds = timed(lambda: magnify(large, blurred))
    print(f"12 megapixels magnified by 3, map given: {seconds:.1f} s", flush=True)
    scene = load_motorcycle()
    shots = render_focus_stack(
        scene, focuses=np.quantile(scene.disparity, (0.9, 0.2)).tolist(), sigma_per_disparity=0.08
    )
    shots = [np.ascontiguousarray(shot[:500, :520]) for shot in shots]
    mapped = timed(lambda: estimate(shots[0]))
    for name, run in (
        ("two shots of 520x500 fused", lambda: fuse(shots)),
        ("the same, registered", lambda: fuse(shots, register=True)),
        ("the same by guided filtering (GFF)", lambda: fusion_baselines.guided_filter(shots)),
    ):
        seconds = timed(run)
        print(f"{name}: {seconds:.3f} s, {seconds / (2 * mapped):.2f} times its two maps", flush=True)


if __name__ == "__main__":
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        bench_patches(Path(folder))
    bench_networks()
    bench_maps()
    with tempfile.TemporaryDirectory() as folder:
        bench_onnx(Path(folder))
        bench_folder(Path(folder))
        bench_large(Path(folder))
        bench_stack(Path(folder))
        bench_breathing_stack(Path(folder))
    bench_baselines()
    bench_applications()
    bench_training()  # the last: it changes how this process keeps memory
