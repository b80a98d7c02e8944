rule train:
    input:
        train="results/patches/train.h5",
        validation="results/patches/validation.h5",
        shards=[*shards("train"), *shards("validation")],
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
        code=lambda wildcards: code("train.py", network(wildcards.backbone)),
        backbone=lambda wildcards: wildcards.backbone,
        settings=train_settings,
        seed=config["seed"],
    script:
        "../workflow_scripts/train.py"


rule scenes:
    input:
        downloads=rules.ingest.input.downloads,
        judge=model_file(f"shipped/{DEFAULT_MODEL}"),
        manifest="results/ingest/manifest.csv",
    output:
        scenes="results/scenes/{split}.h5",
    log:
        "logs/scenes/{split}.log",
    benchmark:
        "benchmarks/scenes/{split}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime="4h",
    params:
        code=code("scenes.py", network_of(f"shipped/{DEFAULT_MODEL}")),
        sharp_share=config["scenes"]["sharp_share"],
        recipe=config["scenes"]["recipe"],
        scenes=lambda wildcards: config["scenes"]["count"][wildcards.split],
        seed=config["seed"],
    script:
        "../workflow_scripts/scenes.py"


rule train_scenes:
    input:
        train="results/scenes/train.h5",
        validation="results/scenes/validation.h5",
        start=model_file(config["scenes"]["start"]),
    output:
        model="results/models/scenenet/model.safetensors",
        history="results/models/scenenet/history.csv",
    log:
        "logs/train/scenenet.log",
    benchmark:
        "benchmarks/train/scenenet.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime="12h",
    params:
        code=code(
            "train_scenes.py",
            network("scenenet"),
            network_of(config["scenes"]["start"]),
        ),
        settings=config["scenes"]["train"],
        average=config["scenes"]["average"],
        seed=config["seed"],
    script:
        "../workflow_scripts/train_scenes.py"
