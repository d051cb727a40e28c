"""The Python door: any kind of image, one or a stream of them, and the same answers as the command."""

import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hostile import encoded, half_jpeg, photo, with_orientation, write
from PIL import Image as PillowImage
from stub_parts import ColourClassifier, FixedProposer

from googlenet_rcnn.api import ObjectDetector, build, load_detector
from googlenet_rcnn.core.errors import ImageError, ModelError, UsageError
from googlenet_rcnn.core.images import ImagePolicy
from googlenet_rcnn.core.types import Detections, Proposals
from googlenet_rcnn.detector.pipeline import Detector
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.detector.view import View
from googlenet_rcnn.detector.warp import Warp

ROWS = ((0.0, 0.0, 10.0, 10.0), (10.0, 0.0, 30.0, 20.0))


class CountingProposer(FixedProposer):
    """Notes how many images it has seen, in all threads together."""

    seen = 0
    _lock = threading.Lock()

    def propose(self, image):
        with self._lock:
            type(self).seen += 1
        return super().propose(image)


def stub(proposer=None, threshold=0.2, policy=None, threads=1) -> ObjectDetector:
    """Sees red, green and blue in two fixed boxes."""
    view = View(Warp(side=32, context=0), [ColourClassifier()])
    pipeline = Detector(proposer or FixedProposer(ROWS), [view], Selection(threshold), threads=threads)
    return ObjectDetector(pipeline, policy or ImagePolicy())


def flag() -> np.ndarray:
    """20 x 30 pixels: the left third red, the rest blue."""
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, :10] = (255, 0, 0)
    pixels[:, 10:] = (0, 0, 255)
    return pixels


def told(found: Detections):
    return sorted((name, box.tolist()) for name, box in zip(found.names, found.boxes.coordinates, strict=True))


EXPECTED = [("blue", [10, 0, 30, 20]), ("red", [0, 0, 10, 10])]


def test_every_kind_of_image_gives_the_same_detections(tmp_path):
    pixels, detector = flag(), stub()
    data = encoded(pixels, "PNG")
    path = write(tmp_path, "flag.png", data)
    kinds = [
        pixels,
        pixels / 255,
        str(path),
        path,
        data,
        PillowImage.fromarray(pixels),
        PillowImage.open(BytesIO(data)),
    ]
    for kind in kinds:
        assert told(detector.detect(kind)) == EXPECTED, type(kind)
    assert told(detector.detect(pixels[:, :, ::-1], bgr=True)) == EXPECTED
    assert {name for name, _ in told(detector.detect(pixels[:, :, ::-1]))} == {"red", "blue"}
    assert told(detector.detect(pixels[:, :, ::-1])) != EXPECTED


def test_palette_and_orientation_of_a_pillow_image_are_seen_as_in_a_file():
    detector = stub()
    palette = PillowImage.fromarray(flag()).quantize(4)
    np.testing.assert_array_equal(detector.pixels(palette), flag())
    data = with_orientation(6, "PNG")
    turned = detector.pixels(PillowImage.open(BytesIO(data)))
    assert turned.shape == (40, 20, 3)
    np.testing.assert_array_equal(turned, detector.pixels(data))
    as_stored = stub(policy=ImagePolicy(exif=False))
    assert as_stored.pixels(PillowImage.open(BytesIO(data))).shape == (20, 40, 3)


def test_faults_are_those_of_the_decoder_and_of_arrays(tmp_path):
    detector = stub()
    for image, code in ((tmp_path / "none.jpg", "IMG_MISSING"), (b"", "IMG_EMPTY"), (half_jpeg(), "IMG_TRUNCATED")):
        with pytest.raises(ImageError) as caught:
            detector.detect(image)
        assert caught.value.code == code
    with pytest.raises(ValueError, match=r"\[3, 20, 30\]"):
        detector.detect(flag().transpose(2, 0, 1))
    assert stub(policy=ImagePolicy(truncated="salvage")).pixels(half_jpeg()).shape == (60, 80, 3)


def test_a_threshold_can_be_changed_without_loading_again():
    half = flag()
    half[:5] = 0
    detector = stub()
    assert len(detector.detect(half)) == 2
    strict = detector.with_threshold(0.9)
    assert len(strict.detect(half)) == 0
    assert strict.pipeline.views is detector.pipeline.views
    assert len(detector.detect(half)) == 2


