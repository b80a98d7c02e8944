rule maps:
    input:
        files=lambda wildcards: set_files(
            wildcards.set, select.photographs, int(wildcards.shard)
        ),
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
        code=select.code("maps.py", select.model_module(config["maps"]["model"])),
        settings=config["maps"],
        made=lambda wildcards: select.made_shard(wildcards.set, int(wildcards.shard)),
    script:
        "../workflow_scripts/maps.py"


rule map_pictures:
    input:
        maps="results/maps/{set}/{shard}",
    output:
        folder=directory("results/map_pictures/{set}/{shard}"),
    log:
        "logs/map_pictures/{set}_{shard}.log",
    benchmark:
        "benchmarks/map_pictures/{set}_{shard}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        code=select.code("map_pictures.py"),
    script:
        "../workflow_scripts/map_pictures.py"


rule score:
    input:
        files=lambda wildcards: set_files(
            wildcards.set, select.pairs, [int(wildcards.shard)]
        ),
        table=lambda wildcards: on_disk(select.tables, wildcards.set),
        peers=lambda wildcards: on_disk(
            select.peer_maps, wildcards.set, int(wildcards.shard)
        ),
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
        code=select.code("score.py"),
        settings=lambda wildcards: select.score_settings(wildcards.set),
        made=lambda wildcards: select.made_shard(wildcards.set, int(wildcards.shard)),
        methods=config["baselines"],
    script:
        "../workflow_scripts/score.py"


rule benchmark:
    input:
        files=lambda wildcards: set_files(
            wildcards.set, select.pairs, range(select.set_shards(wildcards.set))
        ),
        table=lambda wildcards: on_disk(select.tables, wildcards.set),
        parts=shards_of("results/benchmarks/{set}/shards/{shard}.json"),
        maps=shards_of("results/maps/{set}/{shard}"),
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
        code=select.code("benchmark.py"),
        settings=lambda wildcards: config["benchmark_sets"][wildcards.set],
        folders=lambda wildcards, input: select.set_folders(wildcards.set, input.files),
        pairing=lambda wildcards: select.set_pairing(wildcards.set),
    script:
        "../workflow_scripts/benchmark.py"


use rule maps as maps_of_variant with:
    input:
        files=lambda wildcards: set_files(
            wildcards.set, select.photographs, int(wildcards.shard)
        ),
        model=lambda wildcards: model_file(
            select.map_variants[wildcards.map_variant]["model"]
        ),
    output:
        folder=directory("results/map_variants/{set}/{map_variant}/maps/{shard}"),
    log:
        "logs/map_variants/{set}/{map_variant}/maps_{shard}.log",
    benchmark:
        "benchmarks/map_variants/{set}/{map_variant}/maps_{shard}.tsv"
    params:
        code=lambda wildcards: select.code(
            "maps.py",
            select.model_module(select.map_variants[wildcards.map_variant]["model"]),
        ),
        settings=lambda wildcards: select.map_variants[wildcards.map_variant],


use rule score as score_of_variant with:
    input:
        files=lambda wildcards: set_files(
            wildcards.set, select.pairs, [int(wildcards.shard)]
        ),
        table=lambda wildcards: on_disk(select.tables, wildcards.set),
        maps=lambda wildcards: (
            f"results/maps/{wildcards.set}/{wildcards.shard}"
            if wildcards.map_variant == "default"
            else f"results/map_variants/{wildcards.set}/{wildcards.map_variant}/maps/{wildcards.shard}"
        ),
    output:
        part="results/map_variants/{set}/{map_variant}/shards/{shard}.json",
    log:
        "logs/map_variants/{set}/{map_variant}/score_{shard}.log",
    benchmark:
        "benchmarks/map_variants/{set}/{map_variant}/score_{shard}.tsv"
    params:
        settings=lambda wildcards: {
            **select.score_settings(wildcards.set),
            "peers": {},
        },
        methods=[],


rule map_variants:
    input:
        unpack(
            lambda wildcards: {
                f"parts_{name}": expand(
                    "results/map_variants/{set}/{map_variant}/shards/{shard}.json",
                    set=wildcards.set,
                    map_variant=name,
                    shard=range(select.set_shards(wildcards.set)),
                )
                for name in select.map_variants
            }
        ),
    output:
        scores="results/map_variants/{set}/scores.csv",
        markdown=report(
            "results/map_variants/{set}/scores.md",
            caption="../report/map_variants.rst",
            category="Benchmarks",
            labels={"figure": "variants of the maps", "set": "{set}"},
        ),
    log:
        "logs/map_variants/{set}.log",
    benchmark:
        "benchmarks/map_variants/{set}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=select.code("map_variants.py"),
        truth=lambda wildcards: config["benchmark_sets"][wildcards.set]["truth"],
        map_variants=list(select.map_variants),
    script:
        "../workflow_scripts/map_variants.py"


rule published:
    input:
        unpack(
            lambda wildcards: {
                name: on_disk(lambda: [path])[0]
                for name, path in config["published"][wildcards.published].items()
            }
        ),
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
        code=select.code("published.py", select.model_module(config["maps"]["model"])),
        settings=config["maps"],
    script:
        "../workflow_scripts/published.py"
