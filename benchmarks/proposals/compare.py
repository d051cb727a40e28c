"""Ours and the peers on the same images: time on one thread, boxes, recall and best overlap."""

import platform
import statistics
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
from engines import PEERS, fingerprint
from records import Record, Records, new_round

from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.store import write_json
from googlenet_rcnn.core.types import Dataset, Proposals, Proposer
from googlenet_rcnn.eval.proposal_recall import proposal_recall
from googlenet_rcnn.eval.proposal_report import proposal_metrics

_PACKAGES = ("numpy", "numba", "selectivesearch", "scikit-image")


def compare(dataset: Dataset, engines: dict[str, Proposer], timed: int, out: Path, notes: list[str]) -> str:
    """Runs every engine on every image, unless that is on disk, writes results.json and gives the table.

    The first `timed` images are for time: there all engines run one after another on the same image, in
    turned order on every second one. Others serve for recall only.
    """
    cv2.setNumThreads(1)
    records = {name: Records(out / "raw" / f"{name}-{fingerprint(one)}") for name, one in engines.items()}
    warm: set[str] = set()
    for place, sample in enumerate(dataset.samples):
        found = {name: one.read(sample.image_id) for name, one in records.items()}
        wanted = _wanted(found, place < timed)
        if not wanted:
            continue
        image = read_image(sample.path).pixels
        for name in set(wanted) - warm:  # compilation and first touch of memory are not what an image costs
            engines[name].propose(image)
        warm |= set(wanted)
        round = new_round()
        for name in wanted if place % 2 == 0 else reversed(wanted):
            records[name].make(sample.image_id, engines[name], image, round)
        print(f"image {place + 1} of {len(dataset.samples)}: {', '.join(wanted)}", file=sys.stderr, flush=True)
    content: dict[str, Any] = {
        "images": len(dataset.samples),
        "timed": min(timed, len(dataset.samples)),
        "machine": platform.machine(),
        "versions": {"python": platform.python_version(), "opencv": cv2.__version__} | _versions(),
        "notes": notes,
        "engines": {name: _figures(dataset, records[name], timed) for name in engines},
    }
    write_json(out / "results.json", content)
    return _text(content)


def _wanted(found: dict[str, Record | None], timed: bool) -> list[str]:
    """Engines to run on an image: those without a record, or all where their times must belong together."""
    if timed and len({record and record.round for record in found.values()}) > 1:
        return list(found)
    return [name for name, record in found.items() if record is None]


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _figures(dataset: Dataset, records: Records, timed: int) -> dict[str, Any]:
    """Times and proposal metrics of one engine; OpenCV's also in turned order, as it ranks small boxes first."""
    found: dict[str, Proposals] = {}
    seconds, processor = [], []
    for place, sample in enumerate(dataset.samples):
        record = records.read(sample.image_id)
        assert record is not None
        found[sample.image_id] = record.proposals
        if place < timed:
            seconds.append(record.seconds)
            processor.append(record.processor_seconds)
    figures: dict[str, Any] = {"metrics": _metrics(dataset, found), "seconds": seconds, "processor_seconds": processor}
    if any(one.source_names == ("opencv",) for one in found.values()):
        figures["turned"] = _metrics(dataset, {image_id: one[::-1] for image_id, one in found.items()})
    return figures


def _metrics(dataset: Dataset, found: dict[str, Proposals]) -> dict[str, Any]:
    return proposal_metrics(proposal_recall(dataset, found), dataset.labels)


def _text(content: dict[str, Any]) -> str:
    engines = content["engines"]
    head = ["engine", "s/image, median", "mean", "boxes", *(f"R@0.5 of {n}" for n in ("500", "1000", "1500", "2000"))]
    rows = []
    for name, one in engines.items():
        times = (
            [f"{f(one['seconds']):.4f}" for f in (statistics.median, statistics.mean)] if one["seconds"] else ["", ""]
        )
        rows.append([name, *times, *_quality(one["metrics"])])
        if "turned" in one:
            rows.append([f"{name}, turned order", "", "", *_quality(one["turned"])])
    title = f"{content['images']} images, {content['timed']} of them timed, on one thread"
    if over := [name for name, one in engines.items() if sum(one["processor_seconds"]) > 1.05 * sum(one["seconds"])]:
        title += f" (but {', '.join(over)} used more than one)"
    lines = [title, "", markdown([*head, "R@0.5", "R@0.7", "AR", "MABO"], rows), ""]
    lines += [
        line for name, peer in PEERS.items() if {name, peer} <= set(engines) for line in _against(engines, name, peer)
    ]
    if {"fast", "fast-doubled"} <= set(engines):
        plain, doubled = (engines[name]["metrics"] for name in ("fast", "fast-doubled"))
        if plain["boxes_per_image"]:
            ratio = doubled["boxes_per_image"] / plain["boxes_per_image"]
            lines.append(f"- fast-doubled: {ratio:.3f} of the boxes of fast{_gain(doubled, plain)}")
    return "\n".join(lines + [f"- {note}" for note in content["notes"]])


def _quality(metrics: dict[str, Any]) -> list[str]:
    recall = [metrics["recall_at"][first]["0.5"] for first in ("500", "1000", "1500", "2000", "all")]
    numbers = [*recall, metrics["recall"]["0.7"], metrics["average_recall"], metrics["mabo"]]
    boxes = metrics["boxes_per_image"]
    return [f"{boxes:.0f}" if boxes is not None else "-", *("-" if one is None else f"{one:.4f}" for one in numbers)]


def _against(engines: dict[str, Any], name: str, peer: str) -> list[str]:
    """Ratios of times on the same image, and how much more is found."""
    gain = _gain(engines[name]["metrics"], engines[peer]["metrics"])
    wall, processor = _ratios(engines, name, peer, "seconds"), _ratios(engines, name, peer, "processor_seconds")
    if not wall:
        return [f"- {name} and {peer}: no image is timed{gain}"]
    times = f"{statistics.median(wall):.2f} times as fast as {peer} (median of {len(wall)} images; "
    return [f"- {name}: {times}{statistics.median(processor):.2f} by processor time){gain}"]


def _ratios(engines: dict[str, Any], name: str, peer: str, clock: str) -> list[float]:
    return [theirs / ours for ours, theirs in zip(engines[name][clock], engines[peer][clock], strict=True)]


def _gain(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    pairs = {"recall@0.5": (ours["recall"]["0.5"], theirs["recall"]["0.5"]), "MABO": (ours["mabo"], theirs["mabo"])}
    return "".join(f", {what} {a - b:+.4f}" for what, (a, b) in pairs.items() if a is not None and b is not None)
