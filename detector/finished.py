"""What any training on top of a finished detector needs."""

from pathlib import Path

from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import DataError, ModelError
from googlenet_rcnn.core.types import Dataset

__all__ = ["check_finished"]


def check_finished(card: Card, weights: Path, dataset: Dataset, data: str) -> None:
    """ModelError unless the weights are a detector's; DataError if the data has other labels, or no objects."""
    if card.task != "detector":
        raise ModelError("MODEL_TASK", f"{weights} is a {card.task}, not a detector: name one, or train it first")
    if dataset.labels.names != card.labels:
        raise DataError(
            "LABELS_DIFFER",
            f"{data} does not have the labels of {weights} ({', '.join(card.labels)}): use data that has",
        )
    if not any(len(sample.truth) for sample in dataset.samples if sample.truth is not None):
        raise DataError("NO_OBJECTS", f"{data}: no image has an object to learn from")
