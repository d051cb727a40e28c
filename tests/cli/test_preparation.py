"""An image file is decoded and proposed, or its failed row says why not."""

from types import SimpleNamespace

import numpy as np
import pytest
from hostile import encoded, fill_folder, half_jpeg, photo, with_orientation, write
from stub_parts import FixedProposer

from googlenet_rcnn.cli.image_loop import Made
from googlenet_rcnn.cli.inputs import ImageFile
from googlenet_rcnn.cli.preparation import Preparation, Prepared
from googlenet_rcnn.cli.proposal_source import ProposalSource
from googlenet_rcnn.core.errors import DataError

ROWS = ((0, 0, 20, 10), (2, 2, 12, 9), (0, 0, 500, 500))


def preparation(source=None, empty=("detections",), **changes):
    options = SimpleNamespace(**({"max_pixels": 10**6, "truncated": "fail", "exif": True} | changes))
    return Preparation(source or ProposalSource(FixedProposer(ROWS)), options, empty)


def as_file(path):
    return ImageFile(path.stem, str(path))


def test_pixels_proposals_and_times_of_a_good_file(tmp_path):
    image = photo(40, 50)
    file = as_file(write(tmp_path, "x.png", encoded(image, "PNG")))
    prepared = preparation()(file)
    assert isinstance(prepared, Prepared)
    assert prepared.file is file
    assert np.array_equal(prepared.image.pixels, image)
    assert prepared.proposals.boxes.coordinates.tolist() == [list(row) for row in ROWS[:2]]
    assert list(prepared.milliseconds) == ["decode", "propose"]
    assert all(value >= 0 for value in prepared.milliseconds.values())


def test_warnings_travel_with_the_image(tmp_path):
    prepared = preparation()(as_file(write(tmp_path, "x.jpg", encoded(photo(), "PNG"))))
    assert prepared.image.warnings == ("IMG_EXT_MISMATCH",)


def test_each_bad_file_gives_its_failed_row(tmp_path):
    for name, code in fill_folder(tmp_path).items():
        made = preparation(empty=("boxes", "scores"), max_pixels=89_400_000)(as_file(tmp_path / name))
        assert isinstance(made, Made)
        assert (made.row["status"], made.row["code"], made.pictures) == ("failed", code, ())
        assert (made.row["boxes"], made.row["scores"]) == ([], [])


def test_flags_decide_what_is_accepted(tmp_path):
    turned = as_file(write(tmp_path, "turned.jpg", with_orientation(6)))
    straight, as_stored = (preparation(exif=exif)(turned).image.pixels.shape for exif in (True, False))
    assert straight == (as_stored[1], as_stored[0], 3)
    cut = as_file(write(tmp_path, "cut.jpg", half_jpeg()))
    assert preparation()(cut).row["code"] == "IMG_TRUNCATED"
    assert preparation(truncated="salvage")(cut).image.warnings == ("IMG_TRUNCATED",)
    good = as_file(write(tmp_path, "good.png", encoded(photo(20, 30), "PNG")))
    assert isinstance(preparation(max_pixels=600)(good), Prepared)
    assert isinstance(preparation(max_pixels=599)(good), Made)


def test_content_that_comes_with_the_file_is_decoded_in_place_of_the_path():
    image = photo(20, 30)
    prepared = preparation()(ImageFile("x", "nowhere/x.png", encoded(image, "PNG")))
    assert np.array_equal(prepared.image.pixels, image)
    made = preparation()(ImageFile("x", "nowhere/x.png", b""))
    assert (made.row["code"], made.row["path"]) == ("IMG_EMPTY", "nowhere/x.png")


def test_proposals_that_cannot_be_had_fail_the_image_alone(tmp_path):
    class Lacking:
        def proposals(self, file, pixels):
            raise DataError("PROPOSALS_MISSING", f"{file.path}: none")

    made = preparation(Lacking())(as_file(write(tmp_path, "x.png", encoded(photo(), "PNG"))))
    assert made.row["code"] == "PROPOSALS_MISSING"


def test_what_is_no_fault_of_the_data_is_raised(tmp_path):
    class Exhausted:
        def proposals(self, file, pixels):
            raise MemoryError

    with pytest.raises(MemoryError):
        preparation(Exhausted())(as_file(write(tmp_path, "x.png", encoded(photo(), "PNG"))))
