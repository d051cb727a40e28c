"""The pipeline over images: overlapped, in order, bounded, and the same rows whatever the workers."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import stub_detector
from hostile import encoded, write
from stub_parts import ColourClassifier, FixedProposer

from googlenet_rcnn.cli.detect import DetectOptions
from googlenet_rcnn.cli.detection_rows import detection_rows
from googlenet_rcnn.cli.inputs import ImageFile

SUPPORT = os.path.dirname(stub_detector.__file__)


def options(**changes):
    usual = {
        "weights": (), "method": "ss", "engine": "native", "preset": "fast", "superpixel_scale": 2.0,
        "score_threshold": 0.2, "nms_iou": 0.3, "max_detections": 100, "mode": "fast", "seed": 0,
        "truncated": "fail", "max_pixels": 10**6, "exif": True, "threads": 1,
    }  # fmt: skip
    return DetectOptions(**(usual | changes))


@pytest.fixture
def install(monkeypatch):
    """Puts a classifier and a proposer where `detect` finds them; gives the function from files to what is made."""

    def put(classifier=None, proposer=None, **changes):
        stub_detector.install(monkeypatch.setattr, classifier)
        monkeypatch.setattr(stub_detector, "FixedProposer", lambda rows: proposer or FixedProposer(rows))
        return detection_rows(options(**changes), lambda message: None)

    return put


@pytest.fixture
def files(tmp_path):
    """Twelve pictures, all different, of which the fourth is bad."""
    found = []
    for number in range(12):
        pixels = np.zeros((20 + number, 30, 3), np.uint8)
        pixels[:, : 2 + 2 * number, number % 3] = 255
        data = b"" if number == 3 else encoded(pixels, "PNG")
        found.append(ImageFile(str(number), str(write(tmp_path, f"{number}.png", data))))
    return found


@pytest.fixture
def at_work():
    """The threads that prepare images; what other tests have left is not counted."""
    before = set(threading.enumerate())

    def working():
        new = set(threading.enumerate()) - before
        return [thread for thread in new if thread.name.startswith("ThreadPoolExecutor")]

    return working


def without_times(made):
    return [({key: value for key, value in one.row.items() if key != "ms"}, list(one.pictures)) for one in made]


@pytest.mark.parametrize("workers", [2, 3, 8, 20])
def test_rows_and_pictures_are_the_same_whatever_the_workers(install, files, tmp_path, workers):
    plain = without_times(install(draw=tmp_path / "drawn")(files))
    assert [row["image_id"] for row, _ in plain] == [file.image_id for file in files]
    assert [row["status"] for row, _ in plain].count("failed") == 1
    assert all(bool(pictures) == (row["status"] == "ok") for row, pictures in plain)
    for changes in ({"workers": workers}, {"threads": workers}):
        assert without_times(install(draw=tmp_path / "drawn", **changes)(files)) == plain


def test_each_row_has_disjoint_stages(install, files):
    for made in install(workers=2)(files):
        if made.row["status"] == "ok":
            assert list(made.row["ms"]) == ["decode", "propose", "warp", "classify"]


class Announcing:
    """Tells when it begins an image."""

    def __init__(self):
        self.begun, self.count = threading.Semaphore(0), 0

    def propose(self, image):
        self.count += 1
        self.begun.release()
        return FixedProposer(stub_detector.WHOLE).propose(image)


class Patient(ColourClassifier):
    """Scores an image only once the proposals of that image and of one more have been begun."""

    def __init__(self, proposer, images):
        super().__init__()
        self.proposer, self.images = proposer, images

    def score(self, crops):
        for _ in range(2 if not self.calls else int(len(self.calls) < self.images - 1)):
            assert self.proposer.begun.acquire(timeout=20)
        return super().score(crops)


def test_next_image_is_proposed_while_one_is_scored(install, files):
    good = [file for file in files if file.image_id != "3"]
    proposer = Announcing()
    made = list(install(Patient(proposer, len(good)), proposer, workers=2)(good))
    assert [one.row["image_id"] for one in made] == [file.image_id for file in good]


@pytest.mark.parametrize("workers", [2, 4])
def test_no_more_images_are_in_hand_than_workers(install, files, workers):
    good = [file for file in files if file.image_id != "3"]
    taken, given, most = [], [], 0

    def asked():
        for file in good:
            taken.append(file)
            yield file

    for made in install(workers=workers)(asked()):
        given.append(made)
        most = max(most, len(taken) - len(given))
    assert (len(given), most) == (len(good), workers - 1)


def test_one_worker_begins_nothing_before_it_is_asked(install, files):
    proposer = Announcing()
    made = install(None, proposer, workers=1)(files)
    next(made)
    assert proposer.count == 1
    made.close()


@pytest.mark.parametrize("fault", [MemoryError, KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("where", ["propose", "score"])
@pytest.mark.parametrize("workers", [1, 3])
def test_fault_ends_all_threads_and_comes_after_the_rows_before_it(install, files, fault, where, workers, at_work):
    class Failing(Announcing):
        def propose(self, image):
            if where == "propose" and len(image) == 22:  # the third picture
                raise fault
            return super().propose(image)

    class Stopping(ColourClassifier):
        def score(self, crops):
            if where == "score" and len(self.calls) == 2:
                raise fault
            return super().score(crops)

    given = []
    with pytest.raises(fault):
        given.extend(one.row["image_id"] for one in install(Stopping(), Failing(), workers=workers)(files))
    assert given == ["0", "1"]
    assert not at_work()


def test_closing_early_ends_all_threads(install, files, at_work):
    made = install(workers=4)(files)
    next(made)
    assert at_work()
    made.close()
    assert not at_work()


INTERRUPTED = """
import signal, time, stub_detector
from stub_parts import FixedProposer

