localrules:
    download,


rule download:
    output:
        folder=directory("results/downloads/{sha256}"),
    log:
        "logs/download/{sha256}.log",
    benchmark:
        "benchmarks/download/{sha256}.tsv"
    wildcard_constraints:
        sha256="[0-9a-f]{64}",
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime="12h",
    params:
        code=select.code("download.py"),
        url=lambda wildcards: select.downloads()[wildcards.sha256],
    script:
        "../workflow_scripts/download.py"


rule ingest:
    input:
        files=lambda wildcards: on_disk(select.source_files),
        downloads=expand("results/downloads/{sha256}", sha256=select.downloads()),
    output:
        manifest="results/ingest/manifest.csv",
    log:
        "logs/ingest.log",
    benchmark:
        "benchmarks/ingest.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * 2 ** (attempt - 1),
        runtime="1h",
    params:
        code=select.code("ingest.py"),
        settings=config["ingest"],
        versions=select.source_versions(),
        stride=config["patches"]["stride"],
        min_sharpness=config["patches"]["min_sharpness"],
    script:
        "../workflow_scripts/ingest.py"


rule synthesize:
    input:
        downloads=rules.ingest.input.downloads,
        manifest="results/ingest/manifest.csv",
    output:
        patches="results/patches/shards/{split}_{shard}.h5",
    log:
        "logs/synthesize/{split}_{shard}.log",
    benchmark:
        "benchmarks/synthesize/{split}_{shard}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime="2h",
    params:
        code=select.code("synthesize.py"),
        patches=config["patches"],
        shards=config["shards"],
        seed=config["seed"],
    script:
        "../workflow_scripts/synthesize.py"


rule join:
    input:
        lambda wildcards: select.shard_patches(wildcards.split),
    output:
        patches="results/patches/{split}.h5",
    log:
        "logs/join/{split}.log",
    benchmark:
        "benchmarks/join/{split}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=select.code("join.py"),
    script:
        "../workflow_scripts/join.py"


rule embedded_set:
    output:
        folder=directory("results/sets/{set}"),
    log:
        "logs/sets/{set}.log",
    benchmark:
        "benchmarks/sets/{set}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        code=select.code("embedded_set.py"),
        photographs=package_version("skimage"),
        seed=config["seed"],
        size=lambda wildcards: config["benchmark_sets"][wildcards.set]["size"],
    script:
        "../workflow_scripts/embedded_set.py"
