"""A decoder that dies takes one image with it, whatever the command."""

from types import SimpleNamespace

import hostile
import numpy as np
import pytest
from command_errors import codes
from deadly_decoder import DEADLY, DYING

from googlenet_rcnn.cli import decoding
from googlenet_rcnn.cli.decoding import decode_file, image_policy, shared_decoder
from googlenet_rcnn.cli.inputs import ImageFile
from googlenet_rcnn.core.decoder import Decoder
from googlenet_rcnn.core.images import ImagePolicy, decode_image


@pytest.fixture
def dying(monkeypatch):
    with Decoder(DYING) as decoder:
        monkeypatch.setattr(decoding, "shared_decoder", lambda: decoder)
        yield decoder


@pytest.fixture
def deadly_album(album):
    hostile.write(album, "b2.jpg", DEADLY + b"SIGSEGV")
    return album


def test_flags_become_a_policy():
    flags = SimpleNamespace(max_pixels=7, truncated="salvage", exif=False)
    assert image_policy(flags) == ImagePolicy(max_pixels=7, truncated="salvage", exif=False)
    assert image_policy(SimpleNamespace(max_pixels=89_400_000, truncated="fail", exif=True)) == ImagePolicy()
    more = image_policy(SimpleNamespace(max_pixels=120_000_000, truncated="fail", exif=True))
    assert (more.max_bytes, more.max_pixels) == (90_000_000, 120_000_000)


def test_a_file_is_read_from_its_path_or_from_what_it_brings(tmp_path):
    data = hostile.encoded(hostile.photo(), "PNG")
    path = str(hostile.write(tmp_path, "x.png", data))
    for file in (ImageFile("x", path), ImageFile("x", "nowhere.png", data)):
        assert np.array_equal(decode_file(file, ImagePolicy()).pixels, hostile.photo())


def test_one_decoder_serves_all_commands():
    assert shared_decoder() is shared_decoder()


# FAULTS 16
@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_lie_in_the_picture_as_displayed_or_with_no_exif_as_stored(detect, rows, tmp_path, orientation):
    stored = hostile.write(tmp_path, "stored.png", hostile.with_orientation(1, "PNG", (0, 255, 0)))
    turned = hostile.write(tmp_path, "turned.png", hostile.with_orientation(orientation, "PNG", (0, 255, 0)))
    shown = hostile.write(tmp_path, "shown.png", hostile.encoded(decode_image(turned.read_bytes()).pixels, "PNG"))
    fields = ("width", "height", "detections")
    for one, other, flag in ((turned, shown, "--exif"), (turned, stored, "--no-exif")):
        found, expected = rows(detect(one, other, flag).stdout)
        assert [found[field] for field in fields] == [expected[field] for field in fields]
        assert found["detections"]


# FAULTS 7
@pytest.mark.parametrize("workers", [1, 2])
def test_detect_goes_on_after_a_crash(dying, deadly_album, detect, rows, workers):
    result = detect(deadly_album, "--workers", workers)
    assert result.exit_code == 4
    assert [row["status"] for row in rows(result.stdout)] == ["ok", "ok", "failed", "ok"]
    assert codes(result) == ["IMG_DECODER_CRASH"]
    assert "b2.jpg: the decoder died over it (SIGSEGV)" in result.stderr


def test_propose_and_classify_do_too(dying, deadly_album, cli, rows, classifier_file):
    for command in (("propose", "--preset", "single"), ("classify", "--weights", classifier_file)):
        result = cli(*command, "--image", deadly_album)
        assert result.exit_code == 4, result.stderr
        assert [row.get("code") for row in rows(result.stdout)] == [None, None, "IMG_DECODER_CRASH", None]
