"""Configuration keys that have another name now."""

from __future__ import annotations

from collections.abc import Iterator

RENAMED = {  # pattern of a key, the names above it as they are now, * for any one -> its name now
    "recipes": "patch_variants",
    "scenes": "layered_scenes",
    "sets": "benchmark_sets",
    "train_of": "train_overrides",
    "variants": "map_variants",
    "ingest.shares": "split_fractions",
    **{
        f"{section}.{old}": new
        for section in ("patches", "patch_variants.*.patches")
        for old, new in (
            ("levels.smallest", "min_sigma"),
            ("levels.largest", "max_sigma"),
            ("disk", "disk_fraction"),
            ("sharpness", "min_sharpness"),
            ("flat_share", "flat_fraction"),
            ("cap", "max_per_image"),
        )
    },
    **{
        f"{section}.augment.jpeg": "jpeg_fraction"
        for section in ("train", "train_overrides.*", "patch_variants.*.train", "layered_scenes.train")
    },
    "layered_scenes.sharp_share": "min_sharp_fraction",
    "layered_scenes.recipe": "scene",
    "layered_scenes.average": "start_weight",
    "layered_scenes.scene.smallest": "min_sigma",
    "layered_scenes.scene.largest": "max_sigma",
    "layered_scenes.scene.disk": "disk_fraction",
    "layered_scenes.scene.linear_light": "linear_light_fraction",
    "layered_scenes.scene.shaded": "shaded_fraction",
    **{
        f"{section}.{old}": new
        for section in ("maps", "map_variants.*")
        for old, new in (
            ("certainty", "certainty_exponent"),
            ("coarsest", "min_pyramid_side"),
            ("logarithm", "log_sigma"),
            ("stretch", "stretch_contrast"),
            ("refinement.trust", "certainty_exponent"),
            ("refinement.floor", "min_weight"),
        )
    },
    "benchmark_sets.*.blurred": "blurred_value",
    "benchmark_sets.*.peers.*.high": "high_means",
    "no_reference.*.most": "limit",
    "stacks.*.stacks": "folder",
    "applications.enhance.largest": "max_sigmas",
    "applications.magnify.focus": "focus_disparity",
    "applications.magnify.factor": "aperture_ratio",
    "applications.*.strength": "sigma_per_disparity",
}


def renamed_keys(config: dict) -> Iterator[tuple[str, str]]:
    """Yield each key of a configuration that has another name now, as it is written, and that name."""
    yield from _walk(config, "", "")


def _walk(node: object, written: str, current: str) -> Iterator[tuple[str, str]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        old, new = (f"{above}.{key}".lstrip(".") for above in (written, current))
        name = next((RENAMED[pattern] for pattern in RENAMED if _matches(new, pattern)), None)
        if name:
            yield old, name
            new = f"{current}.{name}".lstrip(".")
        yield from _walk(value, old, new)


def _matches(key: str, pattern: str) -> bool:
    """Say whether a key is of a pattern, name by name."""
    names, expected = key.split("."), pattern.split(".")
    return len(names) == len(expected) and all(e in ("*", n) for n, e in zip(names, expected, strict=True))
