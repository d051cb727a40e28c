"""Annotated images for training: what they must have, and what their randomness depends on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hostile import photo
from PIL import Image
from tiny_voc import truth

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.samples import content_digest, sample_pixels, sample_random, sample_truth
from googlenet_rcnn.core.types import Sample, Size

SIZE = Size(20, 30)


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    Image.fromarray(photo(*SIZE)).save(tmp_path / "a.png")
    return Sample("a", tmp_path / "a.png", truth([(0, (1, 1, 9, 9), False)], SIZE))


def test_pixels_and_truth_of_a_sound_sample(sample: Sample) -> None:
    assert np.array_equal(sample_pixels(sample), photo(*SIZE))
    assert sample_truth(sample) is sample.truth


def test_an_annotation_of_another_size_names_both(sample: Sample) -> None:
    with pytest.raises(DataError, match=r"a\.png is 30x20, its annotation says 31x20") as caught:
        sample_pixels(replace(sample, truth=truth([], Size(20, 31))))
    assert caught.value.code == "SIZE_MISMATCH"


def test_a_sample_without_annotation_is_refused(sample: Sample) -> None:
    with pytest.raises(DataError, match=r"a\.png") as caught:
        sample_truth(replace(sample, truth=None))
    assert caught.value.code == "ANN_MISSING"


def test_randomness_depends_on_seed_and_id_and_not_on_the_path(sample: Sample) -> None:
    first = sample_random(sample, 3).integers(1 << 60)
    assert sample_random(replace(sample, path=Path("elsewhere.png")), 3).integers(1 << 60) == first
    assert sample_random(replace(sample, image_id="b"), 3).integers(1 << 60) != first
    assert sample_random(sample, 4).integers(1 << 60) != first


def test_the_digest_follows_the_bytes_and_is_empty_without_a_file(sample: Sample) -> None:
    before = content_digest(sample)
    assert len(before) == 64
    sample.path.write_bytes(sample.path.read_bytes() + b"\0")
    assert content_digest(sample) != before
    sample.path.unlink()
    assert content_digest(sample) == ""
