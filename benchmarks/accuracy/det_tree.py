"""The way of ILSVRC DET from lists to a submission, walked on pictures of VOC: the real ones are not for everybody.

A third of VOC's val is laid out as val2, a third as val1 and a third as train of 2013, where an image is annotated for
one class only. A detector learns on val1+train, detects in val2 and writes JSON lines and a submission; both must have
the same score. It is no measure of accuracy: some dozen images teach little.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from googlenet_rcnn.core.types import Dataset, Sample
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.datasets.voc_synsets import VOC_SYNSETS

SETTINGS = (
    "windows.positives=6", "windows.hard=10", "windows.background=6", "head.epochs=8.0", "network.epochs=0.0",
    "screen.train.epochs=0.0", "box_regression=false", "proposals.method=multibox+ss",
)  # fmt: skip
Run = Callable[[Sequence[object]], None]


class Score(NamedTuple):
    """Mean AP of a result file and that of each class with objects."""

    mean: float
    classes: dict[str, float]

    @classmethod
    def read(cls, report: Path) -> "Score":
        """From the metrics.json of an evaluation."""
        content = json.loads((report / "metrics.json").read_text())
        return cls(content["map"], {name: ap for name, ap in content["ap"].items() if ap is not None})


def lay_out(voc: Dataset, root: Path) -> None:
    """Writes a tree as the archives of 2013 and 2014 unpack to; objects of classes that DET has not are left out."""
    kit = root / "ILSVRC2014_devkit" / "data"
    (kit / "det_lists").mkdir(parents=True)
    parts: tuple[list[Sample], ...] = ([], [], [])
    for place, sample in enumerate(voc.samples):
        parts[place % 3].append(sample)
    scored, learned, partial = parts
    numbers = {sample.image_id: number for number, sample in enumerate([*scored, *learned], start=1)}
    _write_list(kit, "val", [f"{_val(name)} {number}" for name, number in numbers.items()])
    # A part of val keeps the numbers of val and need not keep its order.
    _write_list(kit, "val2", [f"{_val(one.image_id)} {numbers[one.image_id]}" for one in reversed(scored)])
    _write_list(kit, "val1", [f"{_val(one.image_id)} {place}" for place, one in enumerate(learned, start=1)])
    for sample in (*scored, *learned):
        _write_image(root, "val", _val(sample.image_id), sample, _synsets(voc, sample))
    lines: dict[str, list[str]] = {}
    for sample in partial:
        if synsets := [synset for synset in _synsets(voc, sample) if synset]:
            only = synsets[0]
            lines.setdefault(only, []).append(f"{only}/{only}_{sample.image_id}")
            kept = [synset if synset == only else "" for synset in _synsets(voc, sample)]
            _write_image(root, "train", lines[only][-1], sample, kept)
    for number, synset in enumerate(sorted(lines), start=1):
        _write_list(kit, f"train_pos_{number}", lines[synset])
    rows = [(numbers[one.image_id], [s for s in _synsets(voc, one) if s]) for one in scored[::4]]
    blacklist = [f"{number} {synsets[0]}\n" for number, synsets in rows if synsets]
    (kit / "ILSVRC2014_det_validation_blacklist.txt").write_text("".join(blacklist))


def prove(
    root: Path, tree: Path, run: Run, settings: Sequence[str], weights: str, *more: object
) -> tuple[Score, Score]:
    """Trains on val1+train of a tree and scores what is found in val2: as JSON lines, and as a submission."""
    run(["train-detector", "--data", tree, "--split", "val1+train", "--init", weights, "--out", root / "run",
         "--cache", root / "cache", *(flag for setting in settings for flag in ("--set", setting)), *more])  # fmt: skip
    numbers = tree / "ILSVRC2014_devkit/data/det_lists/val2.txt"
    names = [line.split()[0] for line in numbers.read_text().splitlines()]
    images = root / "val2-images.txt"
    images.write_text("".join(f"{tree / 'ILSVRC2013_DET_val' / name}.JPEG\n" for name in sorted(names)))
    detect = ["detect", "--image", images, "--weights", root / "run" / "detector.safetensors", "--mode", "exhaustive",
              "--score-threshold", "0.01", *more]  # fmt: skip
    run([*detect, "--out", root / "found.jsonl"])
    run([*detect, "--out", root / "submission.txt", "--format", "ilsvrc", "--numbers", numbers])
    scores = []
    for name in ("found.jsonl", "submission.txt"):
        run(["evaluate", "detections", "--data", tree, "--split", "val2", "--rule", "ilsvrc",
             "--detections", root / name, "--report", root / f"{name}-report"])  # fmt: skip
        scores.append(Score.read(root / f"{name}-report"))
    return scores[0], scores[1]


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="VOC devkit or one of its years")
    parser.add_argument("--first", type=int, default=90, help="images of val: a third each for val1, train and val2")
    parser.add_argument("--init", default="benchmarks/accuracy/voc07-twin.safetensors", help="network to begin with")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tree, the run and the results")
    flags = parser.parse_args()
    voc = read_voc(flags.data, "val")
    lay_out(Dataset(voc.labels, voc.samples[: flags.first]), flags.out / "det")
    lines, submission = prove(flags.out, flags.out / "det", _run, SETTINGS, flags.init)
    print(f"JSON lines: mAP {lines.mean:.6f} of {len(lines.classes)} classes; submission: mAP {submission.mean:.6f}")
    if lines != submission:
        print("error: the two differ", file=sys.stderr)
        return 1
    return 0


def _run(arguments: Sequence[object]) -> None:
    program = [sys.executable, "-m", "googlenet_rcnn.cli.main", *map(str, arguments)]
    subprocess.run(program, check=True, stdout=sys.stderr)


def _val(image_id: str) -> str:
    return f"ILSVRC2012_val_{image_id}"


def _synsets(voc: Dataset, sample: Sample) -> list[str]:
    """The synset of each object of an image, or nothing where DET has no such class."""
    assert sample.truth is not None
    return [VOC_SYNSETS.get(voc.labels.names[label], "") for label in sample.truth.labels]


def _write_list(kit: Path, name: str, lines: Sequence[str]) -> None:
    (kit / "det_lists" / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


def _write_image(root: Path, kind: str, name: str, sample: Sample, synsets: Sequence[str]) -> None:
    """A link to the picture, and its annotation with the objects that have a synset: 0-based inclusive corners."""
    assert sample.truth is not None
    picture = root / f"ILSVRC2013_DET_{kind}" / f"{name}.JPEG"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.symlink_to(sample.path.resolve())
    size = sample.truth.size
    text = f"<annotation><size><width>{size.width}</width><height>{size.height}</height></size>"
    for synset, (x1, y1, x2, y2) in zip(synsets, sample.truth.boxes.coordinates.tolist(), strict=True):
        if synset:
            pairs = (("xmin", x1), ("xmax", x2 - 1), ("ymin", y1), ("ymax", y2 - 1))
            corners = "".join(f"<{key}>{value:g}</{key}>" for key, value in pairs)
            text += f"<object><name>{synset}</name><bndbox>{corners}</bndbox></object>"
    file = root / f"ILSVRC2013_DET_bbox_{kind}" / f"{name}.xml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{text}</annotation>")


if __name__ == "__main__":
    sys.exit(main())
