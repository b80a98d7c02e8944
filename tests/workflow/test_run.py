"""The workflow on real photographs, and which jobs each kind of change makes run again."""

import json
import os
import re
import shutil
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import yaml
from checkout import Checkout

from defocus_core.io.listing import list_images
from defocus_core.io.package_images import package_folder
from defocus_core.io.read import read
from defocus_core.io.write import write
from defocus_core.networks.storage import load_model, weights_metadata
from defocus_core.training.patch_store import check_patch_file


@contextmanager
def edited(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(text)


TRAINING = {"train", "synthesize", "join", "ingest", "evaluate", "measure", "compare"}


def test_every_promised_file_is_there(ran):
    results = ran.folder / "results"
    manifest = pd.read_csv(results / "ingest/manifest.csv")
    assert {"path", "source", "licence", "sha256", "width", "height", "split", "sharp_patches"} <= set(manifest)
    for split in ("train", "validation", "test"):
        assert check_patch_file(results / f"patches/{split}.h5")["levels"] == 20
    for name in ("blurnet", "resnet18"):
        model = load_model(results / f"models/{name}/model.safetensors")
        assert len(model.sigmas) == 20
        assert len(pd.read_csv(results / f"models/{name}/history.csv")) >= 1
        metrics = json.loads((results / f"models/{name}/metrics.json").read_text())
        assert 0 <= metrics["accuracy"] <= metrics["within_one"] <= 1
    compared = pd.read_csv(results / "comparison/accuracy.csv").set_index("model")
    assert set(compared.index) == {"blurnet", "resnet18", "blurnet (in the package)"}
    assert compared.accuracy["blurnet (in the package)"] > 0.15
    assert compared.patch_steps.notna().sum() == 2
    maps = sorted((results / "maps/embedded").glob("[01]/*.npy"))
    assert len(maps) == 9
    for path in maps:
        sigma = np.load(path, allow_pickle=False)
        assert sigma.dtype == np.float32
        assert np.isfinite(sigma).all()
        assert (results / "map_pictures" / path.relative_to(results / "maps")).with_suffix(".png").is_file()
    scores = pd.read_csv(results / "benchmarks/embedded/scores.csv")
    assert {"map", "entropy", "laplacian_variance", "edge_ratio"} <= set(scores.method)
    variants = pd.read_csv(results / "map_variants/embedded/scores.csv").set_index("map_variant")
    assert list(variants.index) == ["default", "unrefined"]
    assert variants.mae["default"] == pytest.approx(scores.set_index("method").mae["map"])
    assert variants.mae["unrefined"] != pytest.approx(variants.mae["default"])
    for application in ("enhance", "magnify", "fuse"):
        assert (results / f"applications/{application}/example.png").is_file()
        assert pd.read_csv(results / f"applications/{application}/scores.csv").psnr.notna().all()
    fused = pd.read_csv(results / "applications/fuse/scores.csv").set_index(["scenes", "method"]).psnr
    assert fused["motorcycle", "fused"] > fused["motorcycle"].drop(["fused", "fused, seams of 1 pixel"]).max()
    ranked = pd.read_csv(results / "applications/score/scores.csv").set_index(["condition", "kernel", "method"])
    assert ranked.auc["all but enlarged", "gaussian", "score"] > 0.9
    alone = pd.read_csv(results / "applications/no_reference/scores.csv").set_index("method").blur_effect
    assert alone["adaptive"] < alone["input"]
    depth = pd.read_csv(results / "applications/depth/scores.csv").set_index(["distances", "focus"])
    assert (depth.within_quarter["true map"] == 1).all()
    assert (depth.mae_dioptres["estimated map"] < depth.mae_dioptres["the median everywhere"]).all()


def test_a_second_run_does_nothing(ran):
    assert ran.pending() == {}


def test_one_backbones_setting_reruns_it_and_what_follows(ran):
    jobs = ran.pending({"train_overrides": {"resnet18": {"batch": 32}}})
    assert jobs == {"train": 1, "evaluate": 1, "measure": 1, "training_curve": 1, "compare": 1, "all": 1}


def test_an_edit_of_the_refinement_reruns_maps_and_after_but_no_training(ran):
    with edited(ran.folder / "defocus_core/maps/refine/guided.py", "TINY = 1e-6", "TINY = 2e-6"):
        jobs = ran.pending()
    assert not TRAINING & set(jobs)
    assert {"maps", "benchmark", "application"} <= set(jobs)


def test_an_edit_of_the_loop_retrains_but_makes_no_patches(ran):
    with edited(ran.folder / "defocus_core/training/loop.py", "eps=1e-8", "eps=1e-7"):
        jobs = ran.pending()
    assert jobs["train"] == 2
    assert not {"ingest", "synthesize", "join", "maps", "score", "benchmark"} & set(jobs)


def test_an_edit_of_one_network_retrains_it_alone(ran):
    with edited(ran.folder / "defocus_core/networks/backbones/resnet18.py", '"resnet18"', '"resnet34"'):
        assert ran.pending() == {"train": 1, "evaluate": 1, "measure": 1, "training_curve": 1, "compare": 1, "all": 1}


def test_a_new_network_trains_no_other_one(ran):
    module = ran.folder / "defocus_core/networks/backbones/own.py"
    module.write_text((ran.folder / "defocus_core/networks/backbones/resnet18.py").read_text())
    try:
        assert ran.pending() == {}
        added = ran.pending({"backbones": ["blurnet", "resnet18", "own"]})
    finally:
        module.unlink()
    assert added == {"train": 1, "evaluate": 1, "measure": 1, "training_curve": 1, "compare": 1, "all": 1}


def test_another_colour_map_draws_anew_and_computes_nothing(ran):
    with edited(ran.folder / "defocus_core/io/map_pictures.py", '"magma"', '"viridis"'):
        jobs = ran.pending()
    assert not {"train", "synthesize", "join", "ingest", "maps", "score"} & set(jobs)
    assert {"evaluate", "map_pictures", "benchmark"} <= set(jobs)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("defocus_core/io/metadata.py", "elements/1.1/", "elements/1.2/"),
        ("defocus_core/io/write.py", '"quality": 95', '"quality": 96'),
        ("defocus_core/cli/parser.py", '"--jobs"', '"--workers"'),
        ("defocus_core/evaluation/tables.py", "index=False", "index=True"),
        ("workflow_support/configuration.py", "Training settings common", "Settings common"),
    ],
)
def test_what_writes_or_asks_reruns_no_synthesis_training_or_map(ran, file, old, new):
    with edited(ran.folder / file, old, new):
        jobs = ran.pending()
    assert not {"ingest", "synthesize", "join", "train", "maps", "embedded_set", "score"} & set(jobs)


