"""The engines that are compared, by name; heavy imports wait until one is built."""

import dataclasses
import hashlib
import inspect
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from googlenet_rcnn.core.types import Proposer

NAMES = (
    "single", "fast", "fast-doubled", "fast-unfiltered", "quality",
    "opencv-single", "opencv-fast", "opencv-fast-unfiltered", "opencv-quality", "selectivesearch",
)  # fmt: skip
"""Ours by preset, then the peers; `doubled`: superpixels of twice the size, `unfiltered`: small boxes stay."""

PEERS = {"single": "opencv-single", "fast": "opencv-fast", "quality": "opencv-quality"}


def build(name: str, width: int | None = None) -> "Proposer":
    """The engine of a name; `width` replaces the working width that all have in common."""
    from googlenet_rcnn.proposals.opencv_engine import OpenCVSelectiveSearch
    from googlenet_rcnn.proposals.package_engine import PackageSelectiveSearch
    from googlenet_rcnn.proposals.selective_search import SelectiveSearch

    engine: Any
    plain = name.removesuffix("-unfiltered")
    if plain == "selectivesearch":
        engine = PackageSelectiveSearch()
    elif plain.startswith("opencv-"):
        engine = OpenCVSelectiveSearch(plain.removeprefix("opencv-"))
    else:
        preset, _, doubled = plain.partition("-")
        engine = SelectiveSearch.preset(preset, superpixel_scale=2.0 if doubled else 1.0)
    if plain != name:
        engine = dataclasses.replace(engine, min_side=1)
    built: Proposer = engine if width is None else dataclasses.replace(engine, width=width)
    return built


def build_present(names: Iterable[str]) -> tuple[dict[str, "Proposer"], list[str]]:
    """The engines that can run here, and a note on each that cannot."""
    from googlenet_rcnn.core.errors import UsageError

    engines: dict[str, Proposer] = {}
    notes = []
    for name in names:
        try:
            engines[name] = build(name)
        except UsageError as error:
            if error.code != "ENGINE_MISSING":
                raise
            notes.append(f"{name} is left out: {error.message}")
    return engines, notes


def fingerprint(engine: "Proposer") -> str:
    """Changes with the settings of an engine, with the code it runs on and with OpenCV."""
    import cv2

    home = Path(inspect.getfile(type(engine))).resolve()
    sources = {home, home.with_name("working.py")}
    if home.stem == "selective_search":
        package = type(engine).__module__.rpartition(".")[0]
        loaded = (module for name, module in list(sys.modules.items()) if name.startswith(f"{package}."))
        files = (Path(module.__file__).resolve() for module in loaded if module.__file__)
        sources |= {file for file in files if not file.stem.endswith("_engine")}
    digest = hashlib.sha256(f"{engine!r} {cv2.__version__}".encode())
    for file in sorted(sources):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
