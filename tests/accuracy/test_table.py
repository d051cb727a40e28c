"""Each row of the table is what its ingredients make of the scores that were kept."""

import json

import numpy as np
from accuracy_files import scored, screened_by, table_rows

from googlenet_rcnn.backbone.engine_choice import load_engine
from googlenet_rcnn.detector.opinions import pool_opinions
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.screening import Screen
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.comparison import compare_detections
from googlenet_rcnn.eval.match_rule import RULES


def nothing(path):
    """The file of a model that has found nothing in any box."""
    kinds = {"image": "i4", "box": "i4", "label": "u1", "probability": "f4"}
    np.savez(path, **{name: np.zeros(0, kind) for name, kind in kinds.items()}, offsets=np.zeros((0, 4), "f2"))
    return path


def test_each_row_of_the_table_adds_one_ingredient(run, files, tmp_path) -> None:
    flags = ("--weights", files / "given.safetensors", "--runtime", "torch", "--vote", 0.4, "--nms", 0.5)
    others = ("--mirrored", files / "scores.npz", "--models", nothing(tmp_path / "a.npz"), nothing(tmp_path / "b.npz"))
    found = table_rows(run("table.py", files, *flags, "--bootstrap", 20, *others))
    assert list(found) == [
        "class scores alone", "+ box regression", "+ box voting", "+ the vote of screening",
        "all that, averaged with mirrors", "all that, averaged with 2 further models", "all that, NMS at 0.5",
    ]  # fmt: skip
    images, rule = scored(files), RULES["voc07"]
    path = files / "given.safetensors"
    screen = Screen.load(path, lambda side: load_engine(path, "trunk", "torch", side=side))
    screened = screened_by(images, screen, lambda message: None)
    pooled = [
        RegionScores(pool_opinions(one.probabilities, seen, 0.4), one.offsets)
        for one, seen in zip(images.scores, screened, strict=True)
    ]
    thirds = [one.probabilities[:, 1:] / 3 for one in images.scores]
    mean = [
        RegionScores(pool_opinions(np.insert(third, 0, 1 - third.sum(axis=1), axis=1), seen, 0.4), one.offsets)
        for third, one, seen in zip(thirds, images.scores, screened, strict=True)
    ]
    # Every offset is zero, and the mirror images are the crops.
    kinds = [(images.scores, 0.3, 1.0)] * 2 + [(images.scores, 0.3, 0.5)] + [(pooled, 0.3, 0.5)] * 2
    kinds.append((mean, 0.3, 0.5))
    matched = [images.match(scores, Selection(0.01, nms, 100, voting), rule) for scores, nms, voting in kinds]
    matched.append(images.match(pooled, Selection(0.01, 0.5, 100, 0.5), rule))
    for cells, matches in zip(found.values(), matched, strict=True):
        assert cells[1] == f"{average_precision(matches, rule).mean:.4f}"
    for row, (after, before) in {1: (1, 0), 2: (2, 1), 3: (3, 2), 4: (4, 3), 5: (5, 3), 6: (6, 3)}.items():
        gain = compare_detections(matched[before], matched[after], rule, rounds=20).mean
        cells = list(found.values())[row]
        assert cells[3] == f"{100 * gain.difference:+.1f}"
        assert cells[4] == f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f}"


def test_proposals_of_several_sources_have_a_row_each(run, files, tmp_path) -> None:
    lines = [json.loads(line) for line in (files / "proposals.jsonl").read_text().splitlines()]
    for line in lines:
        line["sources"] = ["multibox", *line["sources"][1:]]
    (tmp_path / "union.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    flags = ("--weights", files / "given.safetensors", "--runtime", "torch", "--bootstrap", 2, "--nms")
    found = table_rows(run("table.py", files, *flags, "--proposals", tmp_path / "union.jsonl"))
    assert [found[f"all that, boxes of {source} alone"][0] for source in ("multibox", "ss")] == ["1", "16"]
    assert not [row for row in found if "averaged" in row]


def test_a_table_without_a_screen_is_refused(run, files, tmp_path) -> None:
    run("table.py", files, "--weights", tmp_path / "gone.safetensors", status=3)
