rule train:
    input:
        train="results/patches/train.h5",
        validation="results/patches/validation.h5",
        shards=[*select.shard_patches("train"), *select.shard_patches("validation")],
    output:
        model="results/models/{backbone}/model.safetensors",
        history="results/models/{backbone}/history.csv",
    log:
        "logs/train/{backbone}.log",
    benchmark:
        "benchmarks/train/{backbone}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime="12h",
    params:
        code=lambda wildcards: select.code(
            "train.py", select.network_module(wildcards.backbone)
        ),
        backbone=lambda wildcards: wildcards.backbone,
        settings=lambda wildcards: select.train_settings(wildcards.backbone),
        seed=config["seed"],
    script:
        "../workflow_scripts/train.py"


rule layered_scenes:
    input:
        downloads=rules.ingest.input.downloads,
        judge=model_file(f"shipped/{DEFAULT_MODEL}"),
        manifest="results/ingest/manifest.csv",
        silhouettes=lambda wildcards: on_disk(select.silhouettes),
    output:
        scenes="results/layered_scenes/{split}.h5",
    log:
        "logs/layered_scenes/{split}.log",
    benchmark:
        "benchmarks/layered_scenes/{split}.tsv"
    wildcard_constraints:
        split="train|validation",
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime="4h",
    params:
        code=select.code(
            "layered_scenes.py", select.model_module(f"shipped/{DEFAULT_MODEL}")
        ),
        min_sharp_fraction=config["layered_scenes"]["min_sharp_fraction"],
        scene=config["layered_scenes"]["scene"],
        scenes=lambda wildcards: config["layered_scenes"]["count"][wildcards.split],
        seed=config["seed"],
    script:
        "../workflow_scripts/layered_scenes.py"


rule train_dense:
    input:
        train="results/layered_scenes/train.h5",
        validation="results/layered_scenes/validation.h5",
        start=model_file(config["layered_scenes"]["start"]),
    output:
        model="results/models/{dense}/model.safetensors",
        history="results/models/{dense}/history.csv",
    log:
        "logs/train/{dense}.log",
    benchmark:
        "benchmarks/train/{dense}.tsv"
    wildcard_constraints:
        dense=DENSE,
    conda:
        "../envs/gpu.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime="12h",
    params:
        code=select.code(
            "train_dense.py",
            select.network_module(DENSE),
            select.model_module(config["layered_scenes"]["start"]),
        ),
        settings=config["layered_scenes"]["train"],
        start_weight=config["layered_scenes"]["start_weight"],
        seed=config["seed"],
    script:
        "../workflow_scripts/train_dense.py"


use rule synthesize as synthesize_patch_variant with:
    output:
        patches="results/patch_variants/{patch_variant}/shards/{split}_{shard}.h5",
    log:
        "logs/synthesize/{patch_variant}_{split}_{shard}.log",
    benchmark:
        "benchmarks/synthesize/{patch_variant}_{split}_{shard}.tsv"
    params:
        patches=lambda wildcards: select.patch_variants[wildcards.patch_variant][
            "patches"
        ],


use rule join as join_patch_variant with:
    input:
        lambda wildcards: select.shard_patches(
            wildcards.split, f"results/patch_variants/{wildcards.patch_variant}"
        ),
    output:
        patches="results/patch_variants/{patch_variant}/{split}.h5",
    log:
        "logs/join/{patch_variant}_{split}.log",
    benchmark:
        "benchmarks/join/{patch_variant}_{split}.tsv"


use rule train as train_patch_variant with:
    input:
        train="results/patch_variants/{patch_variant}/train.h5",
        validation="results/patch_variants/{patch_variant}/validation.h5",
        shards=lambda wildcards: [
            file
            for split in ("train", "validation")
            for file in select.shard_patches(
                split, f"results/patch_variants/{wildcards.patch_variant}"
            )
        ],
    output:
        model="results/patch_variants/{patch_variant}/model.safetensors",
        history="results/patch_variants/{patch_variant}/history.csv",
    log:
        "logs/train/patch_variant_{patch_variant}.log",
    benchmark:
        "benchmarks/train/patch_variant_{patch_variant}.tsv"
    params:
        code=lambda wildcards: select.code(
            "train.py",
            select.network_module(
                select.patch_variants[wildcards.patch_variant]["backbone"]
            ),
        ),
        backbone=lambda wildcards: select.patch_variants[wildcards.patch_variant][
            "backbone"
        ],
        settings=lambda wildcards: select.patch_variants[wildcards.patch_variant][
            "train"
        ],