def test_an_edit_of_an_experiment_reruns_its_application_alone(ran):
    with edited(ran.folder / "defocus_core/evaluation/experiments/depth.py", "0.8 * truth", "0.7 * truth"):
        assert ran.pending() == {"application": 1, "all": 1}


@pytest.mark.parametrize(
    ("weights", "jobs"),
    [("fusion/weights/votes", {"application": 2, "all": 1}), ("score/weights/motion", {"application": 1, "all": 1})],
)
def test_other_weights_of_a_small_network_rerun_what_uses_it_alone(ran, weights, jobs):
    file = ran.folder / f"defocus_core/applications/{weights}.safetensors"
    before = file.read_bytes()
    file.write_bytes(before + b"0")
    assert ran.pending() == jobs
    file.write_bytes(before)
    assert ran.pending() == {}


def test_an_equal_configuration_written_otherwise_reruns_nothing(ran):
    overlay = {
        "patches": {"levels": {"min_sigma": 0.0}, "border": "mirror"},
        "maps": {"certainty_exponent": 2.0, "log_sigma": True},
        "benchmark_sets": {"embedded": {"subset": None, "peers": {}}},
        "applications": {"enhance": {"max_sigmas": [3.0]}, "fuse": {"photographs": None}},
    }
    assert ran.pending(overlay) == {}


def test_a_comment_reruns_nothing(ran):
    with edited(ran.folder / "defocus_core/blur/kernels.py", "import cv2", "import cv2  # a remark"):
        assert ran.pending() == {}


def test_a_backbone_added_trains_it_alone_and_one_removed_trains_none(ran):
    added = ran.pending({"backbones": ["blurnet", "resnet18", "shufflenet_v2"]})
    assert added == {"train": 1, "evaluate": 1, "measure": 1, "training_curve": 1, "compare": 1, "all": 1}
    removed = ran.pending({"backbones": ["blurnet"]})
    assert removed == {"compare": 1, "all": 1}


def test_another_step_reruns_maps_and_after(ran):
    jobs = ran.pending({"maps": {"step": 16}})
    mapped = {"maps": 2, "map_pictures": 2, "score": 2, "benchmark": 1, "application": 6, "no_reference": 1}
    assert jobs == {**mapped, "maps_of_variant": 2, "score_of_variant": 4, "map_variants": 1, "all": 1}


def test_a_variants_setting_reruns_its_shards_and_the_table_alone(ran):
    jobs = ran.pending({"map_variants": {"unrefined": {"certainty_exponent": 0}}})
    assert jobs == {"maps_of_variant": 2, "score_of_variant": 2, "map_variants": 1, "all": 1}


def test_a_touch_reruns_nothing(ran):
    for path in (
        "defocus_core/networks/weights/blurnet.safetensors",
        "defocus_core/maps/pipeline.py",
        "workflow_scripts/train.py",
        "results/patches/train.h5",
        "results/ingest/manifest.csv",
    ):
        os.utime(ran.folder / path)
    assert ran.pending() == {}


