"""Feed damaged files to the readers: python tools/fuzz.py [--inputs N] [--seconds S] [--seed K].

Valid small files (PNG, JPEG, TIFF of many kinds, WebP, BMP, OpenEXR, HEIC, AVIF, RAW; patch files in HDF5)
are damaged at random, read, and their metadata too. A reader may give an array or its own error; any other
exception, a crash of the process, more than ten seconds, or more than 4 GB of memory is a finding, whose input
is kept. Exit status 1 if any.
"""

import argparse
import collections
import faulthandler
import logging
import multiprocessing
import resource
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from defocus_core.constants import PATCH_SIZE
from defocus_core.io.errors import ImageError
from defocus_core.io.listing import IMAGE_SUFFIXES
from defocus_core.io.metadata import read_metadata
from defocus_core.io.pages import list_pages
from defocus_core.io.read import read
from defocus_core.io.write import write
from defocus_core.training.patch_store import PatchStoreError, PatchWriter, join_shards, read_patches

INTERESTING = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
BATCH = 500


def corpus(folder: Path) -> list[tuple[str, bytes]]:
    """Return suffix and bytes of small valid files."""
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (13, 17, 3), dtype=np.uint8)
    deep = rng.integers(0, 2**16, (13, 17, 3), dtype=np.uint16)
    for suffix in IMAGE_SUFFIXES:
        write(folder / f"colour{suffix}", colour)
        write(folder / f"grey{suffix}", colour[..., 0])
    for suffix in (".png", ".tif"):
        write(folder / f"deep{suffix}", deep)
        write(folder / f"deep_grey{suffix}", deep[..., 0])
    exif = Image.Exif()
    exif[0x0112] = 6
    for suffix in (".jpg", ".png", ".tif", ".webp"):
        Image.fromarray(colour).save(folder / f"turned{suffix}", exif=exif)
    Image.fromarray(colour).convert("P").save(folder / "palette.png")
    Image.fromarray(colour).convert("CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(colour).save(folder / "lzw.tif", compression="tiff_lzw")
    for codec in ("zlib", "zstd", "lzma", "packbits", "jpeg2000", "jpegxl"):
        tifffile.imwrite(folder / f"{codec}.tif", deep, photometric="rgb", compression=codec, tile=(16, 16))
    tifffile.imwrite(folder / "stack.ome.tif", deep[None].repeat(2, 0)[..., 0], ome=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "imagej.tif", deep[None].repeat(2, 0)[..., 0], imagej=True)
    tifffile.imwrite(folder / "big.tif", deep, photometric="rgb", bigtiff=True)
    dng = [(50706, "B", 4, bytes([1, 4, 0, 0])), (33421, "H", 2, (2, 2)), (33422, "B", 4, bytes([0, 1, 1, 2]))]
    mosaic = rng.integers(0, 2**16, (48, 64), dtype=np.uint16)
    tifffile.imwrite(folder / "raw.dng", mosaic, photometric="cfa", extratags=[(*tag, True) for tag in dng])
    for suffix in (".exr", ".heic", ".avif"):
        write(folder / f"colour{suffix}", colour, like=folder / "turned.jpg")
    shards = [folder / f"shard_{index}.h5" for index in range(2)]
    for shard in shards:
        with PatchWriter(shard, sigmas=[0, 1], images=["a"], parameters={}) as writer:
            patches = rng.integers(0, 256, (3, PATCH_SIZE, PATCH_SIZE), dtype=np.uint8)
            writer.append(patches=patches, level=1, image=0, position=np.zeros((3, 2), np.int32))
    join_shards(shards, folder / "joined.h5")
    return [(path.suffix, path.read_bytes()) for path in sorted(folder.iterdir())]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a copy with one to six changes: flipped bytes, extreme numbers, cuts, copies."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 7)):
        if not data:
            break
        place = int(rng.integers(len(data)) * rng.choice([1, 0.1]))
        kind = rng.integers(6)
        if kind <= 1:
            data[place] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            size = int(rng.choice([1, 2, 4, 8]))
            order = "little" if rng.random() < 0.5 else "big"
            number = int(rng.choice(INTERESTING)) % 256**size
            data[place : place + size] = number.to_bytes(size, order)
        elif kind == 3:
            data[place : place + 16] = rng.bytes(int(rng.integers(17)))
        elif kind == 4:
            length = int(rng.integers(1, 64))
            data[place:place] = data[place : place + length]
        elif rng.random() < 0.2:
            del data[place:]
        else:
            del data[place : place + int(rng.integers(1, 16))]
    return bytes(data)


def read_any(suffix: str, file: Path) -> str:
    """Read a damaged file; return how that ended. Only a reader's own error is caught."""
    try:
        if suffix == ".h5":
            read_patches(file)
        else:
            list_pages(file)
            read(file, max_pixels=1_000_000)
            read_metadata(file, grey=False, size=(17, 13))
    except ImageError as error:
        return error.reason
    except PatchStoreError:
        return "refused"
    return "read"


def batch(seed: int, number: int, folder: Path) -> None:
    """Read a batch of damaged files; the one that is being read lies in `folder`, whatever happens."""
    warnings.simplefilter("ignore")
    logging.disable()
    faulthandler.enable(open(folder / "crash.txt", "w"))  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    with tempfile.TemporaryDirectory() as files:
        seeds = corpus(Path(files))
        rng = np.random.default_rng([seed, number])
        counts = collections.Counter()
        for _ in range(BATCH):
            suffix, data = seeds[rng.integers(len(seeds))]
            file = Path(files) / f"input{suffix}"
            file.write_bytes(damaged(data, rng))
            (folder / "now").write_bytes(suffix.encode() + b"\n" + file.read_bytes())
            signal.alarm(10)
            counts[f"{suffix} {read_any(suffix, file)}"] += 1
            signal.alarm(0)
    text = "\n".join(f"{count} {key}" for key, count in counts.items())
    (folder / "counts").write_text(text)


def main() -> int:
    """Run batches in processes of their own until the inputs or the seconds are used up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start, number, findings = time.monotonic(), 0, 0
    total = collections.Counter()
    kept = Path(tempfile.mkdtemp(prefix="fuzz-"))
    context = multiprocessing.get_context("fork")
    while number * BATCH < options.inputs and time.monotonic() - start < options.seconds:
        folder = kept / f"{number}"
        folder.mkdir()
        process = context.Process(target=batch, args=(options.seed, number, folder))
        process.start()
        process.join()
        if process.exitcode:
            findings += 1
            print(f"batch {number} ended with {process.exitcode}; its input is {folder / 'now'}", flush=True)
        else:
            for line in (folder / "counts").read_text().splitlines():
                count, key = line.split(" ", 1)
                total[key] += int(count)
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
        number += 1
    for key in sorted(total):
        print(f"{total[key]:8d} {key}")
    seconds = time.monotonic() - start
    print(f"{sum(total.values())} inputs in {seconds:.0f} s, {findings} findings")
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())
