"""One process against two under torchrun: the same training, the same batches together, the same evaluation.

Sums are made in another order with two, so that weights differ by rounding, and what is measured with them by noise.
What two processes measure together of one network must be exactly what a single one measures of it.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.weights import read_tensors
from googlenet_rcnn.cli.markdown import markdown

__all__ = ["Trained", "difference", "main"]

_MAIN = ["-m", "googlenet_rcnn.cli.main"]


class Trained(NamedTuple):
    """A run's weights file and what the run measured with it."""

    weights: Path
    metrics: dict[str, Any]


def train(data: Path, out: Path, processes: int, flags: Sequence[str]) -> Trained:
    """`train-classifier` in so many processes, each with one thread."""
    alone = [sys.executable, *_MAIN]
    together = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *_MAIN]
    command = ["train-classifier", "--data", str(data), "--out", str(out), "--threads", "1", "--quiet", *flags]
    subprocess.run([*(alone if processes == 1 else together), *command], check=True)
    weights = out / "classifier.safetensors"
    return Trained(weights, read_card(weights).metrics)


def measured_alone(data: Path, weights: Path, report: Path) -> dict[str, Any]:
    """What one process measures of a network, by the reference engine, as training does."""
    flags = ["--data", str(data), "--split", "val", "--weights", str(weights), "--runtime", "torch", "--quiet"]
    command = [sys.executable, *_MAIN, "evaluate", "classification", *flags, "--report", str(report), "--overwrite"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads((report / "metrics.json").read_bytes())
    return found


def difference(a: Path, b: Path) -> float:
    """Largest difference of two networks' weights, in shares of the largest weight of each tensor."""
    one, other = read_tensors(a), read_tensors(b)
    if one.keys() != other.keys():
        raise ValueError("the networks have other tensors")
    shares = [
        float((one[name].float() - other[name].float()).abs().max()) / max(1e-12, float(one[name].float().abs().max()))
        for name in one
    ]
    return max(shares)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what each measured; status 1 if the evaluations of one network differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and val/, of a folder for each class")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("flags", nargs="*", help="further flags of train-classifier, after --")
    told = parser.parse_args(arguments)
    runs = {count: train(told.data, told.out / str(count), count, told.flags) for count in (1, 2)}
    again = measured_alone(told.data, runs[2].weights, told.out / "again")
    rows = [
        [name, f"{found['top1']:.6f}", f"{found['top5']:.6f}"]
        for name, found in (
            ("one process", runs[1].metrics),
            ("two processes", runs[2].metrics),
            ("what the two trained, measured by one", again),
        )
    ]
    print(markdown(["", "top-1", "top-5"], rows))
    print(f"weights of the two runs differ by up to {difference(runs[1].weights, runs[2].weights):.2g} of the largest")
    same = all(again[name] == runs[2].metrics[name] for name in ("images", "top1", "top5"))
    print("evaluations of one network are equal" if same else "evaluations of one network DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
