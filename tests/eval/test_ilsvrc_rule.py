import csv
import tarfile
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from shared_data import SHARED, needs_shared
from tiny_voc import dataset, truth

from googlenet_rcnn.core.types import Dataset, LabelSet, Size
from googlenet_rcnn.eval.average_precision import evaluate_detections
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import RULES

FOLDER = SHARED / "ilsvrc_det"


def read_truths(labels, order):
    """Truths of val2 in the order of image numbers; ILSVRC corners are 0-based and inclusive."""
    truths = {}
    with tarfile.open(FOLDER / "val2_annotations.tar.gz") as archive:
        for member in archive:
            if not member.name.endswith(".xml"):
                continue
            root = ElementTree.fromstring(archive.extractfile(member).read())
            rows = []
            for node in root.iter("object"):
                x1, y1, x2, y2 = (float(node.find("bndbox").findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax"))
                rows.append((labels[node.findtext("name")], (x1, y1, x2 + 1, y2 + 1), False))
            size = Size(*(int(root.find("size").findtext(key)) for key in ("height", "width")))
            truths[member.name.rsplit("/", 1)[1][:-4]] = truth(rows, size)
    return [truths[name] for name in order]


@needs_shared
def test_official_script_agrees_on_its_demo_predictions():
    with (FOLDER / "det_classes_200.csv").open() as file:
        labels = {row["wnid"]: index for index, row in enumerate(csv.DictReader(file))}
    numbers = {name: int(number) for name, number in (row.split() for row in (FOLDER / "val2.txt").open())}
    index_of = {number: index for index, number in enumerate(numbers.values())}
    samples = dataset(read_truths(labels, numbers)).samples
    pairs = (row.split() for row in (FOLDER / "ILSVRC2014_det_validation_blacklist.txt").open())
    data = Dataset(
        LabelSet(tuple(labels)),
        [replace(sample, number=number) for sample, number in zip(samples, numbers.values(), strict=True)],
        excluded=[(index_of[int(number)], labels[wnid]) for number, wnid in pairs if int(number) in index_of],
    )
    rows = np.loadtxt(FOLDER / "demo_val2_predictions.txt")
    # The list is not in the order of its numbers and the rows are mixed up: ties must go by number.
    rows = rows[np.isin(rows[:, 0], list(index_of))]
    rows = rows[np.argsort(-(rows[:, 0] % 7), kind="stable")]
    found = DetectionTable(
        [index_of[int(number)] for number in rows[:, 0]],
        rows[:, 1] - 1,
        rows[:, 2],
        rows[:, 3:] + [0, 0, 1, 1],
    )
    report = evaluate_detections(found, data, RULES["ilsvrc"])
    golden = [row.rstrip("\n").split("\t") for row in (SHARED / "golden/ilsvrc_det_val2_demo_ap_first50.tsv").open()]
    for class_id, _, name, positives, ap in golden:
        assert report.truths[int(class_id) - 1] == int(positives), name
        assert report.ap[int(class_id) - 1] == pytest.approx(float(ap), abs=1e-12), name
    assert report.mean == pytest.approx(0.6016834806, abs=1e-9)
