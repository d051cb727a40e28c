"""benchmarks/classification/probe.py on a network that has learned nothing: it still tells dark from bright."""

import runpy
from pathlib import Path

import numpy as np
from hostile import encoded, write

MAIN = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "classification" / "probe.py"))["main"]


def test_dark_and_bright_are_told_apart_and_the_commonest_class_named(tmp_path, checkpoint, capsys) -> None:
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for name, level, count in (("dark", 40, 2), ("bright", 200, 6)):
            place = tmp_path / split / name
            place.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(level - 20, level + 20, (30, 40, 3)).astype(np.uint8)
                write(place, f"{number}.png", encoded(pixels, "PNG"))
    weights = checkpoint(tmp_path / "net.safetensors", task="classifier", labels=("a", "b"))
    flags = ["--folder", str(tmp_path), "--weights", str(weights), "--runtime", "torch", "--cost", "1"]
    assert MAIN(flags) == 0
    assert (
        "linear probe on 8 pictures: top-1 1.0000\nalways the commonest class: top-1 0.7500" in capsys.readouterr().out
    )


def test_a_missing_folder_is_told_in_one_line(tmp_path, capsys) -> None:
    assert MAIN(["--folder", str(tmp_path), "--weights", str(tmp_path / "none")]) == 3
    assert capsys.readouterr().err.startswith("error: ")
