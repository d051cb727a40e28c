"""Values are checked when they are built, cannot be changed, and say what was wrong with them."""

import dataclasses

import numpy as np
import pytest

from googlenet_rcnn.core.types import (
    Boxes,
    Detections,
    GroundTruth,
    LabelSet,
    Proposals,
    Size,
    as_image,
)

SIZE = Size(height=10, width=20)
TWO = Boxes(np.array([[0, 0, 5, 5], [1, 2, 20, 10]]), SIZE)


@pytest.mark.parametrize(
    "row",
    [
        (-1, 0, 5, 5),
        (0, -0.5, 5, 5),
        (5, 0, 5, 5),
        (6, 0, 5, 5),
        (0, 5, 5, 5),
        (0, 0, 20.5, 5),
        (0, 0, 5, 11),
    ],
)
def test_a_box_outside_its_image_is_named(row: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"box 1 .*0 <= x1 < x2 <= 20, 0 <= y1 < y2 <= 10"):
        Boxes(np.array([[0, 0, 1, 1], row]), SIZE)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Boxes(np.zeros((2, 5)), SIZE), r"boxes must have shape \[N,4\], got \[2, 5\]"),
        (lambda: Boxes(np.zeros(4), SIZE), r"got \[4\]"),
        (lambda: Boxes(np.array([[0, 0, 1, 1], [0, 0, np.nan, 1]]), SIZE), "finite, row 1"),
        (lambda: TWO[0], "shape"),
        (lambda: Detections(TWO, [0], [0.5, 0.4]), r"labels must have shape \[2\], got \[1\]"),
        (lambda: Detections(TWO, [0, 1], [0.4, 0.5]), "must not rise"),
        (lambda: Detections(TWO, [0, -1], [0.5, 0.4]), "background is not a detection"),
        (lambda: Detections(TWO, [0, 0.5], [0.5, 0.4]), "labels must be whole numbers"),
        (lambda: Detections(TWO, [0, 0], [np.inf, 0.4]), "scores must be finite, row 0"),
        (lambda: Proposals(TWO, [1, 2], [0, 1], ("ss",)), r"sources must lie in 0\.\.0"),
        (lambda: GroundTruth(TWO, [0, 1], [False]), "ignore must have shape"),
        (lambda: GroundTruth(TWO, [0, 1], [False, False], [5.0]), "areas must have shape"),
        (lambda: LabelSet(()), "at least one name"),
        (lambda: LabelSet(("cat", "")), "no empty"),
        (lambda: LabelSet(("cat", "dog", "cat")), "'cat' is in the list twice"),
        (lambda: LabelSet(("cat", "dog")).index("cow"), "'cow' is none of the 2 labels"),
    ],
)
def test_what_is_wrong_is_said(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_an_image_is_pixels_of_three_bytes(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=f"got {pixels.dtype}"):
        as_image(pixels)
    good = np.zeros((4, 6, 3), np.uint8)[:, ::2]
    assert as_image(good).flags.c_contiguous


def test_values_are_copies_that_nobody_can_change() -> None:
    source, scores = np.array([[0, 0, 5, 5]], dtype=np.float32), np.array([0.5], dtype=np.float32)
    found = Detections(Boxes(source, SIZE), np.array([1]), scores)
    source[:] = 1
    scores[:] = 0
    assert found.boxes.coordinates.tolist() == [[0, 0, 5, 5]]
    assert found.scores.tolist() == [0.5]
    for array in (found.boxes.coordinates, found.labels, found.scores):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.scores = scores  # type: ignore[misc]


def test_dtypes_are_the_conventions() -> None:
    found = Detections(Boxes([[0, 0, 5, 5]], (10, 20)), [1], [0.5])
    assert (found.boxes.coordinates.dtype, found.labels.dtype, found.scores.dtype) == ("f4", "i8", "f4")
    assert found.size == SIZE
    assert found.size.height == 10


def test_empty_is_ordinary() -> None:
    none = Boxes.empty(SIZE)
    assert len(none) == len(none[:0]) == len(Boxes([], SIZE)) == 0
    assert Boxes([], SIZE).coordinates.shape == (0, 4)
    assert len(Detections.empty(SIZE)) == len(Detections.empty(SIZE)[:5]) == 0
    assert len(GroundTruth(none, [], [])) == len(Proposals.from_source(none, np.zeros(0), "ss")) == 0
    assert len(Proposals(none, [], [], ())) == 0


@pytest.mark.parametrize("index", [slice(1, None), np.array([1]), np.array([False, True])])
def test_slicing_keeps_columns_together(index) -> None:
    second = [[1, 2, 20, 10]]
    assert TWO[index].coordinates.tolist() == second
    found = Detections(TWO, [3, 4], [0.9, 0.8])[index]
    assert (found.boxes.coordinates.tolist(), found.labels.tolist(), len(found)) == (second, [4], 1)
    assert found.scores.tolist() == pytest.approx([0.8])
    kept = Proposals(TWO, [5, 9], [0, 1], ("ss", "multibox"))[index]
    assert (kept.scores.tolist(), kept.sources.tolist(), kept.source_names) == ([9], [1], ("ss", "multibox"))
    truth = GroundTruth(TWO, [3, 4], [False, True])[index]
    assert (truth.labels.tolist(), truth.ignore.tolist(), truth.size) == ([4], [True], SIZE)
    assert truth.areas is None
    outlined = GroundTruth(TWO, [3, 4], [False, True], [20, 30])[index].areas
    assert outlined is not None
    assert outlined.tolist() == [30]


def test_a_label_is_the_index_of_its_name() -> None:
    labels = LabelSet(["cat", "dog"])  # type: ignore[arg-type]
    assert labels.names == ("cat", "dog")
    assert [labels.index(name) for name in labels.names] == [0, 1]
    assert len(labels) == 2
    assert labels == LabelSet(("cat", "dog"))


def test_detections_have_names_where_their_classes_are_known():
    size = Size(10, 10)
    found = Detections(Boxes([[0, 0, 5, 5], [1, 1, 6, 6]], size), [1, 0], [0.9, 0.8], LabelSet(("cat", "dog")))
    assert found.names == ("dog", "cat")
    assert found[found.scores > 0.85].names == ("dog",)
    assert Detections.empty(size).names == ()
    with pytest.raises(ValueError, match="know no class names"):
        _ = Detections(found.boxes, [1, 0], [0.9, 0.8]).names
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1"):
        Detections(found.boxes, [2, 0], [0.9, 0.8], LabelSet(("cat", "dog")))
