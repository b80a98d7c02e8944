use rule synthesize as synthesize_recipe with:
    output:
        patches="results/recipes/{recipe}/shards/{split}_{shard}.h5",
    log:
        "logs/synthesize/{recipe}_{split}_{shard}.log",
    benchmark:
        "benchmarks/synthesize/{recipe}_{split}_{shard}.tsv"
    params:
        recipe=lambda wildcards: RECIPES[wildcards.recipe]["patches"],


use rule join as join_recipe with:
    input:
        lambda wildcards: shards(wildcards.split, f"results/recipes/{wildcards.recipe}"),
    output:
        patches="results/recipes/{recipe}/{split}.h5",
    log:
        "logs/join/{recipe}_{split}.log",
    benchmark:
        "benchmarks/join/{recipe}_{split}.tsv"


use rule train as train_recipe with:
    input:
        train="results/recipes/{recipe}/train.h5",
        validation="results/recipes/{recipe}/validation.h5",
        shards=lambda wildcards: [
            file
            for split in ("train", "validation")
            for file in shards(split, f"results/recipes/{wildcards.recipe}")
        ],
    output:
        model="results/recipes/{recipe}/model.safetensors",
        history="results/recipes/{recipe}/history.csv",
    log:
        "logs/train/recipe_{recipe}.log",
    benchmark:
        "benchmarks/train/recipe_{recipe}.tsv"
    params:
        code=lambda wildcards: code(
            "train.py", network(RECIPES[wildcards.recipe]["backbone"])
        ),
        backbone=lambda wildcards: RECIPES[wildcards.recipe]["backbone"],
        settings=lambda wildcards: RECIPES[wildcards.recipe]["train"],
