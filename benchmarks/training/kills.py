"""`train-classifier` killed with kill -9 at random moments and resumed each time, beside a run that nothing disturbs.

The weights must be the same bit for bit. Steps are drawn with a seed, and so is the moment after each.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from googlenet_rcnn.backbone.weights import read_tensors

__all__ = ["draw_tree", "killed", "same"]

COMMAND = (sys.executable, "-m", "googlenet_rcnn.cli.main", "train-classifier", "--quiet", "--threads", "1")
SETTINGS = ("train.batch=2", "train.rate=0.001", "train.checkpoint_minutes=0.0")


def draw_tree(folder: Path, images: int) -> None:
    """Noisy pictures of two classes, one dark and one bright."""
    random = np.random.default_rng(0)
    for number in range(images):
        place = folder / "train" / ("dark", "bright")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 128, (48, 64, 3)) + 127 * (number % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number:03d}.png")


def killed(command: list[str], log: Path, step: int, delay: float) -> bool:
    """Runs the command until its log has so many steps, and kills it a moment later; False if it ended before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if steps_in(log) >= step:
            time.sleep(delay)
            process.kill()
            return process.wait() != 0
        time.sleep(0.01)
    return False


def steps_in(log: Path) -> int:
    """Whole lines of a log that may be being written, or not be there yet."""
    try:
        return log.read_bytes().count(b"\n")
    except OSError:
        return 0


def same(one: Path, other: Path) -> bool:
    """Whether two checkpoints hold the same tensors, bit for bit."""
    first, second = read_tensors(one), read_tensors(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def main() -> int:
    """Prints the table; 1 if the weights differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--epochs", type=float, default=3.0)
    flags = parser.parse_args()
    draw_tree(flags.out / "data", flags.images)
    settings = [item for one in (*SETTINGS, f"train.epochs={flags.epochs}") for item in ("--set", one)]

    def command(name: str) -> list[str]:
        return [*COMMAND, "--data", str(flags.out / "data"), "--out", str(flags.out / name), *settings]

    began = time.monotonic()
    subprocess.run(command("whole"), check=True)
    whole = time.monotonic() - began
    random, log = np.random.default_rng(0), flags.out / "killed" / "train" / "log.jsonl"
    total = steps_in(flags.out / "whole" / "train" / "log.jsonl")
    again, done = [*command("killed"), "--resume"], []
    for step in np.sort(random.choice(total, flags.kills, replace=False)).tolist():
        if killed(again, log, step, float(random.uniform(0, 0.5))):
            done.append(steps_in(log))
            print(f"killed after step {done[-1]} of {total}", file=sys.stderr)
    subprocess.run(again, check=True)
    equal = same(*(flags.out / name / "classifier.safetensors" for name in ("whole", "killed")))
    told = "the same bits" if equal else "DIFFERENT"
    print(f"{len(done)} kills, after steps {', '.join(map(str, done))} of {total} ({whole:.0f} s undisturbed): {told}")
    return int(not equal)


if __name__ == "__main__":
    sys.exit(main())
