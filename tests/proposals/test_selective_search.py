"""The search as a whole: determinism, edges, counts, recall on drawn objects."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Image, Proposals
from googlenet_rcnn.proposals.selective_search import PRESETS, SelectiveSearch

FAST = SelectiveSearch.preset("fast")
OBJECTS = np.array([[20, 30, 90, 110], [130, 20, 230, 70], [120, 110, 170, 180], [200, 100, 280, 150]])


def drawn_image(seed: int = 0) -> Image:
    """Rectangles of OBJECTS on a plain ground, all with some noise [200,300,3]."""
    rng = np.random.default_rng(seed)
    pixels = np.full((200, 300, 3), 120.0)
    colours = ((200, 40, 40), (40, 170, 60), (40, 60, 210), (230, 220, 60))
    for (x1, y1, x2, y2), colour in zip(OBJECTS, colours, strict=True):
        pixels[y1:y2, x1:x2] = colour
    return np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)


def digest(proposals: Proposals) -> str:
    arrays = (proposals.boxes.coordinates, proposals.scores, proposals.sources)
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@pytest.mark.parametrize(("name", "count"), [("fast", 8), ("quality", 80), ("single", 1)])
def test_presets_have_the_hierarchies_of_the_paper(name: str, count: int) -> None:
    assert SelectiveSearch.preset(name).hierarchies == count


def test_groupings_are_as_many_as_promised() -> None:
    assert len(list(FAST.groupings(drawn_image()))) == FAST.hierarchies


def test_drawn_objects_are_found() -> None:
    proposals = FAST.propose(drawn_image())
    overlap = intersection_over_union(OBJECTS.astype(np.float32), proposals.boxes.coordinates)
    assert overlap.max(axis=1).min() > 0.9


def test_scores_fall_and_boxes_differ() -> None:
    proposals = FAST.propose(drawn_image())
    assert (np.diff(proposals.scores) < 0).all()
    assert 0 < proposals.scores.min() <= proposals.scores.max() == 1
    assert len(np.unique(proposals.boxes.coordinates, axis=0)) == len(proposals)
    assert proposals.source_names == ("ss",)


def test_large_boxes_tend_to_come_first() -> None:
    boxes = FAST.propose(drawn_image()).boxes.coordinates
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    half = len(areas) // 2
    assert areas[:half].mean() > areas[half:].mean()


def test_no_box_is_under_the_least_side() -> None:
    image = drawn_image()
    boxes = SelectiveSearch.preset("fast").propose(image).boxes.coordinates
    least = FAST.min_side * image.shape[1] / FAST.width
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= least - 1e-3


def test_equal_input_gives_equal_bytes_in_threads_too() -> None:
    image = drawn_image()
    expected = digest(FAST.propose(image))
    with ThreadPoolExecutor(3) as pool:
        assert {digest(p) for p in pool.map(FAST.propose, [image] * 6)} == {expected}


def test_seed_changes_the_order_only() -> None:
    image = drawn_image()
    first, second = (SelectiveSearch.preset("fast", seed=seed).propose(image) for seed in (0, 1))
    assert digest(first) != digest(second)
    rows = [set(map(tuple, p.boxes.coordinates.tolist())) for p in (first, second)]
    assert rows[0] == rows[1]


def test_another_process_gives_equal_bytes() -> None:
    program = (
        "import sys, numpy as np, hashlib\n"
        "from googlenet_rcnn.proposals.selective_search import SelectiveSearch\n"
        "image = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(200, 300, 3)\n"
        "p = SelectiveSearch.preset('fast').propose(image)\n"
        "assert 'torch' not in sys.modules\n"
        "arrays = (p.boxes.coordinates, p.scores, p.sources)\n"
        "print(hashlib.sha256(b''.join(a.tobytes() for a in arrays)).hexdigest())\n"
    )
    image = drawn_image()
    answer = subprocess.run(
        [sys.executable, "-c", program],
        input=image.tobytes(),
        env={**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert answer.stdout.decode().strip() == digest(FAST.propose(image))


def test_doubled_superpixels_halve_the_boxes() -> None:
    data = pytest.importorskip("skimage.data")
    ratios = []
    for name in ("chelsea", "astronaut", "coffee", "rocket"):
        image = getattr(data, name)()
        one, two = (len(SelectiveSearch.preset("fast", s).propose(image)) for s in (1, 2))
        ratios.append(two / one)
    assert all(0.3 < ratio < 0.7 for ratio in ratios)
    assert 0.4 < np.mean(ratios) < 0.65


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (2000, 3), (40, 40)])
def test_plain_image_of_any_shape_is_proposed_whole(shape: tuple[int, int]) -> None:
    proposals = FAST.propose(np.full((*shape, 3), 77, np.uint8))
    assert proposals.boxes.coordinates.tolist() == [[0, 0, shape[1], shape[0]]]
    assert proposals.size == shape


@pytest.mark.parametrize("shape", [(2, 3), (700, 90), (64, 900)])
def test_noise_of_any_shape_gives_valid_boxes(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    proposals = FAST.propose(image)
    # Boxes checks that they lie inside the image.
    assert len(proposals) >= 1
    assert proposals.size == shape


def test_input_is_left_alone_and_may_be_a_view() -> None:
    image = drawn_image()
    image.flags.writeable = False
    assert digest(FAST.propose(image[:, ::-1])) == digest(FAST.propose(image[:, ::-1].copy()))


def test_quality_holds_more_boxes_than_fast() -> None:
    image = drawn_image()
    assert len(SelectiveSearch.preset("quality").propose(image)) > len(FAST.propose(image))


@pytest.mark.parametrize(
    "settings",
    [
        {"colours": ("cmyk",)},
        {"colours": ()},
        {"strategies": (("shape",),)},
        {"strategies": ()},
        {"strategies": (("size",), ())},
        {"ks": ()},
        {"ks": (0,)},
        {"superpixel_scale": float("nan")},
        {"width": 0},
        {"width": 65_536},
        {"sigma": -1},
        {"seed": -1},
    ],
)
def test_settings_that_make_no_sense_are_usage_errors(settings: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        SelectiveSearch(**{**PRESETS["fast"]._asdict(), **settings})


def test_unknown_preset_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="slow"):
        SelectiveSearch.preset("slow")


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))])
def test_what_is_no_image_is_refused(wrong: Image) -> None:
    with pytest.raises(ValueError, match="an image is"):
        FAST.propose(wrong)
