"""The detector with parts whose answers are known."""

import numpy as np
import pytest
from stub_parts import COLOURS, ColourClassifier, FixedProposer

from googlenet_rcnn.core.types import Boxes, Proposals, Size
from googlenet_rcnn.detector.box_regression import offsets_to
from googlenet_rcnn.detector.pipeline import Detector
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.detector.view import View
from googlenet_rcnn.detector.warp import Warp

RED, BLUE = (10, 20, 50, 60), (100, 30, 160, 110)
BACKGROUND = tuple((x, 0, x + 30, 18) for x in range(0, 170, 7))
NEAR = tuple(
    (x1 - left, y1 - top, x2 + right, y2 + bottom)
    for x1, y1, x2, y2 in (RED, BLUE)
    for left, top, right, bottom in ((9, 0, 9, 0), (0, 9, 0, 9), (8, 8, -8, -8), (-8, -8, 9, 9), (9, 9, 9, 9))
)
AROUND = BACKGROUND + NEAR
HOLDING = BACKGROUND + tuple(
    row
    for row in NEAR
    if any(row[0] <= x1 and row[2] >= x2 and row[1] <= y1 and row[3] >= y2 for x1, y1, x2, y2 in (RED, BLUE))
)


@pytest.fixture
def image():
    pixels = np.full((120, 200, 3), 128, dtype=np.uint8)
    for name, (x1, y1, x2, y2) in (("red", RED), ("blue", BLUE)):
        pixels[y1:y2, x1:x2] = COLOURS[name]
    return pixels


def seen_by(*classifiers):
    return [View(Warp(64, 4), classifiers)]


def detector(rows=(*AROUND, RED, BLUE), **changes) -> Detector:
    parts = {"selection": Selection(score_threshold=0.4)} | changes
    return Detector(FixedProposer(tuple(rows)), seen_by(ColourClassifier()), **parts)


class Glance:
    """A screen that looks for colour: of what is grey all over it thinks that it is background."""

    vote = 0.0

    def probabilities(self, image, boxes):
        parts = (image[y1:y2, x1:x2] for x1, y1, x2, y2 in boxes.coordinates.astype(int))
        coloured = np.array([(part != 128).any() for part in parts], dtype=np.float32).reshape(-1, 1)
        return np.hstack([1 - coloured, np.repeat(coloured / len(COLOURS), len(COLOURS), axis=1)])


class Choice:
    """Lets through what the screen does not think to be background, also where that is nothing."""

    def choose(self, boxes, probabilities):
        return np.flatnonzero(probabilities[:, 0] < 1)

    def unscored(self, probabilities):
        return np.eye(1 + len(COLOURS), dtype=np.float32)[np.zeros(len(probabilities), int)]


FAST = {"screen": Glance(), "cascade": Choice()}


class SeeingClassifier(ColourClassifier):
    """Also tells from a crop alone how far each colour reaches in it."""

    def score(self, crops):
        scores = super().score(crops)
        offsets = np.zeros((len(crops), len(COLOURS), 4), np.float32)
        window = np.array([[4, 4, 60, 60]], np.float32)  # where in a crop its box lies
        for row, crop in enumerate(crops):
            for label, colour in enumerate(COLOURS.values()):
                y, x = np.nonzero((np.abs(crop.astype(int) - colour) < 100).all(axis=2))
                if len(x):
                    seen = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], np.float32)
                    offsets[row, label] = offsets_to(seen, window)[0]
        return RegionScores(scores.probabilities, offsets)


def as_rows(detections):
    labels = [list(COLOURS)[label] for label in detections.labels]
    return list(zip(labels, map(tuple, detections.boxes.coordinates.tolist()), strict=True))


def test_finds_what_was_drawn(image) -> None:
    result = detector().detect(image)
    best = dict(reversed(as_rows(result.detections)))
    assert best == {"red": RED, "blue": BLUE}
    assert result.detections.size == (120, 200)
    assert result.proposals == len(AROUND) + 2


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_chunks_change_nothing_but_the_calls(image, chunk) -> None:
    whole, parts = detector(), detector(chunk=chunk)
    a, b = whole.detect(image).detections, parts.detect(image).detections
    assert a.boxes.coordinates.tobytes() == b.boxes.coordinates.tobytes()
    assert a.scores.tobytes() == b.scores.tobytes()
    assert a.labels.tolist() == b.labels.tolist()
    assert max(parts.views[0].classifiers[0].calls) <= chunk
    assert sum(parts.views[0].classifiers[0].calls) == len(AROUND) + 2


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_that_cut_crops_change_nothing(image, threads) -> None:
    one, several = detector(), detector(threads=threads)
    a, b = one.detect(image), several.detect(image)
    assert a.scores.probabilities.tobytes() == b.scores.probabilities.tobytes()
    assert as_rows(a.detections) == as_rows(b.detections)


