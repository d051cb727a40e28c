"""What every writer asks before it writes."""

from pathlib import Path

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.types import Dataset, GroundTruth, Sample
from googlenet_rcnn.datasets.inside import inside

__all__ = ["writable"]


def writable(dataset: Dataset, target: Path, overwrite: bool) -> list[tuple[Sample, GroundTruth]]:
    """Samples with their truths; UsageError (OUT_EXISTS) if `target` is there and is not to be replaced.

    DataError (ANN_MISSING) for a sample without annotation, (ID_UNWRITABLE) for an id that two share or
    with blanks or line ends, which lists cannot hold, (PATH_ESCAPE) for one that would lead outside.
    """
    if target.exists() and not overwrite:
        raise UsageError("OUT_EXISTS", f"{target} is there already: choose another place or say --overwrite")
    pairs: dict[str, tuple[Sample, GroundTruth]] = {}
    for sample in dataset.samples:
        name = inside(sample.image_id, "image id")
        if name in pairs or name.split() != [name]:
            raise DataError(
                "ID_UNWRITABLE", f"image id {name!r}: ids are distinct and without blanks; rename the image"
            )
        if sample.truth is None:
            raise DataError("ANN_MISSING", f"image {name} has no annotation that could be written; leave it out")
        pairs[name] = (sample, sample.truth)
    return list(pairs.values())
