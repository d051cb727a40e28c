"""Decoding in a process of its own: the same answers, and a crash costs one image."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import hostile
import numpy as np
import pytest
from deadly_decoder import DEADLY, DYING

from googlenet_rcnn.core.decoder import Decoder
from googlenet_rcnn.core.errors import Exit, ImageError, ResourceError
from googlenet_rcnn.core.images import ImagePolicy, decode_image, read_image


@pytest.fixture(scope="module")
def decoder():
    with Decoder() as shared:
        yield shared


@pytest.fixture
def dying():
    with Decoder(DYING) as own:
        yield own


def workers(decoder):
    return [worker._process.pid for worker in decoder._idle]


def code_of(call):
    with pytest.raises(ImageError) as caught:
        call()
    return caught.value.code, caught.value.message


def test_pixels_warnings_and_format_are_those_of_the_decoder_itself(decoder, tmp_path):
    for name, (make, _) in hostile.ODD.items():
        path = hostile.write(tmp_path, name, make())
        here, there = read_image(path), decoder.read(path)
        assert np.array_equal(here.pixels, there.pixels)
        assert (here.warnings, here.format) == (there.warnings, there.format)
        assert not there.pixels.flags.writeable
        assert np.array_equal(decoder.decode(path.read_bytes(), name=name).pixels, here.pixels)


def test_faults_are_those_of_the_decoder_itself(decoder, tmp_path):
    for name in hostile.fill_folder(tmp_path):
        path = tmp_path / name
        assert code_of(lambda path=path: decoder.read(path)) == code_of(lambda path=path: read_image(path))


def test_what_is_accepted_can_differ_from_image_to_image(decoder):
    turned = hostile.with_orientation(6)
    assert decoder.decode(turned).pixels.shape == (40, 20, 3)
    assert decoder.decode(turned, ImagePolicy(exif=False)).pixels.shape == (20, 40, 3)
    assert code_of(lambda: decoder.decode(turned, ImagePolicy(max_pixels=799)))[0] == "IMG_TOO_LARGE"
    assert decoder.decode(hostile.half_jpeg(), ImagePolicy(truncated="salvage")).warnings == ("IMG_TRUNCATED",)


def test_names_of_any_bytes_reach_the_other_process(decoder, tmp_path):
    for name in hostile.odd_names():
        path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
        with open(path, "wb") as file:
            file.write(hostile.jpeg())
        assert decoder.read(path).pixels.shape == (60, 80, 3)
    assert code_of(lambda: decoder.read(str(tmp_path) + "/a\0b.jpg"))[0] == "IMG_MISSING"


def test_a_relative_name_is_meant_from_where_it_is_said(decoder, tmp_path, monkeypatch):
    for name, level in (("one", 10), ("two", 200)):
        folder = tmp_path / name
        folder.mkdir()
        hostile.write(folder, "a.png", hostile.encoded(np.full((2, 2, 3), level, np.uint8), "PNG"))
        monkeypatch.chdir(folder)
        assert decoder.read("a.png").pixels.mean() == level


# FAULTS 7
@pytest.mark.parametrize("end", [signal.SIGSEGV, signal.SIGBUS, signal.SIGKILL, signal.SIGABRT])
def test_a_crash_is_the_fault_of_its_image_alone(dying, end):
    good = decode_image(hostile.jpeg()).pixels
    assert np.array_equal(dying.decode(hostile.jpeg()).pixels, good)
    before = workers(dying)
    code, message = code_of(lambda: dying.decode(DEADLY + end.name.encode(), name="bad\n.jpg"))
    assert code == "IMG_DECODER_CRASH"
    assert message.startswith(f"bad\\n.jpg: the decoder died over it ({end.name})")
    assert np.array_equal(dying.decode(hostile.jpeg()).pixels, good)
    assert len(workers(dying)) == 1
    assert workers(dying) != before


@pytest.mark.parametrize(("end", "tries"), [("SIGSEGV", 2), ("SIGXCPU", 1)])
def test_what_took_all_its_time_is_not_tried_again(dying, tmp_path, end, tries):
    path = tmp_path / "tries.count"
    code, message = code_of(lambda: dying.decode(DEADLY + end.encode(), name=str(path)))
    assert (code, end in message) == ("IMG_DECODER_CRASH", True)
    assert path.read_text() == "." * tries


def test_a_bug_in_the_other_process_is_no_endless_wait(dying):
    code, message = code_of(lambda: dying.decode(DEADLY + b"Exception"))
    assert code == "IMG_DECODER_CRASH"
    assert "exit status 1" in message


def test_half_an_answer_is_none(dying):
    assert code_of(lambda: dying.decode(DEADLY + b"Half"))[0] == "IMG_DECODER_CRASH"


def test_an_image_is_not_blamed_for_a_worker_that_was_killed_before_it(dying):
    dying.decode(hostile.jpeg())
    for pid in workers(dying):
        os.kill(pid, signal.SIGKILL)
    assert dying.decode(hostile.jpeg()).pixels.shape == (60, 80, 3)


def test_an_image_is_not_blamed_for_a_worker_that_dies_once(dying, tmp_path):
    path = hostile.write(tmp_path, "once", DEADLY + b"Once")
    assert dying.read(path).pixels.shape == (60, 80, 3)


def test_bombs_that_get_past_the_header_meet_a_wall(dying):
    code, message = code_of(lambda: dying.decode(DEADLY + b"Memory", ImagePolicy(max_pixels=1)))
    assert code == "IMG_TOO_LARGE", message
    assert dying.decode(hostile.jpeg()).pixels.shape == (60, 80, 3)


def test_threads_share_it_and_none_gets_the_picture_of_another(decoder):
    shades = [np.full((40, 40, 3), shade, np.uint8) for shade in range(0, 250, 10)]
    files = [hostile.encoded(pixels, "PNG") for pixels in shades]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(decoder.decode, files))
    assert all(np.array_equal(image.pixels, pixels) for image, pixels in zip(found, shades, strict=True))
    assert 1 <= len(workers(decoder)) <= 3


def test_a_process_that_does_not_start_is_no_fault_of_the_image():
    with (
        Decoder((sys.executable, "-c", "pass")) as broken,
        pytest.raises(ResourceError, match="DECODER_MISSING") as caught,
    ):
        broken.decode(hostile.jpeg())
    assert caught.value.exit == Exit.RESOURCE


def test_its_processes_end_with_it():
    with Decoder() as own:
        own.decode(hostile.jpeg())
        (pid,) = workers(own)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# FAULTS 10: 120 million pixels take a decoder 1.3 GB, and the command that asks for them 0.9 GB.
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_memory_is_bounded_by_the_pixels(options):
    side = 4000
    data = hostile.encoded(np.full((side, side, 3), 90, np.uint8), "JPEG", **options)
    with Decoder() as own:
        own.decode(hostile.jpeg())
        before = peak(*workers(own))
        assert own.decode(data, ImagePolicy(max_pixels=side * side)).pixels.shape == (side, side, 3)
        assert peak(*workers(own)) - before < 14 * side * side


def peak(pid):
    """The most memory that a process has had so far, in bytes."""
    with open(f"/proc/{pid}/status") as file:
        (line,) = (line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
