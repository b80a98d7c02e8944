rule train:
    input:
        train="results/patches/train.h5",
        validation="results/patches/validation.h5",
    output:
        model="results/models/{backbone}/model.safetensors",
        history="results/models/{backbone}/history.csv",
        curve=report(
            "results/models/{backbone}/history.png",
            caption="../report/history.rst",
            category="Training",
            labels={"backbone": "{backbone}"},
        ),
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
        code=code("train.py"),
        settings=train_settings,
        seed=config["seed"],
    script:
        "../workflow_scripts/train.py"
