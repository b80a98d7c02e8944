COMPARED = [
    *expand("results/models/{backbone}", backbone=BACKBONES),
    *expand("results/shipped/{shipped}", shipped=config["evaluate_shipped"]),
]


rule evaluate:
    input:
        model="results/models/{backbone}/model.safetensors",
        test="results/patches/test.h5",
        shards=select.shard_patches("test"),
    output:
        metrics="results/models/{backbone}/metrics.json",
        confusion=report(
            "results/models/{backbone}/confusion.png",
            caption="../report/confusion.rst",
            category="Comparison",
            labels={"figure": "confusion", "model": "{backbone}"},
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


use rule evaluate as evaluate_shipped with:
    input:
        model=lambda wildcards: model_file(f"shipped/{wildcards.shipped}"),
        test="results/patches/test.h5",
        shards=select.shard_patches("test"),
    output:
        metrics="results/shipped/{shipped}/metrics.json",
        confusion=report(
            "results/shipped/{shipped}/confusion.png",
            caption="../report/confusion.rst",
            category="Comparison",
            labels={"figure": "confusion", "model": "{shipped}, in the package"},
        ),
    log:
        "logs/evaluate_shipped/{shipped}.log",
    benchmark:
        "benchmarks/evaluate_shipped/{shipped}.tsv"
    params:
        code=lambda wildcards: select.code(
            "evaluate.py", select.model_module(f"shipped/{wildcards.shipped}")
        ),


rule training_curve:
    input:
        history="results/models/{backbone}/history.csv",
    output:
        curve=report(
            "results/models/{backbone}/history.png",
            caption="../report/history.rst",
            category="Training",
            labels={"backbone": "{backbone}"},
        ),
    log:
        "logs/training_curve/{backbone}.log",
    benchmark:
        "benchmarks/training_curve/{backbone}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=select.code("training_curve.py"),
    script:
        "../workflow_scripts/training_curve.py"


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


use rule measure as measure_shipped with:
    input:
        model=lambda wildcards: model_file(f"shipped/{wildcards.shipped}"),
    output:
        cost="results/shipped/{shipped}/cost.json",
    log:
        "logs/measure_shipped/{shipped}.log",
    benchmark:
        "benchmarks/measure_shipped/{shipped}.tsv"
    params:
        code=lambda wildcards: select.code(
            "measure.py", select.model_module(f"shipped/{wildcards.shipped}")
        ),


rule compare:
    input:
        metrics=expand("{folder}/metrics.json", folder=COMPARED),
        costs=expand("{folder}/cost.json", folder=COMPARED),
        histories=expand("results/models/{backbone}/history.csv", backbone=BACKBONES),
    output:
        table="results/comparison/accuracy.csv",
        levels=report(
            "results/comparison/levels.csv",
            caption="../report/levels.rst",
            category="Comparison",
            labels={"figure": "levels", "model": "all"},
        ),
        markdown=report(
            "results/comparison/accuracy.md",
            caption="../report/accuracy.rst",
            category="Comparison",
            labels={"figure": "table", "model": "all"},
        ),
        plot=report(
            "results/comparison/accuracy.png",
            caption="../report/trade.rst",
            category="Comparison",
            labels={"figure": "accuracy against cost", "model": "all"},
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
        shipped=config["evaluate_shipped"],
    script:
        "../workflow_scripts/compare.py"


TESTED = [
    "results/patches",
    *expand("results/patch_variants/{name}", name=select.typed.domains.patch_variants),
]


rule domains:
    input:
        models=domain_models,
        tests=expand("{folder}/test.h5", folder=TESTED),
        shards=[
            shard
            for folder in TESTED
            for shard in select.shard_patches("test", folder)
        ],
    output:
        table="results/comparison/domains.csv",
        markdown=report(
            "results/comparison/domains.md",
            caption="../report/domains.rst",
            category="Comparison",
            labels={"figure": "across domains", "model": "all"},
        ),
    log:
        "logs/domains.log",
    benchmark:
        "benchmarks/domains.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=4000,
        runtime="2h",
    params:
        code=select.code(
            "domains.py",
            *map(select.model_module, select.typed.domains.models),
        ),
        models=select.typed.domains.models,
        tested=["patches", *select.typed.domains.patch_variants],
    script:
        "../workflow_scripts/domains.py"
