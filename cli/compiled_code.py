"""Whether the machine code of Selective Search lies on disk, without loading the compiler to ask."""

import ast
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from googlenet_rcnn.core.user_cache import user_cache

__all__ = ["uncompiled_functions"]


def uncompiled_functions(folder: Path | None = None) -> list[str]:
    """Names of the compiled functions of a folder [googlenet_rcnn.proposals] whose machine code is missing or old.

    numba keeps an index file for each function, named for the module, the function, its first line and the Python,
    beside the module, or where NUMBA_CACHE_DIR says, or in the user's cache where neither can be written.
    """
    folder = _proposals() if folder is None else folder
    tag = f"py{sys.version_info.major}{sys.version_info.minor}{getattr(sys, 'abiflags', '')}"
    missing = []
    for source in sorted(folder.glob("*.py")):
        for function in _compiled(source):
            line = min(decorator.lineno for decorator in function.decorator_list)
            name = f"{source.stem}.{function.name}-{line}.{tag}.nbi"
            if not any(_newer(index, source) for index in _indices(folder, name)):
                missing.append(f"{source.stem}.{function.name}")
    return missing


def _proposals() -> Path:
    spec = find_spec("googlenet_rcnn.proposals")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _compiled(source: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.parse(source.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(decorator, ast.Name) and decorator.id.startswith("compiled") for decorator in node.decorator_list
        ):
            yield node


def _indices(folder: Path, name: str) -> Iterator[Path]:
    told = os.environ.get("NUMBA_CACHE_DIR")
    if told:
        yield from Path(told).rglob(name)
        return
    yield folder / "__pycache__" / name
    with suppress(OSError):
        yield from (user_cache().parent / "numba").rglob(name)


def _newer(index: Path, source: Path) -> bool:
    try:
        return index.stat().st_mtime >= source.stat().st_mtime
    except OSError:
        return False
