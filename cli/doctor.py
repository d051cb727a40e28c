"""`doctor`: whether this computer has what the commands need, and what would make them faster."""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal

from googlenet_rcnn.backbone.engine_cache import cache_folder
from googlenet_rcnn.backbone.runtime_import import import_onnxruntime, import_openvino
from googlenet_rcnn.core.errors import Exit, ModelError
from googlenet_rcnn.core.threads import available_threads

from .boundary import one_line
from .compiled_code import uncompiled_functions
from .machine import read_memory, read_processor
from .packages import RUNTIME_PACKAGES, extra_packages, installed, opencv_wheels, required_packages

__all__ = ["Finding", "examine", "run_doctor"]

_COLOURS = {"ok": "32", "note": "36", "warning": "33", "broken": "31"}
_ENOUGH_MEMORY = 1 << 30
# Quick to load, and what most often fails to: a wheel for another system, a library that is missing.
_LOADED = ("numpy", "cv2", "PIL", "safetensors")
_LOADED_IN_DEPTH = ("torch", "torchvision", "numba", "scipy", "sklearn", "matplotlib", "pycocotools", "selectivesearch")

_EXTRAS = {"serve": "the page in the browser", "ray": "batch, for very many images", "tables": "Parquet tables"}

_QUIETLY: dict[str, Callable[[], Any]] = {"onnxruntime": import_onnxruntime, "openvino": import_openvino}
"""Loaded otherwise, they would report home."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: its state, what was seen, how to mend it, and the same as values."""

    name: str
    state: Literal["ok", "note", "warning", "broken"]
    text: str
    mend: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def run_doctor(as_json: bool = False, deep: bool = False) -> int:
    """Prints what was found, as lines or as JSON; 0, or Exit.DATA if something that is needed is broken."""
    findings = list(examine(deep))
    broken = list(dict.fromkeys(one.name for one in findings if one.state == "broken"))
    if as_json:
        print(json.dumps({"schema": 1, "ok": not broken, "findings": [asdict(one) for one in findings]}, indent=2))
    else:
        colours = _colours()
        width = max(len(one.name) for one in findings)
        for one in findings:
            state = f"{one.state:<7}"
            if colours:
                state = f"\x1b[{_COLOURS[one.state]}m{state}\x1b[0m"
            print(f"{state}  {one.name:<{width}}  {one_line(one.text)}")
            if one.mend:
                print(f"{'':<{width + 11}}{one_line(one.mend)}")
        next_step = f"broken: {', '.join(broken)}; do what stands below it, then run doctor again"
        print(next_step if broken else "everything that is needed is there; next: detect --image photo.jpg")
    return Exit.DATA if broken else Exit.OK


def examine(deep: bool = False) -> Iterator[Finding]:
    """Looks at one thing after another; `deep` loads every package and every weight."""
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")
    processor = read_processor()
    sets = ", ".join(processor.instructions) or "no instruction sets told"
    yield Finding("processor", "ok", f"{processor.model} ({sets})", values=asdict(processor))
    yield _threads(processor.count)
    yield _memory()
    yield from _packages()
    yield _opencv()
    yield from _loading(_LOADED + (_LOADED_IN_DEPTH if deep else ()))
    yield from (_runtime(name, deep) for name in RUNTIME_PACKAGES)
    yield from (_extra(name, purpose) for name, purpose in _EXTRAS.items())
    yield _cache()
    yield from _weights(deep)
    yield _selective_search()
    shown = "colours" if _colours() else "no colours"
    yield Finding("terminal", "ok", f"{shown}, {'a terminal' if sys.stdout.isatty() else 'not a terminal'}")


