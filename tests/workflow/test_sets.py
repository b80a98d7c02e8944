"""Photographs, sets and sources that a user adds, changes or removes."""

import functools
import hashlib
import os
import shutil
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import to_grey
from defocus_core.io.write import write


@pytest.fixture(scope="module")
def ran(ran, tmp_path_factory):
    """A copy of the checkout, whose results these tests replace."""
    return ran.copy(tmp_path_factory.mktemp("sets"))


def test_an_edited_photograph_is_ingested_again_and_a_touched_one_is_not(ran):
    folder = ran.folder / "photographs"
    rng = np.random.default_rng(0)
    for index in range(4):
        write(folder / f"{index}.png", rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))
    overlay = {"ingest": {"sources": [{"folder": "photographs", "licence": "mine"}]}}
    ran.snakemake("results/ingest/manifest.csv", overlay=overlay)
    assert ran.pending(overlay, "results/ingest/manifest.csv") == {}
    os.utime(folder / "0.png")
    assert ran.pending(overlay, "results/ingest/manifest.csv") == {}
    write(folder / "0.png", rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))
    assert ran.pending(overlay, "results/ingest/manifest.csv") == {"ingest": 1}
    ran.snakemake("results/ingest/manifest.csv", overlay=overlay)
    (folder / "3.png").unlink()
    assert ran.pending(overlay, "results/ingest/manifest.csv") == {"ingest": 1}


def test_masks_are_scored_by_their_polarity_beside_a_peer_whose_edit_scores_anew(ran):
    image = to_grey(data.astronaut())[:200, :240]
    mask = np.zeros(image.shape, bool)
    mask[:, 120:] = True
    image = np.where(mask, gaussian_blur(image, 5), image)
    for name, array in (("images/a", image), ("masks/a", ~mask * 255), ("peer/a", ~mask * 1.0)):
        write(ran.folder / "set" / f"{name}.png", array.astype(np.uint8) if array.dtype == int else array)
    entry = {"truth": "masks", "images": "set/images", "truth_folder": "set/masks", "blurred_value": "black"}
    entry["peers"] = {"oracle": {"folder": "set/peer", "high_means": "sharp"}}
    overlay = {"benchmark_sets": {"mine": entry}, "benchmarks": ["mine"]}
    target = "results/benchmarks/mine/scores.csv"
    ran.snakemake(target, overlay=overlay)
    scores = pd.read_csv(ran.folder / target).set_index("method")
    assert scores.accuracy["oracle"] == scores.ap_blurred["oracle"] == 1
    assert scores.mae["oracle"] == 0
    assert scores.accuracy["map"] > 0.85
    assert {"probability", "lbp", "laplacian_variance"} <= set(scores.index)
    assert ran.pending(overlay, target) == {}
    write(ran.folder / "set/peer/a.png", (mask * 255).astype(np.uint8))
    assert ran.pending(overlay, target) == {"score": 1, "benchmark": 1}


def test_a_source_on_the_web_is_fetched_checked_and_ingested(ran, tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for index in range(4):
            write(tmp_path / "one.png", rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))
            archive.write(tmp_path / "one.png", f"set/{index}.png")
    digest = hashlib.sha256((tmp_path / "set.zip").read_bytes()).hexdigest()
    monkeypatch.setenv("DEFOCUS_CACHE", str(tmp_path / "cache"))
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/set.zip"
        overlay = {"ingest": {"sources": [{"url": url, "sha256": digest, "licence": "mine"}]}}
        ran.snakemake("results/ingest/manifest.csv", overlay=overlay)
        server.shutdown()
    manifest = pd.read_csv(ran.folder / "results/ingest/manifest.csv")
    assert list(manifest.path) == [f"results/downloads/{digest}/set/{index}.png" for index in range(4)]
    assert set(manifest.source) == {f"url:{url}"}
    assert ran.pending(overlay, "results/ingest/manifest.csv") == {}
    overlay["ingest"]["sources"][0].pop("sha256")
    code, output = ran.snakemake("--dry-run", overlay=overlay, check=False)
    assert code != 0
    assert "ingest.sources.0" in output


@pytest.fixture(scope="module")
def shared_set(ran):
    """Overlay of a set of four photographs in two shards, mapped and scored."""
    rng = np.random.default_rng(0)
    for name in "abcd":
        write(ran.folder / f"four/images/{name}.png", rng.integers(0, 256, (64, 64), dtype=np.uint8))
        write(ran.folder / f"four/masks/{name}.png", np.eye(64, dtype=np.uint8) * 255)
    entry = {"truth": "masks", "images": "four/images", "truth_folder": "four/masks", "blurred_value": "white"}
    overlay = {
        "benchmark_sets": {"four": {**entry, "shards": 2}},
        "benchmarks": ["four"],
        "baselines": ["standard_deviation"],
        "maps": {"model": "shipped/blurnet", "refine": False},
    }
    ran.snakemake(FOUR, overlay=overlay)
    return overlay


FOUR = "results/benchmarks/four/scores.csv"
ONE_SHARD = {"maps": 1, "score": 1, "benchmark": 1}


def test_an_image_edited_reruns_its_shard_alone_and_a_touched_one_nothing(ran, shared_set):
    path = ran.folder / "four/images/a.png"
    before = path.read_bytes()
    os.utime(path)
    assert ran.pending(shared_set, FOUR) == {}
    write(path, np.zeros((64, 64), np.uint8))
    assert ran.pending(shared_set, FOUR) == ONE_SHARD
    path.write_bytes(before)
    assert ran.pending(shared_set, FOUR) == {}


