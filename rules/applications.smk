rule application:
    input:
        files=lambda wildcards: on_disk(select.application_files, wildcards.application),
        weights=lambda wildcards: on_disk(
            select.small_weights,
            "application.py",
            f"evaluation/experiments/{wildcards.application}.py",
        ),
        model=model_file(config["maps"]["model"]),
    output:
        scores=report(
            "results/applications/{application}/scores.csv",
            caption="../report/application.rst",
            category="Applications",
            labels={"application": "{application}", "figure": "scores"},
        ),
        figure=report(
            "results/applications/{application}/example.png",
            caption="../report/application.rst",
            category="Applications",
            labels={"application": "{application}", "figure": "example"},
        ),
    log:
        "logs/applications/{application}.log",
    benchmark:
        "benchmarks/applications/{application}.tsv"
    wildcard_constraints:
        application=one_of(APPLICATIONS),
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="1h",
    params:
        code=lambda wildcards: select.code(
            "application.py",
            f"evaluation/experiments/{wildcards.application}.py",
            select.model_module(config["maps"]["model"]),
        ),
        photographs=package_version("skimage"),
        maps=config["maps"],
        settings=lambda wildcards: config["applications"][wildcards.application],
        programs=lambda wildcards: list(
            installed_programs(
                config["applications"][wildcards.application].get("commands", {})
            )
        ),
        seed=config["seed"],
    script:
        "../workflow_scripts/application.py"


rule no_reference:
    input:
        files=lambda wildcards: on_disk(select.no_reference_files),
        model=model_file(config["maps"]["model"]),
    output:
        scores="results/applications/no_reference/scores.csv",
        photographs="results/applications/no_reference/photographs.csv",
        markdown=report(
            "results/applications/no_reference/scores.md",
            caption="../report/no_reference.rst",
            category="Applications",
            labels={"application": "enhance", "figure": "scores without a truth"},
        ),
    log:
        "logs/applications/no_reference.log",
    benchmark:
        "benchmarks/applications/no_reference.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="2h",
    params:
        code=select.code(
            "no_reference.py", select.model_module(config["maps"]["model"])
        ),
        packages=select.no_reference_versions(),
        maps=config["maps"],
        settings=config["no_reference"],
        scores=available_scores(),
    script:
        "../workflow_scripts/no_reference.py"


rule fuse_set:
    input:
        files=lambda wildcards: on_disk(select.stack_files, wildcards.stacks),
        weights=on_disk(select.small_weights, "fuse_set.py"),
        model=model_file(config["maps"]["model"]),
    output:
        folder=directory("results/applications/fuse_{stacks}/images"),
        scores="results/applications/fuse_{stacks}/scores.csv",
        stacks="results/applications/fuse_{stacks}/stacks.csv",
        markdown=report(
            "results/applications/fuse_{stacks}/scores.md",
            caption="../report/fuse_set.rst",
            category="Applications",
            labels={"application": "fuse, {stacks}"},
        ),
        figure=report(
            "results/applications/fuse_{stacks}/examples.png",
            caption="../report/fuse_set.rst",
            category="Applications",
            labels={"application": "fuse, {stacks}"},
        ),
    log:
        "logs/applications/fuse_{stacks}.log",
    benchmark:
        "benchmarks/applications/fuse_{stacks}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="1h",
    params:
        code=select.code("fuse_set.py", select.model_module(config["maps"]["model"])),
        maps=config["maps"],
        settings=lambda wildcards: config["stacks"][wildcards.stacks],
        programs=lambda wildcards: list(
            installed_programs(config["stacks"][wildcards.stacks]["commands"])
        ),
    script:
        "../workflow_scripts/fuse_set.py"