def test_a_moved_checkout_reruns_nothing(ran, tmp_path):
    assert ran.copy(tmp_path / "elsewhere").pending() == {}


def test_the_lint_is_silent(ran):
    _, output = ran.snakemake("--lint")
    assert "Congratulations" in output


def test_a_wrong_key_is_named_before_any_job_starts(ran):
    code, output = ran.snakemake("--dry-run", overlay={"maps": {"step": 64}}, check=False)
    assert code != 0
    assert "config: maps.step: is at most 32, not 64" in output


def test_any_set_can_be_asked_for_and_nothing_that_is_not_configured(tmp_path):
    fresh, none = Checkout.fresh(tmp_path), {"benchmarks": []}
    assert fresh.pending(none, "results/benchmarks/embedded/scores.csv")["benchmark"] == 1
    for target in ("applications/fuse_none/scores.csv", "published/none.png", "benchmarks/none/scores.csv"):
        code, output = fresh.snakemake("--dry-run", f"results/{target}", overlay=none, check=False)
        assert code != 0
        assert f"No rule to produce results/{target}" in output


def test_the_papers_run_resolves_up_to_the_missing_folders(ran):
    paper = yaml.safe_load((ran.folder / "config/paper.yaml").read_text())
    for target, missing in {
        "results/ingest/manifest.csv": "'data/DIV2K/train'; download DIV2K_train_HR as docs/data.md says",
        "results/benchmarks/cuhk/scores.csv": "'data/cuhk/images'; docs/data.md says",
    }.items():
        code, output = ran.snakemake("--dry-run", target, overlay=paper, check=False)
        assert code != 0
        assert f"no folder {missing}" in output
    for folder in ("data/DIV2K/train", "data/DIV2K/validation", "data/cuhk/images", "data/cuhk/masks"):
        (ran.folder / folder).mkdir(parents=True)
        write(ran.folder / folder / "0001.png", np.zeros((40, 40), np.uint8))
    outputs = ran.pending_outputs(paper)
    shutil.rmtree(ran.folder / "data")
    assert sum("model.safetensors" in line for line in outputs) == 5
    assert "results/maps/cuhk/0" in outputs


def test_the_dense_network_is_made_on_request(ran):
    count = {"train": 6, "validation": 2}
    scenes = {"count": count, "scene": {"size": 64, "people_fraction": 0.5}, "min_sharp_fraction": 0.1}
    (ran.folder / "people/data").mkdir(parents=True)
    for image in list_images(package_folder("skimage")):
        if image.stem in ("astronaut", "brick", "coffee", "grass", "rocket"):
            people = np.full(read(image).shape[:2], 255, np.uint8)
            write(ran.folder / "people/data" / f"{image.stem}.png", people)
    overlay = {"layered_scenes": scenes | {"silhouettes": "people"}}
    ran.snakemake("results/models/scenenet/model.safetensors", overlay=overlay)
    assert load_model(ran.folder / "results/models/scenenet/model.safetensors").cell == 4
    logs = "".join(path.read_text() for path in (ran.folder / "logs/layered_scenes").glob("*.log"))
    assert re.search(r"[1-9] show people", logs)


def test_a_recipe_is_trained_where_maps_ask_for_it(ran):
    variant = {"backbone": "blurnet", "train": {"epochs": 1}}
    variant["patches"] = {"domain": "image", "kernel": "full", "disk_fraction": 0.5, "max_per_image": 3}
    overlay = {"patch_variants": {"camera": variant}, "map_variants": {"camera": {"model": "patch_variant/camera"}}}
    assert set(ran.pending({"patch_variants": {"camera": variant}})) == set()
    table = "results/map_variants/embedded/scores.csv"
    ran.snakemake(table, overlay=overlay)
    about = weights_metadata(ran.folder / "results/patch_variants/camera/model.safetensors")
    assert about["patches"]["domain"] == "image"
    assert {"default", "camera"} <= set(pd.read_csv(ran.folder / table).map_variant)
    crossed = {"models": ["trained/blurnet", "patch_variant/camera"], "patch_variants": ["camera"]}
    ran.snakemake("results/comparison/domains.csv", overlay=overlay | {"domains": crossed})
    domains = pd.read_csv(ran.folder / "results/comparison/domains.csv").set_index(["model", "tested_on"])
    assert domains.index.tolist() == [
        (model, tested) for tested in ("patches", "camera") for model in crossed["models"]
    ]
    assert domains.accuracy.between(0, 1).all()
    variant["train"]["epochs"] = 2
    assert ran.pending(overlay, table) == {
        "train_patch_variant": 1,
        "maps_of_variant": 2,
        "score_of_variant": 2,
        "map_variants": 1,
    }