class Slow(FixedProposer):
    def propose(self, image):
        time.sleep(0.05)
        return super().propose(image)

classifier = stub_detector.StoppingClassifier()
classifier.after = 3
classifier.stop = lambda: signal.raise_signal(signal.SIGINT)
stub_detector.install(classifier=classifier)
stub_detector.FixedProposer = Slow
"""


def test_interrupted_process_ends_its_threads_and_keeps_the_rows(process, detect, album, tmp_path, rows):
    """A real signal while other threads propose; what was made is kept and continued to the same rows."""
    out, good = tmp_path / "out.jsonl", tmp_path / "good.jsonl"
    images = [album] * 5
    flags = ("--score-threshold", "0.2", "--draw", tmp_path / "drawn")
    result = process("detect", *images, *flags, "--threads", "3", "--out", out, code=INTERRUPTED, timeout=60)
    assert (result.returncode, result.stderr.splitlines()[-1][:19]) == (130, "error: INTERRUPTED:")
    assert len(rows(tmp_path / "out.jsonl.part")) == 3
    assert len(list((tmp_path / "drawn").iterdir())) == 3
    assert detect(*images, *flags[2:], "--threads", "3", "--out", out).exit_code == 0
    assert detect(*images, "--out", good).exit_code == 0
    assert rows(out) == rows(good)


def test_interrupt_from_outside_while_waiting_for_proposals(album, tmp_path):
    """As a terminal sends it, at a moment when the command itself only waits for its threads."""
    code = f"import sys; sys.path.insert(0, {SUPPORT!r})\n" + INTERRUPTED.replace("0.05", "0.2").replace("= 3", "= 99")
    code += "print('ready', flush=True)\nfrom googlenet_rcnn.cli.main import main; main()"
    out = tmp_path / "out.jsonl"
    arguments = ["detect", *[str(album)] * 50, "--threads", "2", "--quiet", "--out", str(out)]
    running = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        part = out.with_name("out.jsonl.part")
        for _ in range(1200):
            if part.exists() and part.read_bytes().count(b"\n") >= 2:
                break
            threading.Event().wait(0.05)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
    finally:
        running.kill()
    assert (running.returncode, told.count(b"INTERRUPTED")) == (130, 1)
    assert part.read_bytes().endswith(b"\n")
