"""The numbers by which result files of ILSVRC and COCO name images and classes."""

from googlenet_rcnn.core.types import Dataset, LabelSet

__all__ = ["class_ids", "coco_image_ids", "image_numbers"]


def image_numbers(dataset: Dataset) -> list[int]:
    """ILSVRC's number of each image: that of its list, or else its place in the split, from 1."""
    return [place if one.number is None else one.number for place, one in enumerate(dataset.samples, start=1)]


def coco_image_ids(dataset: Dataset) -> list[int]:
    """COCO's number of each image: that of its instances file, or the id where every id is a number, or its place."""
    if all(sample.number is None for sample in dataset.samples):
        stems = [sample.image_id.rpartition("/")[2] for sample in dataset.samples]
        numbers = [int(stem) for stem in stems if stem.isascii() and stem.isdigit()]
        if len(set(numbers)) == len(stems):
            return numbers
    return image_numbers(dataset)


def class_ids(labels: LabelSet) -> tuple[int, ...]:
    """The number of each label outside: its DET id or COCO category id, or label + 1 where the set has none."""
    return tuple(range(1, len(labels) + 1)) if labels.ids is None else labels.ids
