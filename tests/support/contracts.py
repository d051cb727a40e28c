"""What every Proposer and every RegionClassifier owes its callers, checked on any implementation."""

import numpy as np
from hostile import photo

from googlenet_rcnn.core.types import LabelSet, Proposals
from googlenet_rcnn.detector.region_scores import RegionScores


def contract_images() -> dict[str, np.ndarray]:
    """A picture, the smallest one, a flat one and two long ones; none can be written to."""
    images = {
        "photo": photo(),
        "one pixel": np.full((1, 1, 3), 7, np.uint8),
        "flat": np.full((40, 50, 3), 128, np.uint8),
        "tall": photo(90, 3),
        "wide": photo(3, 90),
    }
    for image in images.values():
        image.flags.writeable = False
    return images


def check_proposer(proposer) -> None:
    """Boxes of the image's own size, none twice, best first within a source, the same at every call."""
    for name, image in contract_images().items():
        found, again = proposer.propose(image), proposer.propose(image)
        assert isinstance(found, Proposals), name
        assert found.size == image.shape[:2], name
        coordinates = found.boxes.coordinates
        assert len(np.unique(coordinates, axis=0)) == len(coordinates), name
        for source in range(len(found.source_names)):
            assert (np.diff(found.scores[found.sources == source]) <= 0).all(), name
        assert coordinates.tobytes() == again.boxes.coordinates.tobytes(), name
        assert found.scores.tobytes() == again.scores.tobytes(), name
        assert found.sources.tolist() == again.sources.tolist(), name


def check_region_classifier(classifier, side: int = 224) -> None:
    """Rows [n,1+C] that are distributions and offsets [n,C,4] always or never, each a function of its own crop only."""
    assert isinstance(classifier.labels, LabelSet)
    crops = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    crops[1] = crops[1] // 4
    crops[2] = 200
    before = crops.tobytes()
    whole, none = classifier.score(crops), classifier.score(crops[:0])
    single = RegionScores.concatenate([classifier.score(crops[i : i + 1]) for i in (2, 0)])
    together, alone = whole.probabilities, single.probabilities
    for rows, count in ((together, 3), (alone, 2), (none.probabilities, 0)):
        assert rows.shape == (count, 1 + len(classifier.labels))
        assert rows.dtype == np.float32
        assert (rows >= 0).all()
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(alone, together[[2, 0]], atol=1e-5)
    assert crops.tobytes() == before
    assert len({scores.offsets is None for scores in (whole, single, none)}) == 1
    if whole.offsets is not None:
        for scores, count in ((whole, 3), (single, 2), (none, 0)):
            assert scores.offsets.shape == (count, len(classifier.labels), 4)
            assert scores.offsets.dtype == np.float32
            assert np.isfinite(scores.offsets).all()
        np.testing.assert_allclose(single.offsets, whole.offsets[[2, 0]], atol=1e-4)
