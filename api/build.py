"""The composition root: from names and numbers to the parts they mean.

What is heavy is imported where it is built, and torch by the runtime of that name only.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.core.types import Proposer
from googlenet_rcnn.proposals.opencv_engine import OpenCVSelectiveSearch
from googlenet_rcnn.proposals.package_engine import PackageSelectiveSearch
from googlenet_rcnn.proposals.selective_search import SelectiveSearch
from googlenet_rcnn.proposals.union import Union

from .first_use import load_selective_search
from .runtime import Runtime
from .weights_files import DEFAULT_WEIGHTS, find_members, find_weights, shipped_in, suited

if TYPE_CHECKING:
    from googlenet_rcnn.detector.cascade import CascadeSettings
    from googlenet_rcnn.detector.pipeline import Detector
    from googlenet_rcnn.detector.screening import Screen
    from googlenet_rcnn.detector.selection import Selection

__all__ = [
    "DEFAULT_MULTIBOX",
    "assemble_detector",
    "build_detector",
    "build_multibox",
    "build_proposer",
    "detector_runtimes",
    "find_multibox",
    "proposal_runtimes",
]

DEFAULT_MULTIBOX = "multibox-voc07"

_Engine = Callable[[str, float, int], Proposer]
_ENGINES: dict[str, _Engine] = {
    "native": lambda preset, scale, seed: SelectiveSearch.preset(preset, superpixel_scale=scale, seed=seed),
    "opencv": lambda preset, scale, seed: OpenCVSelectiveSearch(preset, seed=seed),
    "selectivesearch": lambda preset, scale, seed: PackageSelectiveSearch(),
}


def build_proposer(
    method: str,
    *,
    engine: str = "native",
    preset: str = "fast",
    superpixel_scale: float | None = None,
    seed: int = 0,
    multibox: str = DEFAULT_MULTIBOX,
    multibox_k: int = 200,
    multibox_nms: float | None = None,
    limit: int | None = None,
    runtime: Runtime | None = None,
    say: Callable[[str], None] | None = None,
) -> Proposer:
    """The proposer that a method and its settings name: `ss`, `multibox`, or several in order joined by `+`.

    `priors` are the boxes that MultiBox starts from, without a look at the image; `runtime` runs its trunk.

    Superpixels are doubled by default where Selective Search shares the work (Szegedy 2014, section 6). With
    `say` Selective Search is made ready at once, and `say` is told why the first use takes long. UsageError lists
    what is known.
    """
    names = method.split("+")
    if not set(names) <= {"ss", "multibox", "priors"} or len(set(names)) != len(names):
        known = "ss, multibox, multibox+ss, priors, or a file of proposals"
        raise UsageError("METHOD_UNKNOWN", f"method {method}: known are {known}")
    if engine not in _ENGINES:
        raise UsageError("ENGINE_UNKNOWN", f"engine {engine}: known are {', '.join(_ENGINES)}")
    if multibox_k < 1 or (limit is not None and limit < 1):
        raise UsageError("FLAG_VALUE", "multibox-k and limit are at least 1")
    if multibox_nms is not None and not 0 <= multibox_nms <= 1:
        raise UsageError("FLAG_VALUE", f"multibox-nms is from 0 to 1, got {multibox_nms}")
    scale = superpixel_scale if superpixel_scale is not None else (2.0 if len(names) > 1 else 1.0)
    parts: dict[str, Callable[[], Proposer]] = {
        "ss": lambda: _ENGINES[engine](preset, scale, seed),
        "multibox": lambda: build_multibox(multibox, multibox_k, multibox_nms, runtime or Runtime()),
        "priors": lambda: _build_priors(multibox, multibox_k),
    }
    proposers = tuple(parts[name]() for name in names)
    if say is not None and "ss" in names and engine == "native":
        load_selective_search(say)
    return proposers[0] if len(proposers) == 1 and limit is None else Union(proposers, limit)


def build_multibox(name: str, count: int, nms: float | None, runtime: Runtime) -> Proposer:
    """The MultiBox in a shipped or given file, on the trunk in that file or else on that of DEFAULT_WEIGHTS."""
    from googlenet_rcnn.proposals.multibox import MultiBox

    path = find_multibox(name)
    trunk = _trunk(path)
    return MultiBox.load(path, trunk, lambda: runtime.engine(trunk, "trunk"), count, nms)


def _trunk(multibox: Path) -> Path:
    """The file with the trunk of a MultiBox: its own, or what ships."""
    from googlenet_rcnn.backbone.checkpoint import TRUNK_PREFIX, read_arrays

    return multibox if read_arrays(multibox, TRUNK_PREFIX) else find_weights(DEFAULT_WEIGHTS)


def _build_priors(name: str, count: int) -> Proposer:
    from googlenet_rcnn.backbone.checkpoint import HEAD_PREFIX, read_arrays
    from googlenet_rcnn.proposals.prior_boxes import PriorBoxes

    path = find_multibox(name)
    priors = read_arrays(path, f"{HEAD_PREFIX}priors").get(f"{HEAD_PREFIX}priors")
    if priors is None:
        raise ModelError("MODEL_TASK", f"{path} is not a MultiBox: train one with train-multibox")
    return PriorBoxes(priors, count)


def find_multibox(name: str) -> Path:
    """The MultiBox file that a name or path means."""
    return find_weights(name, "MultiBox weights", shipped_in("googlenet_rcnn.proposals"))


def assemble_detector(
    weights: Sequence[str] = (),
    *,
    method: str = "ss",
    engine: str = "native",
    preset: str = "fast",
    superpixel_scale: float = 2.0,
    seed: int = 0,
    multibox_weights: str = DEFAULT_MULTIBOX,
    multibox_k: int = 200,
    multibox_nms: float | None = None,
    score_threshold: float | None = None,
    nms_iou: float = 0.3,
    max_detections: int = 100,
    box_regression: bool = True,
    box_voting: float = 0.5,
    mode: str = "fast",
    screen_vote: float | None = None,
    flip: bool = False,
    runtime: Runtime | None = None,
    say: Callable[[str], None] | None = None,
) -> "Detector":
    """The detector that these settings describe; their defaults are those of `detect`.

    With `say` Selective Search is made ready at once. UsageError for a value without meaning.
    """
    from googlenet_rcnn.detector.selection import Selection

    runtime = runtime or Runtime()
    if mode not in ("fast", "exhaustive"):
        raise UsageError("MODE_UNKNOWN", f"mode {mode}: known are fast, exhaustive")
    threshold, vote = suited(weights, score_threshold, screen_vote)
    try:
        if screen_vote is not None and not 0 <= screen_vote <= 1:
            raise ValueError(f"screen-vote is from 0 to 1, got {screen_vote}")
        selection = Selection(threshold, nms_iou, max_detections, box_voting, box_regression)
    except ValueError as error:
        raise UsageError("FLAG_VALUE", str(error)) from None
    proposer = build_proposer(
        method,
        engine=engine,
        preset=preset,
        superpixel_scale=superpixel_scale,
        seed=seed,
        multibox=multibox_weights,
        multibox_k=multibox_k,
        multibox_nms=multibox_nms,
        runtime=runtime,
        say=say,
    )
    return build_detector(weights, proposer, selection, runtime, fast=mode == "fast", vote=vote, flip=flip)


def build_detector(
    weights: Sequence[str],
    proposer: Proposer,
    selection: "Selection",
    runtime: Runtime,
    *,
    fast: bool = False,
    vote: float | None = None,
    flip: bool = False,
) -> "Detector":
    """A detector from one or several weights, which must agree in labels.

    `fast` puts the cascade in; `vote` is that of screening in the scores (None: as the weights say); `flip` shows
    every crop in a mirror too.
    """
    from googlenet_rcnn.detector.pipeline import Detector
    from googlenet_rcnn.detector.regions import GoogLeNetRegions
    from googlenet_rcnn.detector.view import views_of

    paths = find_members(weights)
    members = [GoogLeNetRegions.load(path, runtime.name, runtime.processors, runtime.say) for path in paths]
    views = views_of(members, flip)
    screen, cascade = _build_screen(paths, runtime, fast, vote)
    return Detector(proposer, views, selection, screen, cascade, threads=runtime.processors)


def _build_screen(
    paths: Sequence[Path], runtime: Runtime, fast: bool, vote: float | None
) -> "tuple[Screen | None, CascadeSettings | None]":
    """What screens, if it is asked for a choice or a vote, and what it lets through."""
    from googlenet_rcnn.backbone.checkpoint import read_card
    from googlenet_rcnn.detector.cascade import CascadeSettings
    from googlenet_rcnn.detector.screening import Screen

    found = _screening(paths, fast, vote)
    if found is None:
        if fast:
            runtime.say(f"note: {paths[0]} has no screening head, so every box is scored: add one with train-screen")
        return None, None
    path, _, vote = found
    screen = Screen.load(path, lambda side: runtime.engine(path, "trunk", side))
    return replace(screen, vote=vote), CascadeSettings.of(read_card(path), str(path)) if fast else None


def _screening(paths: Sequence[Path], fast: bool, vote: float | None) -> tuple[Path, int, float] | None:
    """The first of the weights with a screening head, the side in pixels of what the head looks at, and its vote.

    None where no weights have one, or it is not needed.
    """
    from googlenet_rcnn.backbone.checkpoint import read_card
    from googlenet_rcnn.detector.screening import ScreenHeadSettings, vote_of

    for path in paths:
        card, source = read_card(path), str(path)
        if card.screen is not None:
            vote = vote_of(card, source) if vote is None else vote
            return (path, ScreenHeadSettings.of(card, source).side, vote) if fast or vote else None
    return None


def detector_runtimes(weights: Sequence[str], mode: str, screen_vote: float | None, runtime: Runtime) -> list[str]:
    """The runtime of each network of a detector: what `auto` came to. Each rounds in its own way."""
    paths = find_members(weights)
    names = [runtime.engine(path).name for path in paths]
    vote = suited(weights, 0.0, screen_vote)[1]
    if (found := _screening(paths, mode == "fast", vote)) is not None:
        names.append(runtime.engine(found[0], "trunk", found[1]).name)
    return names


def proposal_runtimes(method: str, multibox: str, runtime: Runtime) -> list[str]:
    """The runtime of MultiBox's trunk, if the method asks it."""
    return [runtime.engine(_trunk(find_multibox(multibox)), "trunk").name] if "multibox" in method.split("+") else []
