"""SVMs in the place of a detector's classifier: its features, its box offsets and its screening stay as they are.

The scores of the SVMs, as log-odds, become the logits of the classes, and the logit of background is 0. So what comes
out is a detector like any other, and where one class alone is likely its probability is that of its SVM.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from googlenet_rcnn.backbone.activation_shards import ActivationShards, CropSource, read_activations, settings_key
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.engine import Engine
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.samples import sample_pixels, sample_truth
from googlenet_rcnn.core.store import digest
from googlenet_rcnn.core.types import Dataset, Proposer

from .fine_tuning import ProposalSettings
from .finished import check_finished
from .sampling import WindowSampling
from .svm import LinearScore, SvmSettings, calibrated, fit_svm
from .targets import OverlapTargets
from .warp import Warp
from .windows import ImageWindows, WindowCache, window_crops

__all__ = ["SvmRecipe", "SvmRun"]

_NEVER = -20.0  # logit of a class without objects


class SvmRecipe(Settings):
    """All that decides how SVMs are trained.

    Windows: objects are positive, those that overlap none of a class by `negative_overlap` are negative for it, and
    what lies between is left out (R-CNN, appendix B). About 60 an image are kept as features of 2 KB.
    """

    seed: int = 0
    negative_overlap: float = Field(default=0.3, gt=0, le=1)
    proposals: ProposalSettings = ProposalSettings()
    windows: WindowSampling = WindowSampling(positives=3, hard=30, background=25)
    targets: OverlapTargets = OverlapTargets()  # what the scores are calibrated to
    svm: SvmSettings = SvmSettings()


class _Examples(NamedTuple):
    """Features of all windows [N,D], which are objects themselves, labels as those of `Windows`, and overlaps with
    the classes [N,C], objects marked difficult among them."""

    features: NDArray[np.float32]
    objects: NDArray[np.bool_]
    labels: NDArray[np.int64]
    nearest: NDArray[np.float64]
    overlaps: NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class SvmRun:
    """One run on the features that `engine` takes from the detector of `weights`."""

    recipe: SvmRecipe
    weights: Path
    engine: Engine
    cache: Path
    proposer: Proposer
    say: Callable[[str], None]

    def run(self, dataset: Dataset, data: str, out: Path) -> Path:
        """Trains on every annotated sample of the data set and writes a detector in half precision to `out`.

        Features are kept in the cache, so that a stopped run goes on there. ModelError if the weights are no
        detector's; DataError if the data has other labels, or no objects.
        """
        card, tensors = read_card(self.weights), read_tensors(self.weights)
        check_finished(card, self.weights, dataset, data)
        examples = self._examples(dataset, card)
        scale = self.recipe.svm.norm / float(np.linalg.norm(examples.features, axis=1).mean())
        np.multiply(examples.features, scale, out=examples.features)
        scores = [self._score(examples, label, name) for label, name in enumerate(card.labels)]
        classifier = "fc" if card.arch == "googlenet-bn" else "classifier"
        rows = [np.zeros(examples.features.shape[1]), *(scale * score.weights for score in scores)]
        tensors[f"{classifier}.weight"] = torch.from_numpy(np.stack(rows)).float()
        tensors[f"{classifier}.bias"] = torch.tensor([0.0, *(score.bias for score in scores)])
        learned = {
            "recipe": card.recipe | {"svm": self.recipe.model_dump(mode="json")},
            "provenance": f"{card.provenance}; linear SVMs on {data}",
            "score_threshold": None,  # it was that of other scores
        }
        save_weights(out, tensors, card.model_copy(update=learned), half=True)
        return out

    def _examples(self, dataset: Dataset, card: Card) -> _Examples:
        source = WindowCache(self.cache, self.proposer, self.recipe.windows, self.recipe.seed)
        alone = Processes()
        images = alone.share("windows", dataset.samples, source.build, self.say)
        warp = Warp(card.warp_side, card.warp_context, card.preprocessing.fill)
        key = {"weights": digest(self.weights), "engine": self.engine.name, "warp": repr(warp), "windows": source.key}
        shards = ActivationShards(self.cache / f"features-{settings_key(key)}", self._features)
        crops = [CropSource(one.sample.image_id, one.digest, partial(_crops, one, warp)) for one in images]
        paths = alone.share("features", crops, shards.build, self.say)
        return _Examples(
            np.concatenate([read_activations(path) for path in paths]).astype(np.float32),
            np.concatenate([_is_object(image) for image in images]),
            np.concatenate([image.windows.labels for image in images]),
            np.concatenate([image.windows.overlaps for image in images]),
            np.concatenate([_class_overlaps(image, len(card.labels)) for image in images]),
        )

    def _features(self, crops: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(self.engine.run(crops))

    def _score(self, examples: _Examples, label: int, name: str) -> LinearScore:
        own = examples.labels == label + 1
        positive = own & examples.objects
        negative = examples.overlaps[:, label] < self.recipe.negative_overlap
        if not positive.any():
            self.say(f"note: no object of class {name}: it will never be found")
            return LinearScore(np.zeros(examples.features.shape[1]), _NEVER)
        settings, features = self.recipe.svm, examples.features
        score = fit_svm(features[positive], features[negative], settings, self.recipe.seed)
        shares = self.recipe.targets.shares(np.where(own, examples.nearest, 0.0))
        self.say(f"class {name}: {positive.sum()} objects")
        return calibrated(score, features, shares)


def _crops(image: ImageWindows, warp: Warp) -> NDArray[np.uint8]:
    return window_crops(sample_pixels(image.sample), image.windows, warp)


def _is_object(image: ImageWindows) -> NDArray[np.bool_]:
    return np.arange(len(image.windows.labels)) < int((~sample_truth(image.sample).ignore).sum())


def _class_overlaps(image: ImageWindows, classes: int) -> NDArray[np.float16]:
    """The greatest overlap of each window with an object of each class [N,C]."""
    truth = sample_truth(image.sample)
    table = intersection_over_union(image.windows.boxes.coordinates, truth.boxes.coordinates)
    found = np.zeros((len(table), classes))
    for column, label in enumerate(truth.labels):
        found[:, label] = np.maximum(found[:, label], table[:, column])
    return found.astype(np.float16)
