rule application:
    input:
        model=model_file(config["maps"]["model"]),
    output:
        scores="results/applications/{application}/scores.csv",
        figure=report(
            "results/applications/{application}/example.png",
            caption="../report/{application}.rst",
            category="Applications",
            labels={"application": "{application}"},
        ),
    log:
        "logs/applications/{application}.log",
    benchmark:
        "benchmarks/applications/{application}.tsv"
    wildcard_constraints:
        application="|".join(APPLICATIONS),
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=3000,
        runtime="1h",
    params:
        code=lambda wildcards: code(f"{wildcards.application}.py"),
        maps=config["maps"],
        settings=lambda wildcards: config["applications"][wildcards.application],
    script:
        "../workflow_scripts/{wildcards.application}.py"
