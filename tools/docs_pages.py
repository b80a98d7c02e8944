"""Hooks of the site: pages made from the code, and from files that lie beside docs/.

The reference can then not go stale: `mkdocs build` reads the package, `defocus --help` and config/README.md.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "defocus_core"
SUBPACKAGES = {
    "io": "Read and write photographs, colour and metadata.",
    "blur": "Blur kernels, blur levels and the rendering of defocus.",
    "networks": "Networks, their registry, weights on disk and export.",
    "training": "Patches, layered scenes and the training of networks.",
    "maps": "Defocus maps, their refinement and the in-focus probability.",
    "applications": "Enhancement, magnification, fusion and depth.",
    "evaluation": "Metrics, peers, benchmarks and experiments.",
}
COMMENT = re.compile(r"^<!-- .* -->\n", re.M)
IN_REPOSITORY = re.compile(r"\]\((?!https?:|#)(?:\.\./)*([\w./-]+?)\)")
PAGES = {  # links from files beside docs/ to pages
    "config/README.md": "configuration.md",
    "results/README.md": "files.md",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    pages = {
        "reference/public.md": _public_page(),
        "reference/command_line.md": _command_line_page(),
        "reference/configuration.md": _copied("config/README.md"),
        "reference/files.md": _copied("results/README.md"),
        "contributing.md": _copied("CONTRIBUTING.md"),
        "changelog.md": _copied("CHANGELOG.md"),
        **{f"reference/{name}.md": _subpackage_page(name, about) for name, about in SUBPACKAGES.items()},
    }
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Leave out the comments above tables, which `make tables` and `make schema` read."""
    return COMMENT.sub("", markdown)


def _copied(path: str) -> str:
    """Return a file beside docs/, its links to other such files as code unless they are pages."""

    def page(found: re.Match) -> str:
        return f"]({PAGES[found[1]]})" if found[1] in PAGES else "]" + "{.file}"

    text = (ROOT / path).read_text()
    return re.sub(r"\[([^\]]+)\]\{\.file\}", r"`\1`", IN_REPOSITORY.sub(page, text))


def _subpackage_page(name: str, about: str) -> str:
    modules = "".join(f"::: {module}\n\n" for module in _modules(PACKAGE / name))
    return f"# defocus_core.{name}\n\n{about}\n\n{modules}"


def _modules(folder: Path) -> Iterator[str]:
    """Yield the public modules of a folder that have a docstring."""
    for file in sorted(folder.rglob("*.py")):
        private = any(part.startswith("_") for part in file.relative_to(folder).parts)
        if not private and ast.get_docstring(ast.parse(file.read_text())):
            yield ".".join(file.relative_to(ROOT).with_suffix("").parts)


def _public_page() -> str:
    """Return a page of what `import defocus_core` offers, in the order of its stub."""
    rows = []
    for node in ast.parse((PACKAGE / "__init__.pyi").read_text()).body:
        if isinstance(node, ast.ImportFrom):
            module = f"defocus_core.{node.module}"
            source = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
            told = {each.name: each for each in source.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
            for alias in node.names:
                summary = (ast.get_docstring(told[alias.name]) or "").splitlines()[0]
                rows.append(f"| [`dc.{alias.name}`][{module}.{alias.name}] | {summary} |")
    return (
        "# Python\n\n```python\nimport defocus_core as dc\n\n"
        'image = dc.read("photo.jpg")\nsigma = dc.estimate(image)\n```\n\n'
        "The package loads its modules when they are used, so that the import itself is fast.\n\n"
        "| name | |\n|---|---|\n" + "\n".join(rows) + "\n\n"
        "## By subpackage\n\n| subpackage | |\n|---|---|\n"
        + "".join(f"| [`{name}`]({name}.md) | {about} |\n" for name, about in SUBPACKAGES.items())
    )


def _command_line_page() -> str:
    commands = re.findall(r"^    (\w+) ", _help(), re.M)
    sections = "".join(f"## defocus {name}\n\n```text\n{_help(name)}```\n\n" for name in commands)
    return f"# Command line\n\n```text\n{_help()}```\n\n{sections}"


def _help(*command: str) -> str:
    shown = subprocess.run(
        [sys.executable, "-m", "defocus_core", *command, "--help"],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return shown.stdout
