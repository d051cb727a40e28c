"""`train-classifier` killed with kill -9 at random moments and resumed each time, beside a run that nothing disturbs.

The weights must be the same bit for bit. Moments are drawn with a seed from the time that the undisturbed run takes.
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
from googlenet_rcnn.core.store import read_json_lines

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


def killed(command: list[str], seconds: float) -> bool:
    """Runs the command for so long and kills it; False if it had ended before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


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
    random = np.random.default_rng(0)
    again, steps = [*command("killed"), "--resume"], []
    for _ in range(flags.kills):
        if not killed(again, float(random.uniform(0.3, 1.0) * whole)):
            break
        log = flags.out / "killed" / "train" / "log.jsonl"
        steps.append(sum(1 for _ in read_json_lines(log)) if log.exists() else 0)
        print(f"killed after step {steps[-1]}", file=sys.stderr)
    subprocess.run(again, check=True)
    equal = same(*(flags.out / name / "classifier.safetensors" for name in ("whole", "killed")))
    told = "the same bits" if equal else "DIFFERENT"
    print(f"{len(steps)} kills, after steps {', '.join(map(str, steps))} of a run of {whole:.0f} s: {told}")
    return int(not equal)


if __name__ == "__main__":
    sys.exit(main())
