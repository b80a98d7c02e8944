rule maps:
    input:
        files=set_files,
        model=model_file(config["maps"]["model"]),
    output:
        folder=directory("results/maps/{set}"),
    log:
        "logs/maps/{set}.log",
    benchmark:
        "benchmarks/maps/{set}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        code=code("maps.py"),
        settings=config["maps"],
        folders=lambda wildcards: set_folders(wildcards.set),
        pairing=lambda wildcards: set_pairing(wildcards.set),
    script:
        "../workflow_scripts/maps.py"


rule benchmark:
    input:
        files=set_files,
        peers=peers_of_set,
        maps="results/maps/{set}",
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
        folders=lambda wildcards: set_folders(wildcards.set),
        pairing=lambda wildcards: set_pairing(wildcards.set),
        methods=config["baselines"],
    script:
        "../workflow_scripts/benchmark.py"


rule published:
    input:
        unpack(lambda wildcards: config["published"][wildcards.published]),
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
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        code=code("published.py"),
        settings=config["maps"],
    script:
        "../workflow_scripts/published.py"