def test_proposals_can_be_had_alone():
    proposals = stub().propose(flag())
    assert isinstance(proposals, Proposals)
    assert proposals.boxes.coordinates.tolist() == [list(row) for row in ROWS]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_stream_gives_one_result_for_each_image_in_order(tmp_path, threads):
    pixels = flag()
    path = write(tmp_path, "flag.png", encoded(pixels, "PNG"))
    images = [pixels, str(path), np.zeros_like(pixels), pixels[:, :10], path]
    found = [told(one) for one in stub(threads=threads).stream(iter(images))]
    assert found == [EXPECTED, EXPECTED, [], EXPECTED[1:], EXPECTED]
    assert list(stub(threads=threads).stream([])) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_a_stream_takes_no_more_than_it_works_on(threads):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield flag()

    stream = stub(threads=threads).stream(endless())
    for _ in range(4):
        next(stream)
    stream.close()
    assert len(taken) <= 4 + threads


@pytest.mark.parametrize("threads", [1, 3])
def test_a_bad_image_raises_in_its_turn_or_takes_the_place_of_its_result(threads):
    images = [flag(), b"", flag().transpose(2, 0, 1), flag()]
    detector = stub(threads=threads)
    stream = detector.stream(images)
    assert told(next(stream)) == EXPECTED
    with pytest.raises(ImageError, match="0 bytes"):
        next(stream)
    first, empty, turned, last = detector.stream(images, return_errors=True)
    assert (told(first), told(last)) == (EXPECTED, EXPECTED)
    assert isinstance(empty, ImageError)
    assert isinstance(turned, ValueError)


def test_a_fault_of_ours_is_never_returned_as_an_image_s(monkeypatch):
    def broken(self, image):
        raise ValueError("a bug")

    monkeypatch.setattr(CountingProposer, "propose", broken)
    with pytest.raises(ValueError, match="a bug"):
        list(stub(CountingProposer(ROWS)).stream([flag()], return_errors=True))


def test_settings_reach_the_parts(detector_file, monkeypatch):
    monkeypatch.setattr(build, "load_selective_search", lambda say: None)
    detector = load_detector(
        detector_file, threshold=0.3, mode="exhaustive", runtime="torch", nms_iou=0.4, max_detections=7, threads=1
    )
    assert detector.pipeline.selection == Selection(0.3, 0.4, 7, 0.5)
    assert detector.pipeline.cascade is None
    assert len(detector.labels) == 20
    assert load_detector([str(detector_file)] * 2, runtime="torch", flip=True).pipeline.views[1].mirrored


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"weights": "none"}, "WEIGHTS_UNKNOWN"),
        ({"mode": "slow"}, "MODE_UNKNOWN"),
        ({"method": "magic"}, "METHOD_UNKNOWN"),
        ({"runtime": "abacus"}, "RUNTIME_UNKNOWN"),
        ({"threshold": 1.5}, "FLAG_VALUE"),
    ],
)
def test_settings_without_meaning_are_refused(settings, code):
    with pytest.raises(UsageError) as caught:
        load_detector(**settings)
    assert caught.value.code == code


def test_a_file_that_is_no_detector_is_refused(classifier_file):
    with pytest.raises(ModelError, match="not a detector"):
        load_detector(classifier_file)


def test_the_command_and_the_door_answer_alike(detector_file, tmp_path, monkeypatch):
    """The same weights and file, through flags and through keyword arguments."""
    from googlenet_rcnn.cli.detect import DetectOptions
    from googlenet_rcnn.cli.detection_rows import detection_rows
    from googlenet_rcnn.cli.inputs import ImageFile

    monkeypatch.setattr(build, "build_proposer", lambda *method, **settings: FixedProposer(ROWS))
    path = write(tmp_path, "photo.png", encoded(photo(40, 50), "PNG"))
    options = DetectOptions(
        weights=(str(detector_file),), method="ss", engine="native", preset="fast", superpixel_scale=2.0,
        score_threshold=0.03, nms_iou=0.3, max_detections=100, mode="exhaustive", seed=0, truncated="fail",
        max_pixels=10**6, exif=True, runtime="torch", threads=1,
    )  # fmt: skip
    (made,) = detection_rows(options, lambda message: None)([ImageFile("photo", str(path))])
    detector = load_detector(detector_file, threshold=0.03, mode="exhaustive", runtime="torch", threads=1)
    found = detector.detect(Path(path))
    assert made.row["detections"]
    assert [one["label"] for one in made.row["detections"]] == list(found.names)
    np.testing.assert_allclose([one["score"] for one in made.row["detections"]], found.scores, rtol=1e-5)
