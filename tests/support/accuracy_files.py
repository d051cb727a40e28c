"""Made-up images, proposals and kept scores for the scripts of benchmarks/accuracy, and how these are called."""

import argparse
from importlib import import_module
from pathlib import Path

import numpy as np

from googlenet_rcnn.core.types import Size

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "accuracy"
COUNTS, CLASSES, SIZE = (5, 0, 3), 4, Size(60, 80)
LABELS = ("cat", "dog")


def write_kept(path: Path, whole, least: float) -> None:
    """The file that score.py would write of probabilities [n,C] and offsets [n,C,4] of each image."""
    columns = {name: [] for name in ("image", "box", "label", "probability", "offsets")}
    for image, (probabilities, offsets) in enumerate(whole):
        box, label = np.nonzero(probabilities >= least)
        values = (np.full(len(box), image), box, label, probabilities[box, label], offsets[box, label])
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    np.savez(path, **{name: np.concatenate(parts) for name, parts in columns.items()})


def kept(path: Path, seed: int, least: float):
    """A file of score.py of made-up scores, and those scores in full."""
    random, whole = np.random.default_rng(seed), []
    for count in COUNTS:
        probabilities = random.dirichlet(np.ones(1 + CLASSES), count)[:, 1:].reshape(count, CLASSES)
        whole.append((probabilities, random.normal(size=(count, CLASSES, 4)).astype(np.float16)))
    write_kept(path, whole, least)
    return whole


def command(script, folder, *flags):
    found = [FOLDER / script, folder / "scores.npz", "--data", folder, "--proposals", folder / "proposals.jsonl"]
    return list(map(str, [*found, *flags]))


def scored(files):
    """What the tables start from."""
    module = import_module("scored_images")
    parser = argparse.ArgumentParser()
    module.add_flags(parser)
    flags = ["--data", files, "--proposals", files / "proposals.jsonl", files / "scores.npz"]
    return module.ScoredImages.read(parser.parse_args(list(map(str, flags))))


def screened_by(*arguments):
    return import_module("screened").screen_images(*arguments)


def table_rows(output):
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in output.out.splitlines()]
    return {line[0]: line[1:] for line in lines[2:]}