def test_a_longer_range_reruns_the_shards_of_the_new_photographs_alone(ran, shared_set):
    four = shared_set["benchmark_sets"]["four"]

    def up_to(last):
        return {**shared_set, "benchmark_sets": {"four": {**four, "subset": {"last": last}}}}

    ran.snakemake(FOUR, overlay=up_to(3))
    assert ran.pending(up_to(4), FOUR) == ONE_SHARD
    ran.snakemake(FOUR, overlay=shared_set)


def test_a_mask_edited_scores_anew_and_makes_no_map(ran, shared_set):
    path = ran.folder / "four/masks/a.png"
    before = path.read_bytes()
    write(path, np.zeros((64, 64), np.uint8))
    assert ran.pending(shared_set, FOUR) == {"score": 1, "benchmark": 1}
    path.write_bytes(before)


def test_a_folder_that_is_missing_stops_what_needs_it_alone(ran, shared_set):
    missing = {"folder": "nowhere"}
    ingest = {"sources": [{**missing, "licence": "none"}]}
    overlay = {**shared_set, "no_reference": [missing], "ingest": ingest}
    assert ran.pending(overlay, FOUR) == {}
    for target, key in (
        ("results/applications/no_reference/scores.csv", "no_reference"),
        ("results/ingest/manifest.csv", "ingest.sources"),
    ):
        code, output = ran.snakemake(target, "--dry-run", overlay=overlay, check=False)
        assert code != 0
        assert f"{key}: no folder 'nowhere'" in output


def test_a_set_added_to_the_benchmarks_reruns_no_other_one(ran, shared_set):
    both = {
        **shared_set,
        "benchmark_sets": {**shared_set["benchmark_sets"], "more": shared_set["benchmark_sets"]["four"]},
    }
    jobs = ran.pending({**both, "benchmarks": ["four", "more"]}, FOUR, FOUR.replace("four", "more"))
    assert jobs == {"maps": 2, "score": 2, "benchmark": 1}


def test_an_image_added_or_removed_reruns_its_shard_and_leaves_nothing_behind(ran, shared_set):
    folder = ran.folder / "four"
    for kind in ("images", "masks"):
        shutil.copy(folder / kind / "a.png", folder / kind / "e.png")
    assert ran.pending(shared_set, FOUR) == ONE_SHARD
    for kind in ("images", "masks"):
        (folder / kind / "e.png").unlink()
        (folder / kind / "d.png").unlink()
    assert ran.pending(shared_set, FOUR) == ONE_SHARD
    ran.snakemake(FOUR, overlay=shared_set)
    table = pd.read_csv(ran.folder / "results/benchmarks/four/images.csv")
    maps = {path.stem for path in (ran.folder / "results/maps/four").glob("[01]/*.npy")}
    assert set(table.image) == maps == {"a", "b", "c"}


def test_maps_are_made_by_ones_own_weights_and_again_when_these_change(ran, shared_set):
    shipped = ran.folder / "defocus_core/networks/weights"
    own = ran.folder / "mine/own.safetensors"
    own.parent.mkdir()
    shutil.copy(shipped / "blurnet.safetensors", own)
    overlay = {**shared_set, "maps": {**shared_set["maps"], "model": "mine/own.safetensors"}}
    assert ran.pending(overlay, FOUR) == {"maps": 2, "score": 2, "benchmark": 1}
    ran.snakemake(FOUR, overlay=overlay)
    assert ran.pending(overlay, FOUR) == {}
    shutil.copy(shipped / "scenenet.safetensors", own)
    assert ran.pending(overlay, FOUR) == {"maps": 2, "score": 2, "benchmark": 1}
    ran.snakemake(FOUR, overlay=overlay)
    assert ran.pending(overlay, FOUR) == {}


def test_measured_radii_are_scored_by_their_table_whose_edit_scores_anew(ran):
    image = gaussian_blur(to_grey(data.brick())[:128, :128], 2)
    folder = ran.folder / "radii"
    write(folder / "image_1.png", image)
    np.save(folder / "radius_1.npy", np.full(image.shape, 4, np.float32))
    (folder / "table.csv").write_text("sigma_px,radius_px\n2,4\n8,16\n")
    entry = {"truth": "sigma", "images": "radii", "truth_folder": "radii"}
    entry |= {"replace": {"image": "image_", "truth": "radius_"}, "radius_table": "radii/table.csv"}
    overlay = {"benchmark_sets": {"radii": entry}, "benchmarks": ["radii"], "baselines": ["edge_ratio"]}
    target = "results/benchmarks/radii/scores.csv"
    ran.snakemake(target, overlay=overlay)
    scores = pd.read_csv(ran.folder / target).set_index("method")
    assert {"map", "edge_ratio"} == set(scores.index)
    assert (scores.mae < 0.8).all()
    (folder / "table.csv").write_text("sigma_px,radius_px\n3,4\n8,16\n")
    assert ran.pending(overlay, target) == {"score": 1, "benchmark": 1}


def test_stacks_are_fused_and_scored_beside_others(ran):
    rng = np.random.default_rng(0)
    for file in ("stacks/one/one_A.png", "stacks/one/one_B.png", "peer/one.png"):
        write(ran.folder / file, rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    overlay = {"stacks": {"mine": {"folder": "stacks", "peers": {"other": "peer"}}}}
    ran.snakemake("results/applications/fuse_mine/scores.csv", overlay=overlay)
    scores = pd.read_csv(ran.folder / "results/applications/fuse_mine/scores.csv")
    rivals = {"defocus_map", "mean", "laplacian_pyramid", "guided_filter"}
    assert set(scores.method) == {"fused", "other", *rivals}
