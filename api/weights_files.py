"""From names to weights files: those that ship, paths, and cards of ensembles."""

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import digest
from googlenet_rcnn.core.types import LabelSet

from .ensemble_card import is_ensemble, read_ensemble

__all__ = [
    "DEFAULT_CLASSIFIER",
    "DEFAULT_WEIGHTS",
    "find_classifiers",
    "find_members",
    "find_weights",
    "shipped_in",
    "shipped_weights",
    "suited",
    "weight_digests",
    "weight_labels",
]

DEFAULT_WEIGHTS = "voc07"
DEFAULT_CLASSIFIER = "voc20"

_THRESHOLD = 0.5  # of weights that say none


def shipped_weights() -> dict[str, Path]:
    """Names and paths of the detectors and classifiers that come with the package."""
    return shipped_in("googlenet_rcnn.detector") | shipped_in("googlenet_rcnn.backbone", "shipped")


def shipped_in(package: str, place: str = "weights") -> dict[str, Path]:
    """Names and paths of the weights that come with a package, in its folder `place`."""
    found: dict[str, Path] = {}
    folder = files(package).joinpath(place)
    for entry in folder.iterdir() if folder.is_dir() else ():
        with as_file(entry) as path:
            if path.suffix == ".safetensors":
                found[path.stem] = path
    return dict(sorted(found.items()))


def find_weights(name: str, what: str = "weights", shipped: dict[str, Path] | None = None) -> Path:
    """The file that a name or path means; UsageError names those that ship."""
    shipped = shipped_weights() if shipped is None else shipped
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.is_file():
        return path
    known = ", ".join(shipped) or "none"
    raise UsageError("WEIGHTS_UNKNOWN", f"{what} {name}: neither a file nor a shipped model (shipped: {known})")


def find_classifiers(weights: Sequence[str]) -> list[Path]:
    """The files that names and paths mean, in order; DEFAULT_CLASSIFIER for none."""
    return [find_weights(name) for name in weights or (DEFAULT_CLASSIFIER,)]


def find_members(weights: Sequence[str]) -> list[Path]:
    """The files that names, paths and cards of ensembles mean, in order; DEFAULT_WEIGHTS for none."""
    found: list[Path] = []
    for name in weights or (DEFAULT_WEIGHTS,):
        if is_ensemble(name):
            folder, shipped = Path(name).parent, shipped_weights()
            for member in read_ensemble(Path(name)).members:
                found.append(find_weights(member if member in shipped else str(folder / member), f"{name}: member"))
        else:
            found.append(find_weights(name))
    return found


def suited(weights: Sequence[str], threshold: float | None, vote: float | None) -> tuple[float, float | None]:
    """The least score worth showing and the vote of screening: as asked, else as the card of the weights says."""
    from googlenet_rcnn.backbone.checkpoint import read_card

    if len(weights) == 1 and is_ensemble(weights[0]):
        card = read_ensemble(Path(weights[0]))
        threshold = card.score_threshold if threshold is None else threshold
        vote = card.screen_vote if vote is None else vote
    if threshold is None:
        told = read_card(find_members(weights)[0]).score_threshold
        threshold = _THRESHOLD if told is None else told
    return threshold, vote


def weight_digests(weights: Sequence[str]) -> list[str]:
    """SHA-256 of each file that the weights mean: what a result depends on, whatever the file is called."""
    cards = [Path(name) for name in weights if is_ensemble(name)]
    return [digest(path) for path in (*cards, *find_members(weights))]


def weight_labels(weights: Sequence[str]) -> LabelSet:
    """The labels that the (first) weights name."""
    from googlenet_rcnn.backbone.checkpoint import read_card

    return read_card(find_members(weights)[0]).label_set
