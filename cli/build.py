"""The composition root: from names and numbers on the command line to the parts they mean."""

from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import digest
from googlenet_rcnn.core.types import LabelSet, Proposer
from googlenet_rcnn.detector.cascade import Cascade
from googlenet_rcnn.detector.pipeline import Detector
from googlenet_rcnn.detector.regions import Ensemble, GoogLeNetRegions, RegionClassifier
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.proposals.opencv_engine import OpenCVSelectiveSearch
from googlenet_rcnn.proposals.package_engine import PackageSelectiveSearch
from googlenet_rcnn.proposals.selective_search import SelectiveSearch

__all__ = [
    "DEFAULT_WEIGHTS",
    "build_detector",
    "build_proposer",
    "find_weights",
    "shipped_weights",
    "weight_digests",
    "weight_labels",
]

DEFAULT_WEIGHTS = "voc07"

_Engine = Callable[[str, float, int], Proposer]
_ENGINES: dict[str, _Engine] = {
    "native": lambda preset, scale, seed: SelectiveSearch.preset(preset, superpixel_scale=scale, seed=seed),
    "opencv": lambda preset, scale, seed: OpenCVSelectiveSearch(preset, seed=seed),
    "selectivesearch": lambda preset, scale, seed: PackageSelectiveSearch(),
}


def build_proposer(method: str, engine: str, preset: str, superpixel_scale: float, seed: int) -> Proposer:
    """The proposer that a method and its settings name; UsageError lists the known ones."""
    if method != "ss":
        raise UsageError("METHOD_UNKNOWN", f"--method {method}: known is ss (Selective Search)")
    if engine not in _ENGINES:
        raise UsageError("ENGINE_UNKNOWN", f"--engine {engine}: known are {', '.join(_ENGINES)}")
    return _ENGINES[engine](preset, superpixel_scale, seed)


def shipped_weights() -> dict[str, Path]:
    """Names and paths of the weights that come with the package."""
    found: dict[str, Path] = {}
    folder = files("googlenet_rcnn.detector").joinpath("weights")
    for entry in folder.iterdir() if folder.is_dir() else ():
        with as_file(entry) as path:
            if path.suffix == ".safetensors":
                found[path.stem] = path
    return dict(sorted(found.items()))


def find_weights(name: str, flag: str = "--weights") -> Path:
    """The file that a name or path means; UsageError names those that ship."""
    shipped = shipped_weights()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.is_file():
        return path
    known = ", ".join(shipped) or "none"
    raise UsageError("WEIGHTS_UNKNOWN", f"{flag} {name}: neither a file nor a shipped model (shipped: {known})")


def build_detector(weights: Sequence[str], proposer: Proposer, selection: Selection, *, fast: bool = False) -> Detector:
    """A detector from one or several weights, which must agree in labels and warp; `fast` puts the cascade in."""
    members = [GoogLeNetRegions.load(find_weights(name)) for name in weights or (DEFAULT_WEIGHTS,)]
    if any(member.warp != members[0].warp for member in members):
        raise UsageError("ENSEMBLE_WARP", "the models of an ensemble must share one warp")
    classifier: RegionClassifier = members[0] if len(members) == 1 else Ensemble(members)
    return Detector(proposer, classifier, members[0].warp, selection, Cascade() if fast else None)


def weight_digests(weights: Sequence[str]) -> list[str]:
    """SHA-256 of each weights file: what a result depends on, whatever the file is called."""
    return [digest(find_weights(name)) for name in weights or (DEFAULT_WEIGHTS,)]


def weight_labels(weights: Sequence[str]) -> LabelSet:
    """The labels that the (first) weights name."""
    return read_card(find_weights((weights or (DEFAULT_WEIGHTS,))[0])).label_set
