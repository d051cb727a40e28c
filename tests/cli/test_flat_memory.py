"""Memory does not grow with the number of images: neither pixels, rows nor threads are kept."""

import ctypes
import gc
import os
from contextlib import suppress

import numpy as np
import pytest
import stub_detector
from hostile import encoded, write
from stub_parts import ColourClassifier

STATUS = "/proc/self/statm"


def resident():
    """Bytes of main memory that this process holds, after what is free has been given back."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with open(STATUS) as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Weighing(ColourClassifier):
    """Notes the process's memory at every hundredth image."""

    def __init__(self):
        super().__init__()
        self.images, self.memory = 0, []

    def score(self, crops):
        self.images += 1
        if self.images % 100 == 0:
            self.memory.append((self.images, resident()))
        return super().score(crops)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists(STATUS), reason="this system does not tell a process's memory")
@pytest.mark.parametrize("workers", ["1", "4"])
def test_thousands_of_images_take_no_more_memory_than_hundreds(cli, monkeypatch, tmp_path, workers):
    classifier = stub_detector.install(monkeypatch.setattr, Weighing())
    rng = np.random.default_rng(0)
    paths = []
    for number in range(40):  # of many sizes, so that freed memory does not always fit
        height, width = rng.integers(30, 200, 2)
        noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        paths.append(write(tmp_path, f"{number}.jpg", encoded(noise, "JPEG") if number else b"bad"))
    (tmp_path / "list.txt").write_text("".join(f"{path}\n" for path in paths * 100))
    flags = ("--threads", workers, "--quiet", "--out", tmp_path / "out.jsonl")
    assert cli("detect", tmp_path / "list.txt", *flags).exit_code == 4
    images, memory = np.array(classifier.memory, dtype=float).T
    settled = images > 1500
    slope = np.polyfit(images[settled], memory[settled], 1)[0]
    assert len(images) == 39
    assert slope < 500, f"{slope:.0f} bytes are kept of each image"  # its pixels are 40,000, its row 1,000
