rule maps:
    input:
        files=shard_photographs,
        model=model_file(config["maps"]["model"]),
    output:
        folder=directory("results/maps/{set}/{shard}"),
    log:
        "logs/maps/{set}_{shard}.log",
    benchmark:
        "benchmarks/maps/{set}_{shard}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        code=code("maps.py", network_of(config["maps"]["model"])),
        settings=config["maps"],
        folders=set_folders,
        pairing=lambda wildcards: set_pairing(wildcards.set),
        shards=lambda wildcards: set_shards(wildcards.set),
    script:
        "../workflow_scripts/maps.py"


rule score:
    input:
        files=shard_files,
        peers=shard_peers,
        maps="results/maps/{set}/{shard}",
    output:
        part="results/benchmarks/{set}/shards/{shard}.json",
    log:
        "logs/score/{set}_{shard}.log",
    benchmark:
        "benchmarks/score/{set}_{shard}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=3000,
        runtime="4h",
    params:
        code=code("score.py"),
        settings=lambda wildcards: config["sets"][wildcards.set],
        folders=set_folders,
        pairing=lambda wildcards: set_pairing(wildcards.set),
        shards=lambda wildcards: set_shards(wildcards.set),
        methods=config["baselines"],
    script:
        "../workflow_scripts/score.py"


rule benchmark:
    input:
        files=all_files,
        parts=lambda wildcards: expand(
            "results/benchmarks/{set}/shards/{shard}.json",
            set=wildcards.set,
            shard=range(set_shards(wildcards.set)),
        ),
        maps=lambda wildcards: expand(
            "results/maps/{set}/{shard}",
            set=wildcards.set,
            shard=range(set_shards(wildcards.set)),
        ),
    output:
        scores="results/benchmarks/{set}/scores.csv",
        images="results/benchmarks/{set}/images.csv",
        markdown=report(
            "results/benchmarks/{set}/scores.md",
            caption="../report/scores.rst",
            category="Benchmarks",
            labels={"figure": "table", "set": "{set}"},
        ),
        curve=report(
            "results/benchmarks/{set}/curve.png",
            caption="../report/curve.rst",
            category="Benchmarks",
            labels={"figure": "curve", "set": "{set}"},
        ),
        examples=report(
            "results/benchmarks/{set}/examples.png",
            caption="../report/examples.rst",
            category="Benchmarks",
            labels={"figure": "examples", "set": "{set}"},
        ),
    log:
        "logs/benchmark/{set}.log",
    benchmark:
        "benchmarks/benchmark/{set}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=3000,
        runtime="4h",
    params:
        code=code("benchmark.py"),
        settings=lambda wildcards: config["sets"][wildcards.set],
        folders=set_folders,
        pairing=lambda wildcards: set_pairing(wildcards.set),
    script:
        "../workflow_scripts/benchmark.py"


use rule maps as variant_maps with:
    input:
        files=shard_photographs,
        model=lambda wildcards: model_file(VARIANTS[wildcards.variant]["model"]),
    output:
        folder=directory("results/variants/{set}/{variant}/maps/{shard}"),
    log:
        "logs/variants/{set}/{variant}/maps_{shard}.log",
    benchmark:
        "benchmarks/variants/{set}/{variant}/maps_{shard}.tsv"
    params:
        code=lambda wildcards: code(
            "maps.py", network_of(VARIANTS[wildcards.variant]["model"])
        ),
        settings=lambda wildcards: VARIANTS[wildcards.variant],


use rule score as variant_score with:
    input:
        files=shard_files,
        maps=lambda wildcards: (
            f"results/maps/{wildcards.set}/{wildcards.shard}"
            if wildcards.variant == "default"
            else f"results/variants/{wildcards.set}/{wildcards.variant}/maps/{wildcards.shard}"
        ),
    output:
        part="results/variants/{set}/{variant}/shards/{shard}.json",
    log:
        "logs/variants/{set}/{variant}/score_{shard}.log",
    benchmark:
        "benchmarks/variants/{set}/{variant}/score_{shard}.tsv"
    params:
        settings=lambda wildcards: {**config["sets"][wildcards.set], "peers": {}},
        methods=[],


rule variants:
    input:
        parts=lambda wildcards: expand(
            "results/variants/{set}/{variant}/shards/{shard}.json",
            set=wildcards.set,
            variant=VARIANTS,
            shard=range(set_shards(wildcards.set)),
        ),
    output:
        scores="results/variants/{set}/scores.csv",
        markdown=report(
            "results/variants/{set}/scores.md",
            caption="../report/variants.rst",
            category="Benchmarks",
            labels={"figure": "variants of the maps", "set": "{set}"},
        ),
    log:
        "logs/variants/{set}.log",
    benchmark:
        "benchmarks/variants/{set}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("variants.py"),
        truth=lambda wildcards: config["sets"][wildcards.set]["truth"],
        variants=list(VARIANTS),
    script:
        "../workflow_scripts/variants.py"


rule published:
    input:
        unpack(published_files),
        model=model_file(config["maps"]["model"]),
    output:
        figure=report(
            "results/published/{published}.png",
            caption="../report/published.rst",
            category="Benchmarks",
            labels={"figure": "beside published maps", "set": "{published}"},
        ),
        scores="results/published/{published}.csv",
    log:
        "logs/published/{published}.log",
    benchmark:
        "benchmarks/published/{published}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        code=code("published.py", network_of(config["maps"]["model"])),
        settings=config["maps"],
    script:
        "../workflow_scripts/published.py"