def test_the_cascade_scores_fewer_boxes_and_finds_the_same(image) -> None:
    exhaustive, fast = detector().detect(image), detector(**FAST).detect(image)
    assert 0 < len(fast.scored) < len(exhaustive.scored) == exhaustive.proposals == fast.proposals
    assert as_rows(fast.detections) == as_rows(exhaustive.detections)
    assert fast.detections.scores.tobytes() == exhaustive.detections.scores.tobytes()


@pytest.mark.parametrize("fast", [{}, FAST])
@pytest.mark.parametrize("chunk", [3, 256])
def test_what_nobody_proposed_is_found_where_the_classifier_sees_it_end(image, fast, chunk) -> None:
    parts = {"selection": Selection(score_threshold=0.4), "chunk": chunk} | fast
    found = Detector(FixedProposer(HOLDING), seen_by(SeeingClassifier()), **parts).detect(image).detections
    still = Detector(FixedProposer(HOLDING), seen_by(ColourClassifier()), **parts).detect(image).detections
    assert sorted(found.labels.tolist()) == [0, 2]
    for label, box in ((0, RED), (2, BLUE)):
        moved = found.boxes.coordinates[found.labels == label][0]
        assert np.abs(moved - box).max() < 2.5  # two pixels of a crop
        assert np.abs(still.boxes.coordinates - box).max(axis=1).min() > 5


def test_boxes_are_moved_the_same_whether_or_not_some_were_never_scored(image) -> None:
    exhaustive, fast = (
        Detector(FixedProposer(AROUND), seen_by(SeeingClassifier()), Selection(0.4), **parts).detect(image)
        for parts in ({}, FAST)
    )
    assert len(fast.scored) < len(exhaustive.scored)
    a, b = fast.detections.boxes.coordinates, exhaustive.detections.boxes.coordinates
    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("chunk", [2, 256])
def test_what_the_cascade_passes_over_is_as_it_believes_and_the_rest_as_in_exhaustive_mode(image, chunk) -> None:
    exhaustive, fast = detector().detect(image), detector(**FAST, chunk=chunk).detect(image)
    boxes = FixedProposer((*AROUND, RED, BLUE)).propose(image).boxes
    rows = Choice().choose(boxes, Glance().probabilities(image, boxes))
    probabilities = fast.scores.probabilities
    assert probabilities[rows].tobytes() == exhaustive.scores.probabilities[rows].tobytes()
    others = np.delete(probabilities, rows, axis=0)
    assert (len(others), fast.scored.tolist()) == (fast.proposals - len(rows), rows.tolist())
    assert (others[:, 0] == 1).all()
    assert (others[:, 1:] == 0).all()


def test_a_cascade_that_lets_nothing_through_finds_nothing(image) -> None:
    result = detector(**FAST).detect(np.full_like(image, 128))
    assert (len(result.detections), len(result.scored), result.proposals) == (0, 0, len(AROUND) + 2)


def test_without_proposals_the_cascade_finds_nothing(image) -> None:
    result = detector(rows=(), **FAST).detect(image)
    assert (len(result.detections), result.proposals, len(result.scored)) == (0, 0, 0)


