"""Each evaluator set to each task on the same two files; runs in a process that has done nothing else."""

import contextlib
import importlib
import importlib.util
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

TRUTH, RESULTS = "instances_val.json", "results.json"
OURS = "googlenet-rcnn"
PEERS = {
    "pycocotools": ("pycocotools.coco", "COCO", "pycocotools.cocoeval", "COCOeval"),
    "faster-coco-eval": ("faster_coco_eval", "COCO", "faster_coco_eval", "COCOeval_faster"),
    "hotcoco": ("hotcoco", "COCO", "hotcoco", "COCOeval"),
}
TASKS = {"coco": (OURS, *PEERS), "iou50": ("voc07", "voc10", "ilsvrc", *PEERS)}
"""COCO's twelve numbers; and one threshold, all areas, all detections, which is where our own rules belong."""

FIGURES = (
    "AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large",
    "AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large",
)  # fmt: skip


class Steps(NamedTuple):
    """Reading the files, and from what was read the figures by name (None where undefined)."""

    load: Callable[[Path], Any]
    evaluate: Callable[[Any], dict[str, float | None]]


def installed(name: str) -> bool:
    """Whether an evaluator can run here; ours always can."""
    return name not in PEERS or importlib.util.find_spec(PEERS[name][0].partition(".")[0]) is not None


def measure(name: str, task: str, folder: Path, memory: float) -> dict[str, Any]:
    """Seconds of loading and of evaluation, peak memory and figures of one evaluator, under a limit in GiB."""
    resource.setrlimit(resource.RLIMIT_AS, (int(memory * 2**30), resource.RLIM_INFINITY))
    steps = _peer(name, task) if name in PEERS else _ours(name)
    with contextlib.redirect_stdout(sys.stderr):
        processor, begin = time.process_time(), time.perf_counter()
        loaded = steps.load(folder)
        middle = time.perf_counter()
        figures = steps.evaluate(loaded)
        end = time.perf_counter()
    return {
        "load_seconds": middle - begin,
        "evaluate_seconds": end - middle,
        "processor_seconds": time.process_time() - processor,
        # Linux counts in KiB, macOS in bytes.
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10),
        "figures": figures,
    }


def _ours(name: str) -> Steps:
    from googlenet_rcnn.datasets.coco import read_coco
    from googlenet_rcnn.eval.average_precision import evaluate_detections
    from googlenet_rcnn.eval.coco_metric import coco_metrics
    from googlenet_rcnn.eval.coco_report import coco_content
    from googlenet_rcnn.eval.match_rule import RULES
    from googlenet_rcnn.eval.results import read_results

    def load(folder: Path) -> Any:
        dataset = read_coco(folder, "val")
        return read_results(folder / RESULTS, dataset).table, dataset

    def evaluate(loaded: Any) -> dict[str, float | None]:
        table, dataset = loaded
        if name != OURS:
            return {"map": evaluate_detections(table, dataset, RULES[name]).mean}
        content = coco_content(coco_metrics(table, dataset), dataset.labels, len(dataset.samples))
        return dict(content["coco"])

    return Steps(load, evaluate)


def _peer(name: str, task: str) -> Steps:
    import numpy as np

    home, coco_name, scorer_home, scorer_name = PEERS[name]
    coco = getattr(importlib.import_module(home), coco_name)
    scorer = getattr(importlib.import_module(scorer_home), scorer_name)

    def load(folder: Path) -> Any:
        truth = coco(str(folder / TRUTH))
        return truth, truth.loadRes(str(folder / RESULTS))

    def evaluate(loaded: Any) -> dict[str, float | None]:
        scored = scorer(*loaded, "bbox")
        if task == "iou50":
            scored.params.iouThrs = np.array([0.5])
            scored.params.areaRng, scored.params.areaRngLbl = [[0, 1e10]], ["all"]
            scored.params.maxDets = [10_000]  # more than an image has; more still costs some memory only
        scored.evaluate()
        scored.accumulate()
        if task == "iou50":
            precision = np.asarray(scored.eval["precision"])
            return {"map": float(precision[precision > -1].mean())}
        scored.summarize()
        stats = [float(one) for one in list(scored.stats)[: len(FIGURES)]]
        return {figure: None if one == -1 else one for figure, one in zip(FIGURES, stats, strict=True)}

    return Steps(load, evaluate)


def write_files(folder: Path, truth: dict[str, Any], results: list[dict[str, Any]]) -> None:
    """The two files that all evaluators read."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((TRUTH, truth), (RESULTS, results)):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
