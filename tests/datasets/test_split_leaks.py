import numpy as np
import pytest
from PIL import Image

from googlenet_rcnn.core.types import Dataset, LabelSet, Sample
from googlenet_rcnn.datasets.split_leaks import _nearest, split_leaks


def scene(seed, size=(240, 180)):
    """A picture of large smooth shapes with some texture, as photographs have them."""
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(0, 256, (7, 9, 3), dtype=np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    noise = generator.integers(-9, 10, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(coarse).astype(int) + noise, 0, 255).astype(np.uint8))


def split(folder, pictures):
    """A split of pictures saved as they are told."""
    folder.mkdir()
    samples = []
    for name, (picture, options) in pictures.items():
        picture.save(folder / name, **options)
        samples.append(Sample(name, folder / name))
    return Dataset(LabelSet(("cat",)), tuple(samples))


# FAULTS 46
def test_the_same_file_and_pictures_that_look_the_same(tmp_path):
    train = split(tmp_path / "train", {f"{seed}.png": (scene(seed), {}) for seed in range(6)})
    val = split(
        tmp_path / "val",
        {
            "other.png": (scene(99), {}),
            "copy.png": (scene(2), {}),
            "jpeg.jpg": (scene(3), {"quality": 60}),
            "small.png": (scene(4).resize((120, 90)), {}),
            "bright.png": (scene(5).point(lambda value: value * 0.8), {}),
        },
    )
    rows = [(finding.code, finding.file.rpartition("/")[2], finding.message) for finding in split_leaks(train, val)]
    assert [(code, name) for code, name, _ in rows] == [
        ("SPLIT_LEAK", name) for name in ("copy.png", "jpeg.jpg", "small.png", "bright.png")
    ]
    assert "same file as" in rows[0][2]
    assert [message.split(";")[0].rpartition("/")[2] for _, _, message in rows] == ["2.png", "3.png", "4.png", "5.png"]
    assert split_leaks(val, Dataset(train.labels, train.samples[:2])) == []


def test_flat_and_unreadable_pictures_are_no_leaks_unless_the_files_are_equal(tmp_path):
    flat = Image.new("RGB", (50, 40), (9, 9, 9))
    train = split(tmp_path / "train", {"flat.png": (flat, {}), "a.png": (scene(1), {})})
    val = split(tmp_path / "val", {"flat.jpg": (Image.new("RGB", (50, 40), (200, 9, 9)), {}), "b.png": (scene(2), {})})
    (tmp_path / "val/b.png").write_bytes(b"no picture")
    gone = Dataset(val.labels, (*val.samples, Sample("gone", tmp_path / "gone.png")))
    assert split_leaks(train, gone) == []
    (tmp_path / "train/a.png").write_bytes(b"no picture")
    assert [finding.file[-5:] for finding in split_leaks(train, gone)] == ["b.png"]
    assert split_leaks(Dataset(val.labels, ()), val) == split_leaks(val, Dataset(val.labels, ())) == []


# FAULTS 46: hundreds of different pictures do not look alike.
def test_different_pictures_are_far_apart(tmp_path):
    a = split(tmp_path / "a", {f"{seed}.png": (scene(seed, (60, 45)), {}) for seed in range(60)})
    b = split(tmp_path / "b", {f"{seed}.png": (scene(1000 + seed, (60, 45)), {}) for seed in range(60)})
    assert split_leaks(a, b) == []


@pytest.mark.parametrize(("rows", "others"), [(0, 5), (5, 0), (3, 7), (600, 40)])
def test_the_nearest_by_counting_bits_one_by_one(rows, others):
    generator = np.random.default_rng(rows)
    a = generator.integers(0, 2**63, (others, 4), dtype=np.uint64)
    b = generator.integers(0, 2**63, (rows, 4), dtype=np.uint64)
    for row in range(0, min(rows, others), 2):
        b[row] = a[row] ^ np.array([0b111, 1 << 60, 0, 0b1011], np.uint64)
    expected = []
    for row in b.tolist():
        distances = [sum((x ^ y).bit_count() for x, y in zip(row, other, strict=True)) for other in a.tolist()]
        expected.append(distances.index(min(distances)) if distances and min(distances) <= 12 else -1)
    assert _nearest(b, a).tolist() == expected
    assert (min(rows, others) == 0) == (max(expected, default=-1) == -1)
