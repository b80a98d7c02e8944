rule evaluate:
    input:
        model="results/models/{backbone}/model.safetensors",
        history="results/models/{backbone}/history.csv",
        test="results/patches/test.h5",
        shards=select.shard_patches("test"),
    output:
        metrics="results/models/{backbone}/metrics.json",
        confusion=report(
            "results/models/{backbone}/confusion.png",
            caption="../report/confusion.rst",
            category="Comparison",
            labels={"figure": "confusion", "backbone": "{backbone}"},
        ),
        curve=report(
            "results/models/{backbone}/history.png",
            caption="../report/history.rst",
            category="Training",
            labels={"backbone": "{backbone}"},
        ),
    log:
        "logs/evaluate/{backbone}.log",
    benchmark:
        "benchmarks/evaluate/{backbone}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=4000,
        runtime="1h",
    params:
        code=lambda wildcards: select.code(
            "evaluate.py", select.network_module(wildcards.backbone)
        ),
    script:
        "../workflow_scripts/evaluate.py"


rule measure:
    input:
        model="results/models/{backbone}/model.safetensors",
    output:
        cost="results/models/{backbone}/cost.json",
    log:
        "logs/measure/{backbone}.log",
    benchmark:
        "benchmarks/measure/{backbone}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime="10m",
    params:
        code=lambda wildcards: select.code(
            "measure.py", select.network_module(wildcards.backbone)
        ),
    script:
        "../workflow_scripts/measure.py"


rule compare:
    input:
        metrics=expand("results/models/{backbone}/metrics.json", backbone=BACKBONES),
        costs=expand("results/models/{backbone}/cost.json", backbone=BACKBONES),
    output:
        table="results/comparison/accuracy.csv",
        levels=report(
            "results/comparison/levels.csv",
            caption="../report/levels.rst",
            category="Comparison",
            labels={"figure": "levels", "backbone": "all"},
        ),
        markdown=report(
            "results/comparison/accuracy.md",
            caption="../report/accuracy.rst",
            category="Comparison",
            labels={"figure": "table", "backbone": "all"},
        ),
        plot=report(
            "results/comparison/accuracy.png",
            caption="../report/trade.rst",
            category="Comparison",
            labels={"figure": "accuracy against cost", "backbone": "all"},
        ),
    log:
        "logs/compare.log",
    benchmark:
        "benchmarks/compare.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=select.code("compare.py"),
        backbones=BACKBONES,
    script:
        "../workflow_scripts/compare.py"
