"""The shape of the project, read from its syntax trees: what may import what, and how large files are."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "googlenet_rcnn"
FOLDERS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ALLOWED = {
    "core": set(),
    "backbone": {"core"},
    "proposals": {"core", "backbone"},
    "detector": {"core", "backbone"},
    "api": {"core", "backbone", "proposals", "detector"},
    "datasets": {"core"},
    "eval": {"core"},
    "cli": set(FOLDERS),
}
TORCH_FREE = ("core", "datasets", "eval")
FILES = sorted(path for folder in [*FOLDERS, "tests"] for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, at its top or anywhere below."""
    here = [PACKAGE, *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_point_one_way(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for name in imported(path):
            top, _, rest = name.partition(".")
            if top == PACKAGE:
                assert rest.split(".")[0] in ALLOWED[folder] | {folder}, f"{path}: {name}"
            assert not (folder in TORCH_FREE and top in ("torch", "torchvision")), f"{path}: {name}"


def test_packages_are_the_folders() -> None:
    setuptools = PROJECT["tool"]["setuptools"]
    parts = [path.parent.relative_to(ROOT).parts for folder in FOLDERS for path in (ROOT / folder).rglob("__init__.py")]
    assert sorted(setuptools["packages"]) == sorted(".".join([PACKAGE, *part]) for part in parts)
    assert setuptools["package-dir"] == {f"{PACKAGE}.{folder}": folder for folder in FOLDERS}
    assert sorted(ALLOWED) == FOLDERS
    assert not (ROOT / PACKAGE).exists()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_imported_by_its_full_name_only(folder: str) -> None:
    body = ast.parse((ROOT / folder / "__init__.py").read_text("utf-8")).body
    name = f"{PACKAGE}.{folder}"
    guard = f'if __name__ != "{name}":\n    raise ImportError("import this folder as {name}")'
    assert ast.dump(body[1]) == ast.dump(ast.parse(guard).body[0])
    assert (ROOT / folder / "py.typed").is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_at_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300
    assert not re.fullmatch(r"utils?|misc|helpers?|common", path.stem)


def test_the_conda_environment_installs_this_project() -> None:
    lines = [line.strip() for line in (ROOT / "environment.yml").read_text("utf-8").splitlines()]
    entries = {line.removeprefix("- ").strip("\"' ") for line in lines if line.startswith("- ")}
    assert f"python{PROJECT['project']['requires-python']}" in {entry.replace(" ", "") for entry in entries}
    assert entries & {"pip", "pip:"} == {"pip", "pip:"}
    assert entries & {".", "-e .", ".[dev]", "-e .[dev]"}