def test_several_views_are_averaged_and_mirrors_turned_back(image) -> None:
    """Of one side of a crop only: what it finds on the right, its mirror image has on the left."""

    class LookingRight(SeeingClassifier):
        def score(self, crops):
            shown = crops.copy()
            shown[:, :, : crops.shape[2] // 2] = 128
            return super().score(shown)

    wide, tight, eyes = Warp(64, 8), Warp(32, 0), LookingRight()
    views = [View(wide, [eyes, ColourClassifier()]), View(tight, [eyes]), View(wide, [eyes], mirrored=True)]
    boxes = FixedProposer(AROUND).propose(image).boxes
    found = Detector(FixedProposer(AROUND), views, Selection(0.4), chunk=7).detect(image).scores
    mirrored = eyes.score(wide.crops(image, boxes)[:, :, ::-1])
    said = [eyes.score(wide.crops(image, boxes)), eyes.score(tight.crops(image, boxes)), mirrored]
    mirrored.offsets[:, :, 0] *= -1
    colours = ColourClassifier().score(wide.crops(image, boxes)).probabilities
    mean = np.mean([colours, *(one.probabilities for one in said)], axis=0, dtype=np.float64)
    np.testing.assert_allclose(found.probabilities, mean, atol=1e-6)
    np.testing.assert_allclose(found.offsets, np.mean([one.offsets for one in said], axis=0), atol=1e-6)


def test_a_mirror_image_has_mirrored_scores(image) -> None:
    """With a view in each mirror nothing tells left from right, up to the rounding of the warp."""
    views = [View(Warp(64, 4), [SeeingClassifier()], mirrored) for mirrored in (False, True)]
    turned = tuple((200 - x2, y1, 200 - x1, y2) for x1, y1, x2, y2 in AROUND)
    one = Detector(FixedProposer(AROUND), views).detect(image).scores
    other = Detector(FixedProposer(turned), views).detect(image[:, ::-1]).scores
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=0.05)
    np.testing.assert_allclose(one.offsets, other.offsets * [-1, 1, 1, 1], atol=0.5)  # a tenth of a box is 1
    assert np.abs(one.offsets[:, :, 0]).max() > 1


def test_a_detector_without_networks_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one network"):
        Detector(FixedProposer(()), [])


def test_a_cascade_has_nothing_to_choose_by_without_a_screen() -> None:
    with pytest.raises(ValueError, match="needs a screen"):
        detector(cascade=Choice())


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("vote", [0.0, 0.3, 1.0])
def test_the_screen_has_its_vote_on_what_is_scored(image, fast, vote) -> None:
    screen = Glance()
    screen.vote = vote
    alone = detector().detect(image).scores.probabilities
    result = detector(screen=screen, **({"cascade": Choice()} if fast else {})).detect(image)
    seen = screen.probabilities(image, FixedProposer((*AROUND, RED, BLUE)).propose(image).boxes)
    rows = seen[:, 0] < 1 if fast else np.full(len(seen), True)
    pooled = alone[rows].astype(float).clip(1e-6) ** (1 - vote) * seen[rows].astype(float).clip(1e-6) ** vote
    expected = pooled / pooled.sum(axis=1, keepdims=True) if vote else alone[rows]
    np.testing.assert_allclose(result.scores.probabilities[rows], expected, atol=2e-6)
    assert result.scored.tolist() == np.flatnonzero(rows).tolist()


def test_nothing_proposed_nothing_found(image) -> None:
    result = detector(rows=()).detect(image)
    assert (len(result.detections), result.proposals) == (0, 0)
    assert result.detections.size == (120, 200)


def test_an_image_without_objects(image) -> None:
    assert len(detector().detect(np.full_like(image, 77)).detections) == 0


def test_stage_times(image) -> None:
    for result, stages in (
        (detector().detect(image), ["propose", "warp", "classify"]),
        (detector().classify(image, FixedProposer((RED,)).propose(image)), ["warp", "classify"]),
    ):
        assert list(result.milliseconds) == stages
        assert all(value >= 0 for value in result.milliseconds.values())


def test_detect_is_propose_then_classify(image) -> None:
    whole = detector()
    a = whole.detect(image).detections
    b = whole.classify(image, whole.proposer.propose(image)).detections
    assert as_rows(a) == as_rows(b)


def test_labels_are_the_classifiers() -> None:
    assert detector().labels.names == tuple(COLOURS)


@pytest.mark.parametrize("wrong", [np.zeros((10, 10), np.uint8), np.zeros((10, 10, 3)), np.zeros((0, 10, 3), np.uint8)])
def test_what_is_no_image_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="image"):
        detector().detect(wrong)


def test_proposals_of_another_image_are_refused(image) -> None:
    foreign = Proposals.from_source(Boxes(np.array([[0, 0, 300, 100]]), Size(120, 300)), np.zeros(1), "x")
    with pytest.raises(ValueError, match="do not fit"):
        detector().classify(image, foreign)


def test_the_image_is_not_written_to(image) -> None:
    image.flags.writeable = False
    detector().detect(image)
    detector().detect(np.asfortranarray(image)[:, ::-1])