def _colours() -> bool:
    """Whether standard output shows colours (https://no-color.org)."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def _threads(processors: int) -> Finding:
    threads = available_threads()
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else processors
    text = f"{threads} of {processors} processors may be used"
    if threads < allowed:
        text += " (the container's quota)"
    return Finding("threads", "ok", text, values={"threads": threads, "allowed": allowed, "processors": processors})


def _memory() -> Finding:
    memory = read_memory()
    if memory.usable is None:
        return Finding("memory", "note", "the system does not tell", values=asdict(memory))
    text = f"{memory.usable / 2**30:.1f} GiB" + (" (the container's limit)" if memory.limit == memory.usable else "")
    if memory.usable < _ENOUGH_MEMORY:
        return Finding("memory", "warning", text, "detect takes up to 1.2 GB for an image", asdict(memory))
    return Finding("memory", "ok", text, values=asdict(memory))


def _packages() -> Iterator[Finding]:
    found = required_packages()
    values = {one.name: one.version for one in found}
    lacking = [one for one in found if not one.serves]
    if not lacking:
        text = ", ".join(f"{one.name} {one.version}" for one in found)
        yield Finding("packages", "ok", text, values=values)
    for one in lacking:
        wanted = f"{one.name}>={one.least}" if one.least else one.name
        text = f"{one.name} {one.version or 'is not installed'}; {wanted} is needed"
        yield Finding("packages", "broken", text, f"pip install '{wanted}'", values)


def _opencv() -> Finding:
    wheels = opencv_wheels()
    values = {"wheels": wheels}
    if len(wheels) > 1:
        mend = f"pip uninstall {' '.join(wheels)}, then pip install {wheels[-1]}"
        return Finding("opencv", "warning", f"{' and '.join(wheels)} overwrite each other", mend, values)
    if not wheels:
        return Finding("opencv", "broken", "no wheel is installed", "pip install opencv-python-headless", values)
    return Finding("opencv", "ok", wheels[0], values=values)


def _loading(names: tuple[str, ...]) -> Iterator[Finding]:
    faults = [(name, fault) for name in names if (fault := _fault(name))]
    if not faults:
        yield Finding("loading", "ok", f"{', '.join(names)} load", values={"loaded": list(names)})
    for name, fault in faults:
        yield Finding("loading", "broken", f"import {name}: {fault}", "install its package again", {"module": name})


def _fault(name: str) -> str:
    """What goes wrong when a module is loaded, or nothing."""
    try:
        _QUIETLY.get(name, lambda: import_module(name))()
    except Exception as error:  # a broken wheel may raise anything
        return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    return ""


def _runtime(name: str, deep: bool) -> Finding:
    found = installed(name)
    values = {"version": found}
    title = f"runtime {name}"
    if found is None:
        return Finding(title, "note", "not installed", f"pip install {name}", values)
    if deep and (fault := _fault(name)):
        return Finding(
            title, "warning", f"{found} does not load: {fault}", f"pip install --force-reinstall {name}", values
        )
    return Finding(title, "ok", f"{found}{' loads' if deep else ''}", values=values)


def _extra(name: str, purpose: str) -> Finding:
    lacking = [package for package in extra_packages(name) if installed(package) is None]
    values = {"lacking": lacking}
    if lacking:
        text = f"for {purpose}: {', '.join(lacking)} not installed"
        mend = f"pip install 'googlenet-rcnn[{name}]', in a checkout '.[{name}]'"
        return Finding(f"extra {name}", "note", text, mend, values)
    return Finding(f"extra {name}", "ok", f"for {purpose}", values=values)


def _cache() -> Finding:
    hint = "engines are built anew each time; set XDG_CACHE_HOME"
    try:
        folder = cache_folder()
    except OSError as error:
        return Finding("cache", "warning", str(error.strerror), hint, {"folder": None, "bytes": 0})
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    values = {"folder": str(folder), "bytes": size}
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        text = f"{folder} cannot be written: {error.strerror}"
        return Finding("cache", "warning", text, hint, values)
    return Finding("cache", "ok", f"{folder}, {size / 2**20:.1f} MiB", values=values)


def _weights(deep: bool) -> Iterator[Finding]:
    for package in ("googlenet_rcnn.detector", "googlenet_rcnn.proposals"):
        paths = []
        folder = files(package).joinpath("weights")
        for entry in folder.iterdir() if folder.is_dir() else ():
            with as_file(entry) as path:
                paths += [path] if path.suffix == ".safetensors" else []
        if not paths:
            text = f"none ship in {package}"
            yield Finding("weights", "broken", text, "pip install --force-reinstall googlenet-rcnn")
        for path in sorted(paths):
            yield _checkpoint(path, deep)


def _checkpoint(path: Path, deep: bool) -> Finding:
    title = f"weights {path.stem}"
    try:
        from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card

        card = read_card(path)
        if deep:
            read_arrays(path)
    except (ModelError, ImportError) as error:
        return Finding(title, "broken", str(error), "pip install --force-reinstall googlenet-rcnn")
    size = path.stat().st_size
    text = f"{card.task} of {len(card.labels)} classes, {size / 2**20:.1f} MiB"
    return Finding(title, "ok", text, values={"path": str(path), "bytes": size, "task": card.task})


def _selective_search() -> Finding:
    missing = uncompiled_functions()
    values = {"uncompiled": missing}
    if missing:
        text = f"{len(missing)} functions are to be compiled: the first use takes some 15 seconds"
        return Finding("selective search", "note", text, values=values)
    return Finding("selective search", "ok", "compiled for this machine", values=values)
